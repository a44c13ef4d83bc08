/**
 * The peak of a ramp over trials, without the winner's curse. The mean of the level that looked best is too high on
 * average, because luck helped it to look best. Here every trial is judged by the others: they choose the level, and
 * only the trial left out, which had no part in the choice, is the figure (leave-one-out). Pure.
 */

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * One figure a trial; empty when no level has two trials.
 * @param levels trials of each level, in the order of the blocks; a level that lacks a trial cannot be chosen for it
 */
export function heldOutPeaks(levels: readonly (readonly number[])[]): number[] {
  const blocks = Math.max(0, ...levels.map((values) => values.length));
  return Array.from({ length: blocks }, (_, block) => {
    const candidates = levels
      .filter((values) => values.length > Math.max(block, 1))
      .map((values) => ({
        others: average(values.filter((_, index) => index !== block)),
        held: values[block]!,
      }));
    return candidates.sort((a, b) => b.others - a.others)[0]?.held;
  }).filter((peak) => peak !== undefined);
}
