/** Distributions as autocannon prints them: of a histogram, and of a short list of numbers. Pure. */
import type { Histogram } from 'hdr-histogram-js';
import { type PercentileKey, percentileKeys, percentileOf, type Spread } from '../contract/dgram.js';

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
