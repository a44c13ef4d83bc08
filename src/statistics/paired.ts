/**
 * Two things measured in pairs, judged by the logarithms of their ratios: what both halves of a pair have in common (the
 * state of the machine, above all) leaves no trace in them. A pair is the unit; nothing is assumed of the halves alone.
 */
import { mean as meanOf, sampleVariance } from 'simple-statistics';
import { fewestTrials, type KnownInterval, studentInterval } from './interval.js';
import { studentCdf, studentQuantile } from './student.js';

export interface Paired {
  pairs: number;
  /** mean of the logarithms */
  mean: number;
  /** their sample standard deviation; 0 for a single pair */
  deviation: number;
  /** of the mean; null: too few for one */
  interval: KnownInterval | null;
  /** two-sided, against no difference; 1 where there is no interval */
  p: number;
}

/** @param logs one logarithm of a ratio per pair. @throws Error when there is none */
export function paired(logs: readonly number[]): Paired {
  const n = logs.length;
  if (n === 0) throw new Error('a paired comparison needs at least one pair');
  const mean = meanOf(logs as number[]);
  const deviation = n > 1 ? Math.sqrt(sampleVariance(logs as number[])) : 0;
  if (n < fewestTrials) return { pairs: n, mean, deviation, interval: null, p: 1 };
  const error = deviation / Math.sqrt(n);
  const certain = mean === 0 ? 1 : 0;
  return {
    pairs: n,
    mean,
    deviation,
    interval: studentInterval(mean, error, n - 1, n),
    p: error > 0 ? 2 * studentCdf(-Math.abs(mean) / error, n - 1) : certain,
  };
}

/** More are not counted one by one: whoever would need a million has to measure otherwise. */
const most = 1_000_000;

/**
 * How many units decide about a margin either way in nine of ten cases: equality within it where there is no difference
 * (two one-sided tests at 5 %), a difference where there is one as large as the margin (two-sided test at 5 %). The least
 * n with (t(0.95) + t(0.95)) deviation sqrt(perUnit / n) <= log(1 + margin); Julious (2004), Statistics in Medicine 23, with
 * t for his normal quantiles.
 * @param deviation of one logarithm
 * @param margin share, above 0: 0.03 for 3 %
 * @param groups 1: of paired logarithms; 2: of either of two separate groups, whose variances add up
 */
export function unitsNeeded(deviation: number, margin: number, groups: 1 | 2 = 1): number {
  const wanted = Math.log1p(margin);
  const decides = (n: number) =>
    2 * studentQuantile(0.95, groups * (n - 1)) * deviation * Math.sqrt(groups / n) <= wanted;
  let [few, many] = [fewestTrials - 1, fewestTrials];
  while (!decides(many)) {
    if (many >= most) return most;
    [few, many] = [many, 2 * many];
  }
  while (many - few > 1) {
    const half = (few + many) >> 1;
    if (decides(half)) many = half;
    else few = half;
  }
  return many;
}
