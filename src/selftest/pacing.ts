/** Do gaps follow the schedule they should? Pure functions. */

/**
 * Anderson-Darling statistic against an exponential distribution with the sample's own mean, with the correction for
 * that (Stephens 1974; D'Agostino and Stephens, Goodness-of-Fit Techniques, table 4.14, case of unknown scale).
 */
export function andersonDarlingExponential(gaps: readonly number[]): number {
  const n = gaps.length;
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / n;
  const ordered = [...gaps].sort((a, b) => a - b);
  let sum = 0;
  for (let i = 0; i < n; i += 1) {
    // Both tails are written so that neither 0 nor 1 is ever logged.
    const below = Math.log(-Math.expm1(-Math.max(ordered[i]!, 1e-12 * mean) / mean));
    const above = -ordered[n - 1 - i]! / mean;
    sum += (2 * i + 1) * (below + above);
  }
  return (-n - sum / n) * (1 + 0.6 / n);
}

/** Exceeded by one sample in a hundred that really is exponential. */
export const EXPONENTIAL_LIMIT = 1.959;

/** Share of gaps that are further than `tolerance` (a share) from the period. */
export function unevenShare(gaps: readonly number[], period: number, tolerance: number): number {
  return gaps.filter((gap) => Math.abs(gap - period) > tolerance * period).length / gaps.length;
}

export const gapsOf = (instants: readonly number[]): number[] =>
  instants.slice(1).map((at, index) => at - instants[index]!);
