/**
 * The order of trials: randomised complete blocks. Every block holds every cell once, shuffled anew, so that a drift of
 * the machine spreads evenly over the cells. The order depends on the seed and the cells alone.
 *
 * Cells that are to be compared in pairs follow each other directly, in a random order, so that a state of the machine
 * that lasts longer than two trials is the same for both.
 */
import { randomFrom, shuffled } from '../statistics/random.js';

/**
 * The cells of one block, shuffled. Block `index` is the same whatever was drawn before it.
 * @param together cells with the same text follow each other; left out: each stands alone
 */
export function block<Cell>(
  cells: readonly Cell[],
  seed: number,
  index: number,
  together?: (cell: Cell) => string,
): Cell[] {
  const random = randomFrom(`${seed}/${index}`);
  const order = shuffled(cells, random);
  if (!together) return order;
  const groups = new Map<string, Cell[]>();
  for (const cell of order) groups.set(together(cell), [...(groups.get(together(cell)) ?? []), cell]);
  return [...groups.values()].flat();
}
