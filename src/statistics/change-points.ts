/** Change-points of a series' mean, and what follows from them: when a warm-up is over. */
import { medianAbsoluteDeviation, quantile } from 'simple-statistics';

/** Noise of one value from the differences of neighbours, which a step disturbs only once (Rousseeuw and Croux 1993). */
export function noise(values: readonly number[]): number {
  const differences = values.slice(1).map((value, i) => value - values[i]!);
  return (1.4826 * medianAbsoluteDeviation(differences)) / Math.SQRT2;
}

/**
 * PELT (Killick, Fearnhead, Eckley 2012) with the squared-error cost. `penalty` is in units of that cost per change;
 * by default 3 ln(n) times the series' own noise variance (the modified BIC for a change in mean).
 * Returns the first index of each new segment, ascending.
 */
export function changePoints(
  values: readonly number[],
  options: { penalty?: number; minSegment?: number } = {},
): number[] {
  const n = values.length;
  const minSegment = options.minSegment ?? 2;
  if (n < 2 * minSegment) return [];
  const variance = noise(values) ** 2;
  const penalty = options.penalty ?? Math.max(3 * Math.log(n) * variance, 1e-12);
  const sum = new Float64Array(n + 1);
  const squares = new Float64Array(n + 1);
  const origin = quantile(values as number[], 0.5);
  values.forEach((value, i) => {
    sum[i + 1] = sum[i]! + (value - origin);
    squares[i + 1] = squares[i]! + (value - origin) ** 2;
  });
  const cost = (from: number, to: number) =>
    squares[to]! - squares[from]! - (sum[to]! - sum[from]!) ** 2 / (to - from);

  const best = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  const previous = new Int32Array(n + 1);
  best[0] = -penalty;
  let starts = [0];
  for (let end = minSegment; end <= n; end++) {
    for (const start of starts) {
      const total = best[start]! + cost(start, end) + penalty;
      if (total < best[end]!) {
        best[end] = total;
        previous[end] = start;
      }
    }
    starts = starts.filter((start) => best[start]! + cost(start, end) <= best[end]!);
    const opened = end - minSegment + 1;
    if (opened >= minSegment) starts.push(opened);
  }
  const changes: number[] = [];
  for (let end = previous[n]!; end > 0; end = previous[end]!) changes.unshift(end);
  return changes;
}

/**
 * First index from which a series of rates is steady, that is the start of its last segment; null while that segment
 * is shorter than `settled` values, because a rate that changed a moment ago may change again.
 */
export function steadyFrom(rates: readonly number[], settled = 5): number | null {
  if (rates.length < settled) return null;
  const changes = changePoints(rates);
  const start = changes[changes.length - 1] ?? 0;
  return rates.length - start >= settled ? start : null;
}
