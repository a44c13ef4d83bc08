/** What the machine can do at its best in a run, to hold each trial against. */
import type { Calibration } from '../contract/host.js';
import type { Sample } from '../trials/sample.js';

/** How long the pieces of work took that tell of a machine's state, nanoseconds by name; null: not measured. */
export type Timings = Record<keyof typeof pieces, number | null>;

/**
 * Of each piece what it is, by how much it varies while a machine stays as it is, and whether it may be held against
 * itself after a trial: a kernel that still frees thousands of sockets doubles the latency of the caches.
 */
export const pieces = {
  spin: { does: 'calculated', steady: 0.05, after: true },
  memoryWalk: { does: 'read memory', steady: 0.5, after: false },
  pingPong: { does: 'sent over loopback', steady: 0.2, after: true },
} as const;

const names = Object.keys(pieces) as (keyof Timings)[];

/** A message's CPU time and not its wall time: what is judged here is CPU time, and other programs add none to it. */
export const timingsOf = ({ spinNs, memoryWalkNs, pingPong }: Calibration): Timings => ({
  spin: spinNs,
  memoryWalk: memoryWalkNs,
  pingPong: pingPong?.cpuNs ?? null,
});

/** By piece and pair of timings, how much more time the first took than the second, as a share; what both tell. */
export function slowdowns(one: Timings, other: Timings): { piece: keyof Timings; share: number }[] {
  return names.flatMap((piece) => {
    const [from, to] = [other[piece], one[piece]];
    return from === null || to === null ? [] : [{ piece, share: to / from - 1 }];
  });
}

/** @param all at least one */
export function bestTimings(all: readonly Timings[]): Timings {
  const least = (piece: keyof Timings) => {
    const known = all.map((one) => one[piece]).filter((ns) => ns !== null);
    return known.length > 0 ? Math.min(...known) : null;
  };
  return Object.fromEntries(names.map((piece) => [piece, least(piece)])) as Timings;
}

/** All that a sample tells; one that was recorded before the other pieces were has its spin alone. */
export function timingsIn({ machine, calibrationNs }: Pick<Sample, 'machine' | 'calibrationNs'>): Timings[] {
  if (!machine) return [{ spin: calibrationNs, memoryWalk: null, pingPong: null }];
  const { before, after } = machine;
  return [before, ...(after ? [after] : [])].map(({ calibration }) => timingsOf(calibration));
}
