/**
 * Percentiles with order-statistic intervals, straight from a histogram's counts: no distribution is assumed, and a
 * percentile that too few values back is refused instead of printed.
 */
import { gammaln } from 'simple-statistics';

/** P(X <= k) for X ~ Binomial(n, p), summed from its mode side in logarithms. */
function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  const term = (i: number) =>
    Math.exp(
      gammaln(n + 1) - gammaln(i + 1) - gammaln(n - i + 1) + i * Math.log(p) + (n - i) * Math.log1p(-p),
    );
  const odds = p / (1 - p);
  // The smaller tail, from k outwards, until terms no longer matter.
  if (k <= n * p) {
    let sum = 0;
    let t = term(k);
    for (let i = k; i >= 0 && t > sum * 1e-17; i--) {
      sum += t;
      t *= i / ((n - i + 1) * odds);
    }
    return sum;
  }
  let sum = 0;
  let t = term(k + 1);
  for (let i = k + 1; i <= n && t > sum * 1e-17; i++) {
    sum += t;
    t *= ((n - i) * odds) / (i + 1);
  }
  return 1 - sum;
}

/**
 * Ranks (1-based) of the order statistics that enclose the p-quantile of n values with at least `confidence`;
 * null when no pair of them does, that is when n is too small for this percentile.
 */
export function quantileRanks(n: number, p: number, confidence = 0.95): { low: number; high: number } | null {
  const tail = (1 - confidence) / 2;
  // Smallest k with P(X <= k) >= level, by bisection.
  const smallest = (level: number) => {
    let [low, high] = [0, n];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (binomialCdf(middle, n, p) >= level) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  // Rank r lies below the quantile with probability 1 - P(X <= r - 1), X the number of values below it.
  const low = smallest(tail);
  const lowRank = binomialCdf(low, n, p) <= tail ? low + 1 : low;
  const highRank = smallest(1 - tail) + 1;
  return lowRank >= 1 && highRank <= n ? { low: lowRank, high: highRank } : null;
}

/** A histogram as ascending values with their counts. */
export interface Counts {
  values: readonly number[];
  counts: readonly number[];
  total: number;
}

/** Value of the given rank (1-based). */
function atRank({ values, counts }: Counts, rank: number): number {
  let seen = 0;
  for (let i = 0; i < values.length; i++) {
    seen += counts[i]!;
    if (seen >= rank) return values[i]!;
  }
  return values[values.length - 1]!;
}

export interface Percentile {
  p: number;
  value: number;
  low: number;
  high: number;
}

/** The p-quantile with its interval; null says "too few samples". */
export function percentile(counts: Counts, p: number, confidence = 0.95): Percentile | null {
  const ranks = quantileRanks(counts.total, p, confidence);
  if (!ranks) return null;
  return {
    p,
    value: atRank(counts, Math.max(1, Math.ceil(p * counts.total))),
    low: atRank(counts, ranks.low),
    high: atRank(counts, ranks.high),
  };
}
