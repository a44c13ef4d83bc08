/**
 * Scaling models: how a cost grows with a count (idle connections, ports), always with an intercept, because a request
 * costs something even when nothing idles. Candidates are constant, linear, n log n, power and linear with a
 * break-point (select past its first 1024 descriptors); AICc chooses, and a simpler model within 2 of the best wins.
 *
 * Trials are the observations. The noise of a trial is proportional to its figure, so each is weighted by
 * 1 / (mean at its x)^2; without that the largest counts would decide everything.
 */
import { mean, quantileSorted } from 'simple-statistics';
import { leastSquares, lineRss, type Observation } from './least-squares.js';
import { type Random, randomFrom, resample } from './random.js';
import { normalQuantile, studentQuantile } from './student.js';

export type ScalingKind = 'constant' | 'linear' | 'n log n' | 'power' | 'break-point';

/** All trials at one count. */
export interface Level {
  x: number;
  values: readonly number[];
}

export interface Range {
  low: number;
  high: number;
}

/** A 95 % interval with the 90 % one, which decides equivalence. */
export interface Ends extends Range {
  low90: number;
  high90: number;
}

export interface ScalingFit {
  kind: ScalingKind;
  /** y at x = 0 */
  intercept: number;
  /** factor of x, x log2 x or x^exponent; before the break-point for that model; 0 for constant */
  slope: number;
  /** power: free; linear: 1; constant: 0 */
  exponent: number | null;
  /** break-point model: where, and the slope past it */
  breakAt: number | null;
  slopePast: number | null;
  aicc: number;
  /** 1 - weighted RSS / weighted RSS of the constant model */
  rSquared: number;
  rss: number;
}

export interface ScalingModel {
  best: ScalingFit;
  /** every candidate that could be fitted, best AICc first */
  candidates: ScalingFit[];
  /** 95 % bootstrap intervals over trials, levels kept; null with a single trial a level */
  intervals: {
    intercept: Range | null;
    /** exponent of the power fit; null when the cost does not grow */
    exponent: Range | null;
    breakAt: Range | null;
  };
  trials: number;
  levels: number;
}

/** Akaike's criterion corrected for few observations; the variance counts as a parameter. */
function aicc(rss: number, observations: number, coefficients: number): number {
  const k = coefficients + 1;
  const spare = observations - k - 1;
  if (spare <= 0) return Number.POSITIVE_INFINITY;
  return observations * Math.log(Math.max(rss, 1e-300) / observations) + 2 * k + (2 * k * (k + 1)) / spare;
}

/** Levels reduced to what a fit needs: a mean per level, and the scatter within levels that no model can explain. */
interface Reduced {
  means: Observation[];
  within: number;
  trials: number;
}

function reduce(levels: readonly Level[], weights: readonly number[]): Reduced {
  let within = 0;
  let trials = 0;
  const means = levels.map(({ x, values }, i) => {
    const y = mean(values as number[]);
    within += values.reduce((sum, value) => sum + weights[i]! * (value - y) ** 2, 0);
    trials += values.length;
    return { x, y, weight: weights[i]! * values.length };
  });
  return { means, within, trials };
}

const one = () => 1;
const nLogN = (x: number) => x * Math.log2(Math.max(x, 1));

/** Value of x in [low, high] with the smallest cost: a coarse scan, then golden section around its best. */
function minimise(low: number, high: number, cost: (x: number) => number): number {
  const steps = 24;
  const at = (i: number) => low + ((high - low) * i) / steps;
  const scan = Array.from({ length: steps + 1 }, (_, i) => cost(at(i)));
  const best = scan.indexOf(Math.min(...scan));
  let [left, right] = [at(Math.max(0, best - 1)), at(Math.min(steps, best + 1))];
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [right - ratio * (right - left), left + ratio * (right - left)];
  let [costA, costB] = [cost(a), cost(b)];
  for (let i = 0; i < 20; i++) {
    if (costA <= costB) {
      [right, b, costB] = [b, a, costA];
      a = right - ratio * (right - left);
      costA = cost(a);
    } else {
      [left, a, costA] = [a, b, costB];
      b = left + ratio * (right - left);
      costB = cost(b);
    }
  }
  return (left + right) / 2;
}

function fitKind(kind: ScalingKind, { means, within, trials }: Reduced): ScalingFit | null {
  const xs = means.map(({ x }) => x);
  let basis: ((x: number) => number)[];
  let parameters: number;
  let exponent: number | null = null;
  let breakAt: number | null = null;
  switch (kind) {
    case 'constant':
      [basis, parameters, exponent] = [[one], 1, 0];
      break;
    case 'linear':
      [basis, parameters, exponent] = [[one, (x) => x], 2, 1];
      break;
    case 'n log n':
      [basis, parameters] = [[one, nLogN], 2];
      break;
    case 'power': {
      // Three unknowns of shape need at least four levels, or the curve only joins the dots.
      if (xs.length < 4) return null;
      const power = minimise(0.1, 3, (c) => lineRss(means, (x) => x ** c));
      [basis, parameters, exponent] = [[one, (x) => x ** power], 3, power];
      break;
    }
    case 'break-point': {
      // A corner needs two levels on either side besides itself.
      if (xs.length < 6) return null;
      const terms = (c: number) => [one, (x: number) => x, (x: number) => Math.max(0, x - c)];
      const corner = minimise(
        xs[1]!,
        xs[xs.length - 2]!,
        (c) => leastSquares(means, terms(c))?.rss ?? Infinity,
      );
      [basis, parameters, breakAt] = [terms(corner), 4, corner];
      break;
    }
  }
  const fit = leastSquares(means, basis);
  if (!fit) return null;
  const rss = fit.rss + within;
  const flat = (leastSquares(means, [one])?.rss ?? 0) + within;
  const [intercept, slope = 0, bend = 0] = fit.coefficients;
  return {
    kind,
    intercept: intercept!,
    slope,
    exponent,
    breakAt,
    slopePast: breakAt === null ? null : slope + bend,
    aicc: aicc(rss, trials, parameters),
    rSquared: flat === 0 ? 0 : 1 - rss / flat,
    rss,
  };
}

