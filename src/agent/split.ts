/** Splits one offered load over several clients by their capacity. A pure function. */
import type { SessionSpec } from '../contract/ramp.js';

/**
 * Shares add up exactly: rates by proportion, connections by largest remainder. A client that would get no connection
 * gets none at all (its entry is null).
 */
export function splitLoad(spec: SessionSpec, capacities: readonly number[]): (SessionSpec | null)[] {
  const total = capacities.reduce((sum, capacity) => sum + capacity, 0);
  if (!(total > 0)) throw new RangeError('no client has any capacity');
  const exact = capacities.map((capacity) => (spec.connections * capacity) / total);
  const whole = exact.map(Math.floor);
  const missing = spec.connections - whole.reduce((sum, share) => sum + share, 0);
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share - whole[index]! }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, missing)) whole[index]! += 1;
  return whole.map((connections) =>
    // Rate follows connections, so that all clients end together.
    connections === 0 ? null : { ...spec, connections, rate: (spec.rate * connections) / spec.connections },
  );
}
