/** The knee of a rate ramp: replies follow the offered load up to a corner and bend there. Continuous two-piece fit. */
import { leastSquares, type Observation } from './least-squares.js';
import type { Range } from './scaling.js';
import { studentQuantile } from './student.js';

export interface Slope extends Range {
  estimate: number;
}

export interface Knee {
  /** offered rate at the corner */
  at: number;
  before: Slope;
  past: Slope;
  rSquared: number;
  observations: number;
}

/**
 * Fits y = a + b x + d max(0, x - c) over every corner c that leaves two distinct x on either side. Slopes carry
 * 95 % Student intervals from the residuals, given the corner. Null when the ramp has fewer than five rates.
 */
export function knee(points: readonly { x: number; y: number }[], confidence = 0.95): Knee | null {
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  if (xs.length < 5) return null;
  const data: Observation[] = points.map(({ x, y }) => ({ x, y, weight: 1 }));
  const at = (corner: number) => leastSquares(data, [() => 1, (x) => x, (x) => Math.max(0, x - corner)]);
  let best: { corner: number; fit: NonNullable<ReturnType<typeof at>> } | null = null;
  const [first, last] = [xs[1]!, xs[xs.length - 2]!];
  const steps = 400;
  for (let i = 0; i <= steps; i++) {
    const corner = first + ((last - first) * i) / steps;
    const fit = at(corner);
    if (fit && (!best || fit.rss < best.fit.rss)) best = { corner, fit };
  }
  if (!best) return null;
  const { corner, fit } = best;
  // The corner is a fitted parameter too: one degree of freedom less than the linear fit believes.
  const df = fit.df - 1;
  if (df < 1 || !fit.covariance) return null;
  const t = studentQuantile((1 + confidence) / 2, df) * Math.sqrt(fit.df / df);
  const [, before, bend] = fit.coefficients as [number, number, number];
  const v = fit.covariance;
  const slope = (estimate: number, variance: number): Slope => {
    const half = t * Math.sqrt(Math.max(0, variance));
    return { estimate, low: estimate - half, high: estimate + half };
  };
  const average = data.reduce((sum, { y }) => sum + y, 0) / data.length;
  const total = data.reduce((sum, { y }) => sum + (y - average) ** 2, 0);
  return {
    at: corner,
    before: slope(before, v[1]![1]!),
    past: slope(before + bend, v[1]![1]! + v[2]![2]! + 2 * v[1]![2]!),
    rSquared: total === 0 ? 0 : 1 - fit.rss / total,
    observations: data.length,
  };
}
