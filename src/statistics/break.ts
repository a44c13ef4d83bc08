/**
 * Does a figure bend along a count, and where? Straight lines that meet in a corner against one straight line.
 *
 * The corner's interval is the set of corners that fit no significantly worse than the best one (F test on the residual
 * sums, Seber and Wild 1989, section 5.4): a percentile interval of fitted corners is far too narrow, because few levels
 * let the best corner stick to one of them.
 */
import { leastSquares, type Observation } from './least-squares.js';
import type { Level } from './scaling.js';
import { studentQuantile } from './student.js';

export interface Break {
  /** corner of the best fit, and the corners that the data allow at 95 % */
  at: number;
  low: number;
  high: number;
  /** two lines fit better than one, at 1 %: the corner was searched for, which 5 % would not pay for */
  shown: boolean;
  /** slope past the corner less that before it, figure per count */
  bend: number;
  /** smallest loss at the largest count, as a share of the figure at 0, that would be shown in 9 of 10 runs like this one */
  detectable: number;
}

const steps = 80;
const searched = 0.01;

/** Upper point of F with 2 and `df` degrees of freedom. */
const fisher2 = (tail: number, df: number) => (df / 2) * (tail ** (-2 / df) - 1);

/**
 * @param levels every trial of every count
 * @param start where a loss begins for which `detectable` is told
 * @returns null with fewer than six counts or without spare trials
 */
export function breakOf(levels: readonly Level[], start: number): Break | null {
  const xs = levels.map(({ x }) => x);
  const data: Observation[] = levels.flatMap(({ x, values }) => {
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    // The noise of a trial is proportional to its figure.
    return values.map((y) => ({ x, y, weight: 1 / average ** 2 }));
  });
  const df = data.length - 4;
  if (xs.length < 6 || df < 2) return null;
  const line = leastSquares(data, [() => 1, (x) => x]);
  const bent = (corner: number) => leastSquares(data, [() => 1, (x) => x, (x) => Math.max(0, x - corner)]);
  const [first, last] = [xs[1]!, xs[xs.length - 2]!];
  const fits = Array.from({ length: steps + 1 }, (_, i) => first + ((last - first) * i) / steps).flatMap(
    (corner) => {
      const fit = bent(corner);
      return fit ? [{ corner, fit }] : [];
    },
  );
  const best = fits.reduce<(typeof fits)[number] | null>(
    (least, one) => (!least || one.fit.rss < least.fit.rss ? one : least),
    null,
  );
  const reference = bent(start);
  if (!line || !best || !reference?.covariance) return null;
  const { rss, coefficients } = best.fit;
  const allowed = fits
    .filter(({ fit }) => fit.rss <= rss * (1 + studentQuantile(0.975, df) ** 2 / df))
    .map(({ corner }) => corner);
  const critical = fisher2(searched, df);
  const needed =
    (Math.sqrt(2 * critical) + studentQuantile(0.9, df)) * Math.sqrt(reference.covariance[2]![2]!);
  return {
    at: best.corner,
    low: Math.min(...allowed),
    high: Math.max(...allowed),
    shown: (line.rss - rss) / 2 > (critical * rss) / df,
    bend: coefficients[2]!,
    detectable: (needed * (xs[xs.length - 1]! - start)) / Math.abs(line.coefficients[0]!),
  };
}
