/** How well a run knows its cells so far, and whether it may stop. */

import type { Plan, StopReason } from '../contract/run.js';
import { meanInterval, relativeHalfWidth } from '../statistics/interval.js';

/**
 * @param trials the primary metric of every valid trial, a list per cell
 * @returns the widest relative half-width of the 95 % intervals; null while a cell has fewer than three valid trials
 */
export function widestInterval(trials: readonly (readonly number[])[]): number | null {
  const widths = trials.map((values) =>
    values.length === 0 ? null : relativeHalfWidth(meanInterval(values)),
  );
  return widths.includes(null) ? null : Math.max(0, ...(widths as number[]));
}

export interface Progress {
  /** complete blocks */
  blocks: number;
  /** of the primary metric, by `widestInterval` */
  precision: number | null;
  elapsedMs: number;
  /** mean duration of a block so far */
  blockMs: number;
}

/**
 * Asked between blocks. The first block always runs to its end: a run with unmeasured cells answers nothing. A later one
 * starts only when it is likely to fit into the budget, since a block cut in the middle unbalances the design.
 */
export function stopBeforeNextBlock(plan: Plan, progress: Progress): StopReason | null {
  if (progress.blocks === 0) return null;
  if (progress.blocks >= plan.blocks.max) return 'blocks';
  const narrow = progress.precision !== null && progress.precision <= plan.precision;
  if (progress.blocks >= plan.blocks.min && narrow) return 'precision';
  return progress.elapsedMs + progress.blockMs > plan.budgetMs ? 'budget' : null;
}
