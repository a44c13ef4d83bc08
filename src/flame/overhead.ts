/** What a profiler costs the server it watches, from windows with and without it. */
import type { ProfilerOverhead } from '../contract/flame.js';

/** Differences of two server snapshots around one window. */
export interface ServedWindow {
  durationNs: number;
  requests: number;
  cpuUs: number;
}

export interface WindowPair {
  profiled: ServedWindow;
  unprofiled: ServedWindow;
}

/** Order of the windows of n pairs, alternating within and between pairs so that drift falls on both sides alike. */
export function windowOrder(pairs: number): boolean[] {
  return Array.from({ length: pairs }, (_, index) =>
    index % 2 === 0 ? [false, true] : [true, false],
  ).flat();
}

export function profilerOverhead(pairs: WindowPair[]): ProfilerOverhead {
  const served = pairs.filter(({ profiled, unprofiled }) => profiled.requests > 0 && unprofiled.requests > 0);
  const rate = (window: ServedWindow) => window.requests / window.durationNs;
  const cost = (window: ServedWindow) => window.cpuUs / window.requests;
  const spread = (of: (window: ServedWindow) => number) => {
    const changes = served
      .map(({ profiled, unprofiled }) => of(profiled) / of(unprofiled) - 1)
      .sort((a, b) => a - b);
    if (changes.length === 0 || changes.some((change) => !Number.isFinite(change))) return null;
    const middle = changes.length / 2;
    const change = (changes[Math.ceil(middle) - 1]! + changes[Math.floor(middle)]!) / 2;
    return { change, low: changes[0]!, high: changes.at(-1)! };
  };
  const total = pairs.reduce((sum, pair) => sum + pair.profiled.durationNs, 0);
  return {
    pairs: served.length,
    // The true median lies outside the range of n pairs only when all n fall on one side of it.
    coverage: served.length === 0 ? 0 : 1 - 2 ** (1 - served.length),
    windowMs: total / Math.max(pairs.length, 1) / 1e6,
    rate: spread(rate),
    cpuPerRequest: spread(cost),
  };
}

/** One sentence with its uncertainty. @param one of what is served */
export function describeOverhead(
  { pairs, coverage, windowMs, rate, cpuPerRequest }: ProfilerOverhead,
  one: 'request' | 'event' = 'request',
): string {
  if (!rate) return `not measured: no ${one}s were counted`;
  const signed = (share: number) => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`;
  const figure = (what: string, value: typeof rate | null) =>
    value
      ? `${what} ${signed(value.change)} [${signed(value.low)}, ${signed(value.high)}]`
      : `${what} not measured`;
  return (
    `${figure('throughput', rate)}, ${figure(`CPU per ${one}`, cpuPerRequest)} ` +
    `(median and range of ${pairs} pairs of ${(windowMs / 1000).toFixed(1)} s windows; ` +
    `the range covers the true median with ${(100 * coverage).toFixed(1)} %)`
  );
}
