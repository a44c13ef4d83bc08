/**
 * The order of trials: randomised complete blocks. Every block holds every cell once, shuffled anew, so that a drift of
 * the machine spreads evenly over the cells. The order depends on the seed and the cells alone.
 */
import { randomFrom } from '../statistics/random.js';

/** The cells of one block, shuffled (Fisher-Yates). Block `index` is the same whatever was drawn before it. */
export function block<Cell>(cells: readonly Cell[], seed: number, index: number): Cell[] {
  const random = randomFrom(`${seed}/${index}`);
  const order = [...cells];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
