/** Histograms of the load threads as HdrHistograms: percentiles, the V2 payload, and the standard log form. */
import { inflateSync } from 'node:zlib';
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
  HistogramLogWriter,
} from 'hdr-histogram-js';
import type { Latency } from '../contract/load.js';

/** What the addon hands over: a row for each cell that counted something, by the lowest value of the cell. */
export interface RawHistogram {
  values: Float64Array;
  counts: Float64Array;
}

/** The layout of native/load/histogram.h. */
const layout = {
  bitBucketSize: 64,
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3_600_000_000_000,
  numberOfSignificantValueDigits: 3,
} as const;

export const emptyHistogram = (): Histogram => build(layout);

export function hdrHistogram({ values, counts }: RawHistogram): Histogram {
  const histogram = emptyHistogram();
  values.forEach((value, row) => {
    histogram.recordValueWithCount(value, counts[row]!);
  });
  return histogram;
}

/** Longest payload of this layout, rounded up: some 34 000 counters of at most nine bytes. */
const mostPayloadBytes = 1 << 19;
const headerBytes = 40;

/**
 * The library believes every length and range it reads. So the payload is unfolded up to a bound first, and its header
 * looked at.
 * @throws Error in one sentence when it is no histogram, or one beyond our layout
 */
export function decodeHistogram(base64: string): Histogram {
  const outer = Buffer.from(base64, 'base64');
  try {
    const payload = inflateSync(outer.subarray(8, 8 + outer.readUInt32BE(4)), {
      maxOutputLength: mostPayloadBytes,
    });
    // No other than ours: there are layouts that the library never finishes to build.
    const ours =
      payload.readUInt32BE(4) === payload.length - headerBytes &&
      payload.readUInt32BE(12) === layout.numberOfSignificantValueDigits &&
      payload.readBigUInt64BE(16) === BigInt(layout.lowestDiscernibleValue) &&
      payload.readBigUInt64BE(24) === BigInt(layout.highestTrackableValue);
    if (!ours) throw new Error('its header is not ours');
    // Encoded anew, so that the library reads the same bytes.
    return decodeFromCompressedBase64(outer.toString('base64'), layout.bitBucketSize);
  } catch (error) {
    throw new Error(`not a histogram of ours (${(error as Error).message})`);
  }
}

/** What one thread recorded. */
export const latencyOf = (raw: RawHistogram): Latency => latencyOfHistogram(hdrHistogram(raw));

/** What several threads, processes or machines recorded, as if one had. */
export function mergeLatencies(latencies: readonly Latency[]): Latency {
  const merged = emptyHistogram();
  for (const { histogram } of latencies) merged.add(decodeHistogram(histogram));
  return latencyOfHistogram(merged);
}

/** The library's own view of its cells, which its types do not show. */
interface Cells {
  readonly countsArrayLength: number;
  getCountAtIndex(index: number): number;
  valueFromIndex(index: number): number;
  medianEquivalentValue(value: number): number;
}

/** Mean and standard deviation as the library defines them: its iterators take milliseconds where this takes none. */
function moments(histogram: Histogram): { mean: number; stddev: number } {
  const cells = histogram as unknown as Cells;
  const total = histogram.totalCount;
  const rows: { value: number; count: number }[] = [];
  for (let index = 0; index < cells.countsArrayLength; index++) {
    const count = cells.getCountAtIndex(index);
    if (count > 0) rows.push({ value: cells.medianEquivalentValue(cells.valueFromIndex(index)), count });
  }
  let sum = 0;
  for (const { value, count } of rows) sum += value * count;
  const mean = sum / total;
  let squares = 0;
  for (const { value, count } of rows) squares += (value - mean) * (value - mean) * count;
  return { mean, stddev: Math.sqrt(squares / total) };
}

/** Every figure is what the library makes of the payload, so that anybody can compute it again. */
export function latencyOfHistogram(histogram: Histogram): Latency {
  const empty = histogram.totalCount === 0;
  const { mean, stddev } = empty ? { mean: 0, stddev: 0 } : moments(histogram);
  const percentile = (percent: number) => (empty ? 0 : histogram.getValueAtPercentile(percent));
  return {
    count: histogram.totalCount,
    min: empty ? 0 : percentile(0),
    mean,
    stddev,
    p50: percentile(50),
    p90: percentile(90),
    p95: percentile(95),
    p99: percentile(99),
    p999: percentile(99.9),
    p9999: percentile(99.99),
    max: percentile(100),
    histogram: encodeIntoCompressedBase64(histogram),
  };
}

export interface LoggedHistogram {
  /** tells intervals of one log apart; no commas or blanks */
  tag: string;
  startMs: number;
  endMs: number;
  /** V2 payload, compressed, base64 */
  histogram: string;
}

/** A whole .hlog file (HdrHistogram log format 1.3). The maxima in it are in milliseconds, by that format's custom. */
export function histogramLog(intervals: LoggedHistogram[]): string {
  let text = '';
  const writer = new HistogramLogWriter((part) => {
    text += part;
  });
  writer.outputLogFormatVersion();
  writer.outputComment('[Values are nanoseconds]');
  writer.outputLegend();
  for (const { tag, startMs, endMs, histogram } of intervals) {
    const decoded = decodeHistogram(histogram);
    decoded.tag = tag;
    writer.outputIntervalHistogram(decoded, startMs / 1000, endMs / 1000, 1e6);
  }
  return text;
}
