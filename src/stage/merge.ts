/** Several server processes or load clients of one trial, seen as one. Pure functions. */
import type { LoadResult } from '../contract/load.js';
import type { SnapshotBody } from '../contract/server.js';
import { mergeLatencies } from '../load/histogram.js';

/** Part `index` of `parts` whole shares that differ by one at most and add up to `total`. */
export function share(total: number, parts: number, index: number): number {
  return Math.floor((total * (index + 1)) / parts) - Math.floor((total * index) / parts);
}

/**
 * Adds what has the same place: numbers, elements of arrays, members of objects; anything else is the first one's. What
 * one of them does not tell, the sum does not either.
 */
function added<T>(first: T, second: T): T {
  if (second === null) return second;
  if (typeof first === 'number') return ((first as number) + (second as number)) as T;
  if (first === null || typeof first !== 'object') return first;
  const other = second as Record<string, unknown>;
  const members = Object.entries(first).map(([name, value]) => [name, added(value, other[name])] as const);
  return (Array.isArray(first) ? members.map(([, value]) => value) : Object.fromEntries(members)) as T;
}

/** Sums of all processes, at the first one's time. */
export function sumSnapshots<Body extends SnapshotBody>(all: readonly Body[]): Body {
  return { ...all.reduce(added), monotonicNs: all[0]!.monotonicNs };
}

const countable = [
  'connections',
  'requests',
  'replies',
  'achievedRate',
  'bytesIn',
  'bytesOut',
  'reconnects',
  'backlogged',
] as const;

/** One result of clients that began together and share a CPU: counts and shares add up, distributions are merged. */
export function mergeLoads(all: readonly LoadResult[]): LoadResult {
  const [first] = all as [LoadResult];
  if (all.length === 1) return first;
  const sum = (of: (one: LoadResult) => number) => all.reduce((total, one) => total + of(one), 0);
  const merged = (name: 'latency' | 'latencyUncorrected' | 'connect') =>
    mergeLatencies(all.map((one) => one[name]));
  const lags = all.map(({ sendLag }) => sendLag).filter((lag) => lag !== null);
  const sums = Object.fromEntries(countable.map((name) => [name, sum((one) => one[name])])) as Pick<
    LoadResult,
    (typeof countable)[number]
  >;
  return {
    ...first,
    ...sums,
    target: all.map(({ target }) => target).join(' '),
    offeredRate: first.offeredRate === null ? null : sum(({ offeredRate }) => offeredRate ?? 0),
    errors: all.map(({ errors }) => errors).reduce(added),
    latency: merged('latency'),
    latencyUncorrected: merged('latencyUncorrected'),
    sendLag: lags.length > 0 ? mergeLatencies(lags) : null,
    connect: merged('connect'),
    client: {
      ...first.client,
      busyShare: sum(({ client }) => client.busyShare),
      spinShare: sum(({ client }) => client.spinShare),
      cpuUs: sum(({ client }) => client.cpuUs),
    },
    saturation: [...new Set(all.flatMap(({ saturation }) => saturation))],
  };
}
