/** Several results as one: of several machines or processes that loaded the same server at the same time. Pure. */
import type { Histogram } from 'hdr-histogram-js';
import type { DgramCounts, DgramInterval, DgramLoss, DgramResult } from '../contract/dgram.js';
import { decodeHistogram } from '../load/histogram.js';
import { histogramsOf, lagFigures, latencySpread, listSpread, ratesOf } from './spread.js';

const countKeys = [
  'sent',
  'received',
  'lost',
  'late',
  'reordered',
  'duplicates',
  'corrupted',
  'truncated',
  'unattributable',
  'foreign',
  'unreachable',
  'sendErrors',
  'sendStalls',
] as const satisfies readonly (keyof DgramCounts)[];
const errorKeys = ['errors', 'timeouts', 'mismatches', 'resets', 'connections', 'workers'] as const;
const lossKeys = [
  'clientSocket',
  'serverSocket',
  'serverUnread',
  'unreachable',
  'badReply',
  'unexplained',
] as const satisfies readonly (keyof DgramLoss)[];

function sums<Key extends string>(
  keys: readonly Key[],
  objects: readonly Record<Key, number>[],
): Record<Key, number> {
  return Object.fromEntries(
    keys.map((key) => [key, objects.reduce((sum, object) => sum + object[key], 0)]),
  ) as Record<Key, number>;
}

function mergedHistogram(payloads: readonly string[]): Histogram {
  const [first, ...others] = payloads.map(decodeHistogram);
  for (const other of others) first!.add(other);
  return first!;
}

/** Extremes are exact; the median of all ports is taken to be the median of the results' medians. */
function mergedSpread(spreads: readonly DgramResult['portSpread'][]): DgramResult['portSpread'] {
  const merged = (key: keyof DgramResult['portSpread']) => ({
    min: Math.min(...spreads.map((spread) => spread[key].min)),
    median: listSpread(spreads.map((spread) => spread[key].median)).p50,
    max: Math.max(...spreads.map((spread) => spread[key].max)),
  });
  return { mean: merged('mean'), received: merged('received'), lossRate: merged('lossRate') };
}

/** Percentiles of merged intervals are not known; the worst of them is an upper bound, and is taken. */
function mergedSeries(all: readonly DgramInterval[][]): DgramInterval[] {
  return Array.from({ length: Math.max(...all.map((series) => series.length)) }, (_, index) => {
    const same = all.flatMap((series) => series[index] ?? []);
    const total = sums(['sent', 'received', 'bytesIn'], same);
    const worst = (key: 'p50' | 'p99' | 'max') => Math.max(...same.map((interval) => interval[key]));
    const weighted = same.reduce((sum, { mean, received }) => sum + mean * received, 0);
    return {
      ...total,
      mean: weighted / Math.max(1, total.received),
      p50: worst('p50'),
      p99: worst('p99'),
      max: worst('max'),
    };
  });
}

/**
 * One result for several; counts and rates add up, latencies come from the merged histograms.
 * @throws Error when there is none, or when they loaded different targets
 */
export function aggregateResult(results: readonly DgramResult[]): DgramResult {
  const [first] = results;
  if (!first) throw new Error('there is no result to aggregate');
  const odd = results.find((result) => result.url !== first.url || result.sampleInt !== first.sampleInt);
  if (odd) throw new Error(`results of ${first.url} and ${odd.url} do not belong together`);
  const merged = (key: keyof DgramResult['histograms']) =>
    mergedHistogram(results.map((result) => result.histograms[key]));
  const latency = merged('latency');
  const uncorrected = merged('latencyUncorrected');
  const lag = merged('sendLag');
  const counts = sums(countKeys, results);
  const series = mergedSeries(results.map((result) => result.series));
  const whole = series.slice(0, Math.max(...results.map((result) => result.samples)));
  const perSecond = 1000 / first.sampleInt;
  const total = (figure: (result: DgramResult) => number) =>
    results.reduce((sum, result) => sum + figure(result), 0);
  const most = (figure: (result: DgramResult) => number) => Math.max(...results.map(figure));
  return {
    ...first,
    ...counts,
    ...sums(errorKeys, results),
    duration: most((result) => result.duration),
    samples: whole.length,
    start: results.map((result) => result.start).sort()[0]!,
    finish: results
      .map((result) => result.finish)
      .sort()
      .at(-1)!,
    latency: latencySpread(latency),
    latencyUncorrected: latencySpread(uncorrected),
    ...ratesOf(whole, perSecond, { ...counts, bytesIn: total((result) => result.throughput.total) }),
    lossRate: counts.lost / Math.max(1, counts.sent),
    loss: {
      ...sums(
        lossKeys,
        results.map((result) => result.loss),
      ),
      seen: {
        clientSockets: results.every((result) => result.loss.seen.clientSockets),
        serverSockets: results.every((result) => result.loss.seen.serverSockets),
      },
      // Each saw the whole machine: the same errors would be counted more than once.
      system: null,
    },
    jitter: total((result) => result.jitter * result.received) / Math.max(1, counts.received),
    schedule: {
      offered: results.some((result) => result.schedule.offered === null)
        ? null
        : total((result) => result.schedule.offered!),
      achieved: total((result) => result.schedule.achieved),
      ...lagFigures(lag),
      resolution: first.schedule.resolution,
    },
    client: {
      poller: first.client.poller,
      busyShare: most((result) => result.client.busyShare),
      spinShare: most((result) => result.client.spinShare),
      ...sums(
        ['cpuUs', 'sendCalls', 'receiveCalls'],
        results.map((result) => result.client),
      ),
    },
    clientSaturated: results.some((result) => result.clientSaturated),
    reasons: [...new Set(results.flatMap((result) => result.reasons))],
    portSpread: mergedSpread(results.map((result) => result.portSpread)),
    series,
    histograms: histogramsOf(latency, uncorrected, lag),
  };
}
