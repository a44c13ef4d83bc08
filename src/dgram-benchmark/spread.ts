/** Distributions as autocannon prints them: of a histogram, and of a short list of numbers. Pure. */
import { encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import {
  type DgramResult,
  type PercentileKey,
  percentileKeys,
  percentileOf,
  type Spread,
} from '../contract/dgram.js';

const atPercentiles = (at: (percent: number) => number) =>
  Object.fromEntries(percentileKeys.map((key) => [key, at(percentileOf(key))])) as Record<
    PercentileKey,
    number
  >;

/** Nanoseconds in, milliseconds out. */
export function latencySpread(histogram: Histogram): Spread & { totalCount: number } {
  const { totalCount } = histogram;
  const at = (percent: number) => (totalCount === 0 ? 0 : histogram.getValueAtPercentile(percent) / 1e6);
  const mean = totalCount === 0 ? 0 : histogram.mean / 1e6;
  return {
    average: mean,
    mean,
    stddev: totalCount === 0 ? 0 : histogram.stdDeviation / 1e6,
    min: at(0),
    max: at(100),
    ...atPercentiles(at),
    totalCount,
  };
}

/** How late sends were; nanoseconds in, milliseconds out, 0 where nothing was scheduled. */
export function lagFigures(lag: Histogram): Pick<DgramResult['schedule'], 'lagP50' | 'lagP99' | 'lagMax'> {
  const { p50, p99, max } = latencySpread(lag);
  return { lagP50: p50, lagP99: p99, lagMax: max };
}

/** Requests and throughput of the whole intervals, beside their totals. */
export function ratesOf(
  whole: readonly { received: number; bytesIn: number }[],
  perSecond: number,
  totals: { sent: number; received: number; bytesIn: number },
): Pick<DgramResult, 'requests' | 'throughput'> {
  return {
    requests: {
      ...listSpread(whole.map(({ received }) => received * perSecond)),
      total: totals.received,
      sent: totals.sent,
    },
    throughput: {
      ...listSpread(whole.map(({ bytesIn }) => bytesIn * perSecond)),
      total: totals.bytesIn,
    },
  };
}

/** The distributions themselves, as a result carries them. */
export function histogramsOf(
  latency: Histogram,
  uncorrected: Histogram,
  lag: Histogram,
): DgramResult['histograms'] {
  return {
    latency: encodeIntoCompressedBase64(latency),
    latencyUncorrected: encodeIntoCompressedBase64(uncorrected),
    sendLag: encodeIntoCompressedBase64(lag),
  };
}

/** Exact; percentiles by nearest rank. */
export function listSpread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const n = Math.max(1, sorted.length);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  return {
    average: mean,
    mean,
    stddev: Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n),
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    ...atPercentiles((percent) => sorted[Math.max(0, Math.ceil((percent / 100) * n) - 1)] ?? 0),
  };
}
