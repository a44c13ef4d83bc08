/** Comparison of two groups of trials without assuming a distribution. */
import { medianSorted } from 'simple-statistics';
import { normalCdf, normalQuantile } from './student.js';

/** Doubled mid-ranks (whole numbers even with ties) of `values` among each other. */
export function doubledRanks(values: readonly number[]): number[] {
  const all = values.map((value, index) => ({ value, index })).sort((x, y) => x.value - y.value);
  const ranks = new Array<number>(all.length);
  for (let start = 0; start < all.length; ) {
    let end = start;
    while (end < all.length && all[end]!.value === all[start]!.value) end++;
    for (let i = start; i < end; i++) ranks[all[i]!.index] = start + end + 1;
    start = end;
  }
  return ranks;
}

/**
 * Exact distribution of the doubled rank sum of `size` values drawn from `ranks` without replacement, ties included:
 * element s is the probability of sum s. Dynamic programming over the ranks.
 */
function rankSumDistribution(ranks: readonly number[], size: number): Float64Array {
  const top = ranks.reduce((sum, rank) => sum + rank, 0);
  // ways[k][s]: share of ways to reach k chosen ranks with sum s; scaled as it goes, so that it never overflows
  const ways = Array.from({ length: size + 1 }, () => new Float64Array(top + 1));
  ways[0]![0] = 1;
  ranks.forEach((rank, seen) => {
    for (let k = Math.min(size, seen + 1); k >= 1; k--) {
      const from = ways[k - 1]!;
      const to = ways[k]!;
      for (let s = top; s >= rank; s--) to[s]! += from[s - rank]!;
    }
  });
  const last = ways[size]!;
  const total = last.reduce((sum, value) => sum + value, 0);
  return last.map((value) => value / total);
}

export interface MannWhitney {
  /** pairs in which a is larger, ties count a half */
  u: number;
  /** two-sided */
  p: number;
  method: 'exact' | 'normal';
}

/** Up to this many values the exact distribution costs a few milliseconds; beyond, the normal one is as good. */
const exactLimit = 60;

/**
 * The two-sided test of the doubled rank sum of `n` of the values that have these doubled ranks: made once for all ways
 * to choose the n. Exact (conditional on ties) for few values, else normal with tie and continuity correction.
 */
export function rankSumTest(
  ranks: readonly number[],
  n: number,
): { method: MannWhitney['method']; p(sum: number): number } {
  const total = ranks.length;
  const centre = n * (total + 1);
  if (total <= exactLimit) {
    const distribution = rankSumDistribution(ranks, n);
    return {
      method: 'exact',
      p(sum) {
        const distance = Math.abs(sum - centre);
        let p = 0;
        distribution.forEach((share, s) => {
          if (Math.abs(s - centre) >= distance) p += share;
        });
        return Math.min(1, p);
      },
    };
  }
  const sizes = new Map<number, number>();
  for (const rank of ranks) sizes.set(rank, (sizes.get(rank) ?? 0) + 1);
  const ties = [...sizes.values()].reduce((sum, t) => sum + t ** 3 - t, 0);
  const deviation = Math.sqrt(((n * (total - n)) / 12) * (total + 1 - ties / (total * (total - 1))));
  return {
    method: 'normal',
    p(sum) {
      if (deviation === 0) return 1;
      const z = Math.max(0, Math.abs(sum - centre) / 2 - 0.5) / deviation;
      return Math.min(1, 2 * (1 - normalCdf(z)));
    },
  };
}

/** Two-sided Mann-Whitney test. */
export function mannWhitney(a: readonly number[], b: readonly number[]): MannWhitney {
  const n = a.length;
  if (n === 0 || b.length === 0) throw new Error('a comparison needs at least one trial on either side');
  const ranks = doubledRanks([...a, ...b]);
  const sum = ranks.slice(0, n).reduce((total, rank) => total + rank, 0);
  const { method, p } = rankSumTest(ranks, n);
  return { u: (sum - n * (n + 1)) / 2, p: p(sum), method };
}

export interface Shift {
  /** Hodges-Lehmann: the median of all differences a - b */
  estimate: number;
  low: number;
  high: number;
  /** confidence really reached: with few trials less than asked, said rather than hidden */
  confidence: number;
}

/**
 * Hodges-Lehmann shift of a against b with the interval that inverts the Mann-Whitney test (Hollander and Wolfe,
 * Nonparametric Statistical Methods, 4.3). When even the widest interval falls short of `confidence`, its real one is given.
 */
export function hodgesLehmann(a: readonly number[], b: readonly number[], confidence = 0.95): Shift {
  const differences = a.flatMap((x) => b.map((y) => x - y)).sort((x, y) => x - y);
  const [n, m] = [a.length, b.length];
  const estimate = medianSorted(differences);
  let trim = 0;
  let reached: number;
  if (n + m <= exactLimit) {
    const untied = rankSumDistribution(
      Array.from({ length: n + m }, (_, i) => 2 * (i + 1)),
      n,
    );
    const atMost = (u: number) => {
      let p = 0;
      for (let s = 0; s <= n * (n + 1) + 2 * u; s += 1) p += untied[s] ?? 0;
      return p;
    };
    while (2 * atMost(trim) <= 1 - confidence) trim++;
    // trim is the number of differences left out at either end
    reached = trim === 0 ? 1 - 2 * atMost(0) : 1 - 2 * atMost(trim - 1);
  } else {
    const spread = Math.sqrt((n * m * (n + m + 1)) / 12);
    trim = Math.max(0, Math.floor((n * m) / 2 - normalQuantile((1 + confidence) / 2) * spread));
    reached = confidence;
  }
  const first = Math.max(0, trim - 1);
  return {
    estimate,
    low: differences[first]!,
    high: differences[differences.length - 1 - first]!,
    confidence: Math.max(0, reached),
  };
}

/** Cliff's delta, -1..1: how often a is larger minus how often b is. */
export function cliffsDelta(a: readonly number[], b: readonly number[]): number {
  return (2 * mannWhitney(a, b).u) / (a.length * b.length) - 1;
}

/** Equal things are called different anywhere in a family in at most this share of cases. */
export const familyError = 0.05;

/** Holm's step-down adjustment of a family of p-values, in the order given. */
export function holm(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((i, j) => p[i]! - p[j]!);
  const adjusted = new Array<number>(p.length);
  let running = 0;
  order.forEach((index, step) => {
    running = Math.max(running, Math.min(1, (p.length - step) * p[index]!));
    adjusted[index] = running;
  });
  return adjusted;
}
