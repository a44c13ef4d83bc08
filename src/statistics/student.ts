/**
 * Quantiles of Student's t and of the normal distribution. simple-statistics has no t, and its normal ones come from a
 * table of four digits; its error function is good to 1e-7.
 */
import { errorFunction, gammaln } from 'simple-statistics';

/** P(Z <= z). */
export function normalCdf(z: number): number {
  return (1 + errorFunction(z / Math.SQRT2)) / 2;
}

/** Regularised incomplete beta function by its continued fraction (Numerical Recipes 6.4, modified Lentz). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(gammaln(a + b) - gammaln(a) - gammaln(b) + a * Math.log(x) + b * Math.log1p(-x));
  const guard = (value: number) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m <= 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    const step = d * c;
    h *= step;
    if (Math.abs(step - 1) < 1e-14) break;
  }
  return (front * h) / a;
}

/** P(T <= t) for `df` degrees of freedom (any positive real). */
export function studentCdf(t: number, df: number): number {
  const tail = incompleteBeta(df / (df + t * t), df / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** The point at which an increasing `cdf`, symmetric around 0, reaches p: by bisection. */
function inverse(cdf: (t: number) => number, p: number): number {
  if (p === 0.5) return 0;
  if (p < 0.5) return -inverse(cdf, 1 - p);
  let low = 0;
  let high = 1;
  while (cdf(high) < p) high *= 2;
  while (high - low > 1e-13 * high) {
    const middle = (low + high) / 2;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Few different ones are asked for, thousands of times. */
const known = new Map<string, number>();
function remembered(name: string, find: () => number): number {
  let value = known.get(name);
  if (value === undefined) {
    value = find();
    known.set(name, value);
  }
  return value;
}

/** The t with P(T <= t) = p. */
export const studentQuantile = (p: number, df: number) =>
  remembered(`t ${p} ${df}`, () => inverse((t) => studentCdf(t, df), p));

/** The z with P(Z <= z) = p. */
export const normalQuantile = (p: number) => remembered(`z ${p}`, () => inverse(normalCdf, p));
