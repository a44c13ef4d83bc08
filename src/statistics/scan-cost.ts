/**
 * What a wait costs: CPU per request = request + waits per request x (wait + perDescriptor x registered), where past a
 * `bend` each further descriptor costs `pastBend` (caches no longer hold the kernel's tables). One wait is shared by all
 * requests whose events it brings, so one scan cost explains few and many active connections alike. Microseconds.
 */
import { type Interval, meanInterval } from './interval.js';
import { leastSquares } from './least-squares.js';

/** One window of one trial. */
export interface Scanned {
  block: number;
  /** descriptors registered at the poller */
  registered: number;
  waitsPerRequest: number;
  /** server CPU per request, µs */
  cpuUs: number;
}

export interface ScanCost {
  request: number;
  wait: number;
  perDescriptor: number;
  bend: number | null;
  pastBend: number;
}

export interface ScanModel {
  cost: ScanCost;
  /** of `perDescriptor` and of `request`, over the fits of single blocks */
  perDescriptor: Interval;
  request: Interval;
  /** largest |predicted / measured - 1| over windows of a number of descriptors left out of the fit */
  leftOut: { registered: number; error: number }[];
  /** the same fit for each block */
  blocks: ScanCost[];
  largest: number;
}

/** µs of server CPU per request */
export function scanCost(cost: ScanCost, registered: number, waitsPerRequest: number): number {
  const past = cost.bend === null ? 0 : Math.max(0, registered - cost.bend);
  return (
    cost.request +
    waitsPerRequest * (cost.wait + cost.perDescriptor * (registered - past) + cost.pastBend * past)
  );
}

function fitAt(windows: readonly Scanned[], bend: number | null) {
  const past = (i: number) => Math.max(0, windows[i]!.registered - (bend ?? Infinity));
  const waits = (i: number) => windows[i]!.waitsPerRequest;
  // The noise of a window is proportional to its figure; an observation's x is its place in the list.
  const fit = leastSquares(
    windows.map(({ cpuUs }, x) => ({ x, y: cpuUs, weight: 1 / cpuUs ** 2 })),
    [
      () => 1,
      waits,
      (i) => waits(i) * (windows[i]!.registered - past(i)),
      ...(bend === null ? [] : [(i: number) => waits(i) * past(i)]),
    ],
  );
  if (!fit || fit.df < 1) return null;
  const [request, wait, perDescriptor, pastBend] = fit.coefficients as [number, number, number, number?];
  return { rss: fit.rss, cost: { request, wait, perDescriptor, bend, pastBend: pastBend ?? perDescriptor } };
}

const distinct = (windows: readonly Scanned[]) =>
  [...new Set(windows.map(({ registered }) => registered))].sort((a, b) => a - b);

/** A bend has to earn its two parameters by this much of n log(rss): the difference of AIC and a margin. */
const worthABend = 8;

function fitted(windows: readonly Scanned[]): ScanCost | null {
  const straight = fitAt(windows, null);
  const bent = distinct(windows)
    .slice(1, -1)
    .flatMap((bend) => fitAt(windows, bend) ?? [])
    .sort((a, b) => a.rss - b.rss)[0];
  const gain = straight && bent ? windows.length * Math.log(straight.rss / bent.rss) : 0;
  return (bent && gain > worthABend ? bent : straight)?.cost ?? null;
}

/** Null with fewer than three numbers of descriptors, which no line can be held against. */
export function scanModel(windows: readonly Scanned[]): ScanModel | null {
  const counts = distinct(windows);
  const cost = counts.length < 3 ? null : fitted(windows);
  if (!cost) return null;
  const blocks = [...new Set(windows.map(({ block }) => block))].flatMap(
    (block) =>
      fitAt(
        windows.filter((one) => one.block === block),
        cost.bend,
      )?.cost ?? [],
  );
  const overBlocks = (of: (one: ScanCost) => number) =>
    meanInterval(blocks.length > 0 ? blocks.map(of) : [of(cost)], 'linear');
  return {
    cost,
    perDescriptor: overBlocks((one) => one.perDescriptor),
    request: overBlocks((one) => one.request),
    leftOut: counts.flatMap((registered) => {
      const rest = fitted(windows.filter((one) => one.registered !== registered));
      const held = windows.filter((one) => one.registered === registered);
      if (!rest || counts.length < 4) return [];
      const errors = held.map((one) => scanCost(rest, registered, one.waitsPerRequest) / one.cpuUs);
      return [{ registered, error: Math.abs(errors.reduce((sum, one) => sum + one, 0) / errors.length - 1) }];
    }),
    blocks,
    largest: counts[counts.length - 1]!,
  };
}