/** What the fitted model says at x. */
export function predict(fit: ScalingFit, x: number): number {
  switch (fit.kind) {
    case 'constant':
      return fit.intercept;
    case 'linear':
      return fit.intercept + fit.slope * x;
    case 'n log n':
      return fit.intercept + fit.slope * nLogN(x);
    case 'power':
      return fit.intercept + fit.slope * x ** fit.exponent!;
    case 'break-point': {
      const past = Math.max(0, x - fit.breakAt!);
      return fit.intercept + fit.slope * (x - past) + fit.slopePast! * past;
    }
  }
}

/** From the simplest to the most complex: the order of preference when AICc cannot tell. */
const kinds: ScalingKind[] = ['constant', 'linear', 'n log n', 'power', 'break-point'];

/**
 * 95 % percentile interval of bootstrap replicates, with the scatter pooled over the levels, widened around the estimate
 * by the two factors for few trials of T. Hesterberg, "What Teachers Should Know About the Bootstrap" (2015), section 4.3. Null when no level has a second trial, or nothing was estimated.
 */
function range(
  replicates: readonly (number | null | undefined)[],
  estimate: number | null | undefined,
  levels: readonly Level[],
): Ends | null {
  const trials = levels.reduce((sum, { values }) => sum + values.length, 0);
  const spare = trials - levels.length;
  const found = replicates.filter((value) => value !== null && value !== undefined).sort((x, y) => x - y);
  if (spare <= 0 || found.length === 0 || estimate === null || estimate === undefined) return null;
  const end = (p: number) => {
    const factor = (Math.sqrt(trials / spare) * studentQuantile(p, spare)) / normalQuantile(p);
    return estimate + factor * (quantileSorted(found, p) - estimate);
  };
  return { low: end(0.025), high: end(0.975), low90: end(0.05), high90: end(0.95) };
}

/** Weights and fits of one set of levels; `again` fits resampled trials with the same weights. */
function fitter(levels: readonly Level[]) {
  const weights = levels.map(({ values }) => 1 / Math.max(mean(values as number[]) ** 2, 1e-300));
  return (source: readonly Level[]) => {
    const reduced = reduce(source, weights);
    return (kind: ScalingKind) => fitKind(kind, reduced);
  };
}

const redraw = (levels: readonly Level[], random: Random) =>
  levels.map(({ x, values }) => ({ x, values: resample(values, random) }));

export interface StraightLine {
  fit: ScalingFit;
  /** 95 % bootstrap interval over trials, levels kept */
  slope: Ends | null;
}

/** "Does it grow at all": a straight line through two levels or more; null with one. */
export function straightLine(levels: readonly Level[], options: ScalingOptions = {}): StraightLine | null {
  const { resamples = 400, random = randomFrom(2) } = options;
  const fitAll = fitter(levels);
  const fit = fitAll(levels)('linear');
  if (!fit) return null;
  const slopes = Array.from({ length: resamples }, () => fitAll(redraw(levels, random))('linear')!.slope);
  return { fit, slope: range(slopes, fit.slope, levels) };
}

export interface ScalingOptions {
  resamples?: number;
  random?: Random;
}

/** Chooses and fits a scaling model; null with fewer than three levels (two points fit any line). */
export function scalingModel(all: readonly Level[], options: ScalingOptions = {}): ScalingModel | null {
  const { resamples = 200, random = randomFrom(2) } = options;
  const levels = all.filter(({ values }) => values.length > 0).sort((a, b) => a.x - b.x);
  if (levels.length < 3) return null;
  const fitAll = fitter(levels);
  const fit = fitAll(levels);
  const candidates = kinds
    .map(fit)
    .filter((model) => model !== null)
    .filter((model) => Number.isFinite(model.aicc));
  if (candidates.length === 0) return null;
  const lowest = Math.min(...candidates.map((model) => model.aicc));
  const best = candidates.find((model) => model.aicc <= lowest + 2)!;

  const replicates = Array.from({ length: resamples }, () => {
    const again = fitAll(redraw(levels, random));
    return {
      best: again(best.kind),
      power: best.kind === 'constant' ? null : again('power'),
    };
  });
  return {
    best,
    candidates: candidates.sort((a, b) => a.aicc - b.aicc),
    intervals: {
      intercept: range(
        replicates.map((again) => again.best?.intercept),
        best.intercept,
        levels,
      ),
      exponent:
        best.kind === 'constant'
          ? null
          : range(
              replicates.map((again) => again.power?.exponent),
              fit('power')?.exponent,
              levels,
            ),
      breakAt: range(
        replicates.map((again) => again.best?.breakAt),
        best.breakAt,
        levels,
      ),
    },
    trials: levels.reduce((sum, { values }) => sum + values.length, 0),
    levels: levels.length,
  };
}
