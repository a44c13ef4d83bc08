/**
 * The peak of a ramp over trials, without the winner's curse. The mean of the level that looked best is too high on
 * average, because luck helped it to look best. Here every trial is judged by the others: they choose the level, and
 * only the trial left out, which had no part in the choice, is the figure (leave-one-out). Pure.
 */
import type { Blocked } from './interval.js';

const average = (trials: readonly Blocked[]): number =>
  trials.reduce((sum, { value }) => sum + value, 0) / trials.length;

/**
 * One figure a block; empty when no level has two trials.
 * @param levels trials of each level; one that lacks a block cannot be chosen for it
 */
export function heldOutPeaks(levels: readonly (readonly Blocked[])[]): Blocked[] {
  const blocks = [...new Set(levels.flat().map(({ block }) => block))].sort((a, b) => a - b);
  return blocks.flatMap((block) => {
    const candidates = levels.flatMap((trials) => {
      const held = trials.find((trial) => trial.block === block);
      const others = trials.filter((trial) => trial.block !== block);
      return held && others.length > 0 ? [{ others: average(others), held }] : [];
    });
    const [best] = candidates.sort((a, b) => b.others - a.others);
    return best ? [best.held] : [];
  });
}
