/** Thresholds: 'p99>5ms', 'loss>0.1%', 'requests<10000'. A run that meets one has failed. */
import { type DgramResult, type PercentileKey, percentileKeys } from '../contract/dgram.js';

export interface Threshold {
  text: string;
  metric: string;
  above: boolean;
  /** milliseconds, shares or counts, as the metric has it */
  limit: number;
}

type Kind = 'time' | 'share' | 'number';
const metrics: Record<string, { kind: Kind; of: (result: DgramResult) => number }> = {
  ...Object.fromEntries(
    percentileKeys.map((key: PercentileKey) => [
      key,
      { kind: 'time', of: (result: DgramResult) => result.latency[key] },
    ]),
  ),
  mean: { kind: 'time', of: (result) => result.latency.mean },
  max: { kind: 'time', of: (result) => result.latency.max },
  jitter: { kind: 'time', of: (result) => result.jitter },
  lag: { kind: 'time', of: (result) => result.schedule.lagP99 },
  loss: { kind: 'share', of: (result) => result.lossRate },
  lost: { kind: 'number', of: (result) => result.lost },
  late: { kind: 'number', of: (result) => result.late },
  reordered: { kind: 'number', of: (result) => result.reordered },
  duplicates: { kind: 'number', of: (result) => result.duplicates },
  errors: { kind: 'number', of: (result) => result.errors },
  mismatches: { kind: 'number', of: (result) => result.mismatches },
  requests: { kind: 'number', of: (result) => result.requests.average },
};

const units: Record<Kind, Record<string, number>> = {
  time: { ns: 1e-6, us: 1e-3, ms: 1, s: 1000 },
  share: { '%': 0.01, '': 1 },
  number: { '': 1 },
};

/** @throws Error in one sentence */
export function parseThreshold(text: string): Threshold {
  const [, metric, sign, number, unit] =
    text.match(/^\s*(\w+)\s*([<>])\s*(\d+(?:\.\d+)?)\s*([a-z%]*)\s*$/) ?? [];
  const known = metric === undefined ? undefined : metrics[metric];
  if (!known) {
    throw new Error(
      `'${text}' is not a threshold: write p99>5ms, loss>0.1% or requests<1000 (${Object.keys(metrics).join(', ')})`,
    );
  }
  const scale = units[known.kind][unit!];
  if (scale === undefined) {
    const wanted = Object.keys(units[known.kind]).filter((name) => name !== '');
    throw new Error(
      `'${text}': ${metric} ${wanted.length > 0 ? `needs a unit of ${wanted.join(', ')}` : 'takes no unit'}`,
    );
  }
  return { text, metric: metric!, above: sign === '>', limit: Number(number) * scale };
}

/** The thresholds that a result meets, each in one sentence. */
export function failures(result: DgramResult, thresholds: readonly Threshold[]): string[] {
  return thresholds.flatMap(({ text, metric, above, limit }) => {
    const value = metrics[metric]!.of(result);
    const met = above ? value > limit : value < limit;
    return met ? [`failed ${text}: ${metric} is ${Number(value.toPrecision(6))}`] : [];
  });
}
