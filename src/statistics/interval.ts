/**
 * Intervals over trials: Student's t on logarithms.
 *
 * Why this one: figures of trials are positive and their noise is proportional to them, so their logarithms are near
 * normal, and over 3 to 10 trials a bootstrap brings nothing over t (a resample never leaves the data; at n = 2 its
 * interval has 0.72 of t's width). Estimates are geometric means. Figures that may be 0 or below (losses, differences)
 * take t on themselves. Two trials have no interval: their one degree of freedom asks for 12.7 standard errors.
 *
 * A block is a stretch of time in which every cell was measured once. Machines change their state from stretch to
 * stretch, so blocks are random effects: two cells are compared by the ratios within blocks, where the block's effect
 * cancels, and t is taken over those. That is the mixed model's answer for a randomised complete block design.
 */
import { mean, sampleVariance } from 'simple-statistics';
import { studentQuantile } from './student.js';

/** Trials that an interval needs at least. */
export const fewestTrials = 3;

/** An estimate with its 95 % interval, and the 90 % one; the ends are null when fewer than three trials exist. */
export interface Interval {
  estimate: number;
  low: number | null;
  high: number | null;
  /** 90 % interval: inside a band it passes two one-sided tests of equivalence at 5 % each (Schuirmann 1987) */
  low90: number | null;
  high90: number | null;
  /** trials behind it; of a ratio or difference pairs, or those of the smaller side */
  n: number;
}

/** A trial's figure with the block it was measured in. */
export interface Blocked {
  block: number;
  value: number;
}

/** An interval of enough trials. */
export type KnownInterval = Interval & { low: number; high: number; low90: number; high90: number };

const noEnds = { low: null, high: null, low90: null, high90: null };

/** Interval around `estimate` from its standard error, brought `back` from the scale it was computed on. */
export function studentInterval(
  estimate: number,
  error: number,
  df: number,
  n: number,
  back: (value: number) => number = Number,
): KnownInterval {
  // An error of 0 has no degrees of freedom by Welch's formula, and needs none.
  const half = (p: number) => (error === 0 ? 0 : studentQuantile(p, df) * error);
  return {
    estimate: back(estimate),
    low: back(estimate - half(0.975)),
    high: back(estimate + half(0.975)),
    low90: back(estimate - half(0.95)),
    high90: back(estimate + half(0.95)),
    n,
  };
}

/** t over `values`, brought `back` from the scale that they are on. */
function overValues(values: readonly number[], back: (value: number) => number): Interval {
  const n = values.length;
  const estimate = mean(values as number[]);
  if (n < fewestTrials) return { estimate: back(estimate), ...noEnds, n };
  return studentInterval(estimate, Math.sqrt(sampleVariance(values as number[]) / n), n - 1, n, back);
}

/** Welch's interval of the difference of two independent groups, brought `back`. */
function welch(a: readonly number[], b: readonly number[], back: (value: number) => number): Interval {
  const n = Math.min(a.length, b.length);
  const estimate = mean(a as number[]) - mean(b as number[]);
  if (n < fewestTrials) return { estimate: back(estimate), ...noEnds, n };
  const [ofA, ofB] = [a, b].map((values) => sampleVariance(values as number[]) / values.length) as [
    number,
    number,
  ];
  const df = (ofA + ofB) ** 2 / (ofA ** 2 / (a.length - 1) + ofB ** 2 / (b.length - 1));
  return studentInterval(estimate, Math.sqrt(ofA + ofB), df, n, back);
}

const positive = (values: readonly number[]) => values.every((value) => value > 0);
const logs = (values: readonly number[]) => values.map(Math.log);

function require(values: readonly unknown[], what: string): void {
  if (values.length === 0) throw new Error(`${what} needs at least one trial`);
}

/**
 * Interval of the mean over trials: geometric where all are positive.
 * @param scale `linear` for figures that are 0 in some cells and not in others, so that all are means of one kind
 */
export function meanInterval(values: readonly number[], scale: 'log' | 'linear' = 'log'): Interval {
  require(values, 'an interval');
  return scale === 'log' && positive(values)
    ? overValues(logs(values), Math.exp)
    : overValues(values, Number);
}

