/** Splits one offered load over several clients by their capacity. A pure function. */
import type { SessionSpec } from '../contract/ramp.js';

/** What one load thread can offer on any machine of today, requests per second (`npm run bench:ramp`). */
const THREAD_RATE = 50_000;

/** Load threads for a step: as many as its rate needs, so that a slow step keeps the even schedule of one thread. */
export function threadsFor(spec: SessionSpec, cores: number): number {
  const allowed = spec.cpus.length > 0 ? Math.min(cores, spec.cpus.length) : cores;
  return Math.min(allowed, spec.connections, Math.ceil((spec.rate * spec.calls) / THREAD_RATE));
}

/**
 * Shares add up exactly: rates by proportion, connections by largest remainder. A client that would get no connection
 * gets none at all (its entry is null). Every part starts one gap of the whole load after the one before it, so that parts
 * with even gaps take turns instead of starting together; exponential gaps come from a seed of its own.
 */
export function splitLoad(spec: SessionSpec, capacities: readonly number[]): (SessionSpec | null)[] {
  const total = capacities.reduce((sum, capacity) => sum + capacity, 0);
  if (!(total > 0)) throw new RangeError('no client has any capacity');
  const exact = capacities.map((capacity) => (spec.connections * capacity) / total);
  const before = spec.part ?? { offsetNs: 0, seed: 1 };
  const whole = exact.map(Math.floor);
  const missing = spec.connections - whole.reduce((sum, share) => sum + share, 0);
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share - whole[index]! }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, missing)) whole[index]! += 1;
  return whole.map((connections, index) =>
    connections === 0
      ? null
      : {
          ...spec,
          connections,
          // Rate follows connections, so that all clients end together.
          rate: (spec.rate * connections) / spec.connections,
          part: {
            offsetNs: before.offsetNs + (index * 1e9) / spec.rate,
            seed: before.seed * capacities.length + index,
          },
        },
  );
}
