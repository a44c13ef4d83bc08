/** In which order flows get their datagrams; seeded, by the rules of native/load/datagram_order.h. */
import { randomFrom } from '../statistics/random.js';
import type { EngineConfig } from './engine.js';

/** @returns a function that gives the next flow, 0 .. flows - 1 */
export function flowOrder(order: EngineConfig['portOrder'], flows: number, seed: number): () => number {
  if (order === 'round-robin') {
    let turn = -1;
    return () => {
      turn = (turn + 1) % flows;
      return turn;
    };
  }
  const random = randomFrom(seed);
  if (order === 'random') return () => Math.floor(random() * flows);
  let sum = 0;
  const cumulative = Float64Array.from({ length: flows }, (_, k) => {
    sum += 1 / (k + 1);
    return sum;
  });
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = flows - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