/** Interval of the ratio of geometric means of two independent groups of positive values. */
export function ratioInterval(numerator: readonly number[], denominator: readonly number[]): Interval {
  require(numerator, 'a ratio');
  require(denominator, 'a ratio');
  if (positive(numerator) && positive(denominator)) {
    return welch(logs(numerator), logs(denominator), Math.exp);
  }
  const n = Math.min(numerator.length, denominator.length);
  return { estimate: mean(numerator as number[]) / mean(denominator as number[]), ...noEnds, n };
}

/** Interval of mean(a) - mean(b) of two independent groups. */
export function differenceInterval(a: readonly number[], b: readonly number[]): Interval {
  require(a, 'a difference');
  require(b, 'a difference');
  return welch(a, b, Number);
}

/** Values of blocks that both sides have; several trials of one block are averaged. */
export function pairsOf(a: readonly Blocked[], b: readonly Blocked[]): [number, number][] {
  const byBlock = (trials: readonly Blocked[]) => {
    const blocks = new Map<number, number[]>();
    for (const { block, value } of trials) blocks.set(block, [...(blocks.get(block) ?? []), value]);
    return blocks;
  };
  const others = byBlock(b);
  return [...byBlock(a)].flatMap(([block, values]): [number, number][] => {
    const partners = others.get(block);
    return partners ? [[mean(values), mean(partners)]] : [];
  });
}

const valuesOf = (trials: readonly Blocked[]) => trials.map(({ value }) => value);

/** The ratio a / b by blocks; over the groups as independent ones where fewer than three blocks have both. */
export function blockedRatio(a: readonly Blocked[], b: readonly Blocked[]): Interval {
  const pairs = pairsOf(a, b);
  return pairs.length < fewestTrials || !positive(pairs.flat())
    ? ratioInterval(valuesOf(a), valuesOf(b))
    : overValues(
        pairs.map(([top, bottom]) => Math.log(top / bottom)),
        Math.exp,
      );
}

/** The difference a - b, likewise. */
export function blockedDifference(a: readonly Blocked[], b: readonly Blocked[]): Interval {
  const pairs = pairsOf(a, b);
  return pairs.length < fewestTrials
    ? differenceInterval(valuesOf(a), valuesOf(b))
    : overValues(
        pairs.map(([one, other]) => one - other),
        Number,
      );
}

/**
 * Beside the mean, where one trial decides it: the median of all averages of two (Hodges and Lehmann 1963), which a
 * quarter of the trials cannot move far. Null where it lies within a quarter of the interval's half-width of the mean.
 */
export function robustBeside(values: readonly number[]): number | null {
  if (values.length < 4 || !positive(values)) return null;
  const interval = meanInterval(values);
  const scale = logs(values);
  const averages = scale.flatMap((one, i) => scale.slice(i).map((other) => (one + other) / 2));
  averages.sort((x, y) => x - y);
  const middle = averages.length / 2;
  const robust = (averages[Math.ceil(middle) - 1]! + averages[Math.floor(middle)]!) / 2;
  const half = Math.log(interval.high! / interval.low!) / 2;
  return Math.abs(robust - Math.log(interval.estimate)) > half / 4 ? Math.exp(robust) : null;
}

/** Where an interval lies against a band. */
export type Position = 'inside' | 'below' | 'above' | 'unclear';

/**
 * Inside a band of two ends by the 90 % interval (two one-sided tests at 5 %), inside one of a single end and outside of
 * any by the 95 % interval.
 */
export function position(interval: Omit<Interval, 'n'>, low: number, high: number): Position {
  if (interval.low === null || interval.high === null) return 'unclear';
  if (interval.high < low) return 'below';
  if (interval.low > high) return 'above';
  const isBand = Number.isFinite(low) && Number.isFinite(high);
  const [from, to] = isBand
    ? [interval.low90 ?? interval.low, interval.high90 ?? interval.high]
    : [interval.low, interval.high];
  return from >= low && to <= high ? 'inside' : 'unclear';
}

/** Half width over estimate: 0.02 reads "plus or minus 2 %". Null when there is no interval. */
export function relativeHalfWidth(interval: Interval): number | null {
  if (interval.low === null || interval.high === null || interval.estimate === 0) return null;
  return (interval.high - interval.low) / 2 / Math.abs(interval.estimate);
}
