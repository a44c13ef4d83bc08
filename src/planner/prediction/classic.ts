/**
 * Predictors of a link's next bandwidth that need no training of their own: each a few numbers of state. Parameters are those
 * of the named source, or usual ones; none was fitted to the series that they are judged on.
 */
import type { Method, Predictor } from './predictor.js';

const lastValue: Method = {
  id: 'last',
  name: 'last value',
  make() {
    let last: number | null = null;
    return {
      predict: () => last,
      observe(value) {
        last = value;
      },
    };
  },
};

/** Exponentially weighted moving average. */
const ewma = (weight: number): Predictor => {
  let mean: number | null = null;
  return {
    predict: () => mean,
    observe(value) {
      mean = mean === null ? value : mean + weight * (value - mean);
    },
  };
};

/** Values that the harmonic mean is of, and relative errors that it is discounted by. */
const window = 5;

/**
 * Harmonic mean of the last five, divided by 1 + the largest relative error of its last five predictions: RobustMPC (Yin,
 * Jindal, Sekar, Sinopoli, SIGCOMM 2015). It errs to the low side on purpose, for a player whose stalls cost most.
 * @param discounted without: the harmonic mean alone
 */
function harmonic(discounted: boolean): Predictor {
  const values: number[] = [];
  const errors: number[] = [];
  const mean = () => values.length / values.reduce((sum, value) => sum + 1 / value, 0);
  return {
    predict() {
      if (values.length === 0) return null;
      return discounted ? mean() / (1 + Math.max(0, ...errors)) : mean();
    },
    observe(value) {
      if (values.length > 0) errors.push(Math.abs(mean() - value) / value);
      values.push(value);
      if (values.length > window) values.shift();
      if (errors.length > window) errors.shift();
    },
  };
}

/** Holt's linear trend (1957): a level and a slope, both smoothed. */
function holt(level: number, slope: number): Predictor {
  let at: number | null = null;
  let rise = 0;
  return {
    predict: () => (at === null ? null : at + rise),
    observe(value) {
      if (at === null) {
        at = value;
        return;
      }
      const before = at;
      at = level * value + (1 - level) * (at + rise);
      rise = slope * (at - before) + (1 - slope) * rise;
    },
  };
}

/**
 * Kalman filter of a random walk that is seen with noise (the local level). Both variances are learnt from the residuals: the
 * variance of a step's difference is q + 2 r, its covariance with the next one -r (Mehra 1970).
 */
function kalman(): Predictor {
  let state: number | null = null;
  let variance = 0;
  let before = 0;
  let step: number | null = null;
  /** forgetting means of squared differences, and of products of neighbouring ones */
  let square = 0;
  let product = 0;
  let weight = 0;
  const forget = 0.97;
  return {
    predict: () => state,
    observe(value) {
      if (state === null) {
        state = before = value;
        return;
      }
      const difference = value - before;
      square = forget * square + difference ** 2;
      product = forget * product + (step === null ? 0 : difference * step);
      weight = forget * weight + 1;
      before = value;
      step = difference;
      const total = square / weight;
      const noise = Math.min(Math.max(-product / weight, 0.01 * total), 0.5 * total);
      const drift = Math.max(total - 2 * noise, 1e-3 * total);
      variance += drift;
      const gain = variance + noise === 0 ? 0 : variance / (variance + noise);
      state += gain * (value - state);
      variance *= 1 - gain;
    },
  };
}

/**
 * An autoregression whose coefficients are tracked by recursive least squares with forgetting (Haykin, Adaptive Filter Theory,
 * chapter 10), on values in units of their running mean, with a constant.
 */
function autoregression(order: number, forget: number): Predictor {
  const size = order + 1;
  const coefficients = new Float64Array(size);
  // As the last value until something else is known.
  coefficients[1] = 1;
  const inverse = new Float64Array(size * size);
  for (let at = 0; at < size; at++) inverse[at * size + at] = 10;
  const past: number[] = [];
  let scale = 0;
  let seen = 0;
  const inputs = () => [1, ...past.map((value) => value / scale)];
  const dot = (row: readonly number[]) => row.reduce((sum, value, at) => sum + value * coefficients[at]!, 0);
  return {
    predict() {
      if (past.length < order) return past[0] ?? null;
      const expected = dot(inputs()) * scale;
      // A model that is still unsure of itself may leave the range of all that there can be.
      return Number.isFinite(expected) && expected > 0 ? expected : past[0]!;
    },
    observe(value) {
      // The unit stays once there is one: another one would change what the coefficients mean.
      if (seen < order) scale += (value - scale) / (seen + 1);
      seen += 1;
      if (past.length === order) learn(inputs(), value / scale);
      past.unshift(value);
      if (past.length > order) past.pop();
    },
  };

  function learn(row: readonly number[], wanted: number): void {
    const gain = new Float64Array(size);
    let spread = forget;
    for (let at = 0; at < size; at++) {
      for (let other = 0; other < size; other++) gain[at]! += inverse[at * size + other]! * row[other]!;
      spread += row[at]! * gain[at]!;
    }
    const error = wanted - dot(row);
    for (let at = 0; at < size; at++) coefficients[at]! += (gain[at]! / spread) * error;
    for (let at = 0; at < size; at++)
      for (let other = 0; other < size; other++) {
        const index = at * size + other;
        // Bounded: a series that stands still would let it grow without end.
        inverse[index] = Math.max(
          -1e6,
          Math.min(1e6, (inverse[index]! - (gain[at]! * gain[other]!) / spread) / forget),
        );
      }
  }
}

export const classicMethods: readonly Method[] = [
  lastValue,
  { id: 'ewma', name: 'EWMA, weight 0.3', make: () => ewma(0.3) },
  { id: 'harmonic', name: 'harmonic mean of 5', make: () => harmonic(false) },
  { id: 'robust-harmonic', name: 'the same, less its largest error', make: () => harmonic(true) },
  { id: 'holt', name: 'Holt, 0.5 and 0.1', make: () => holt(0.5, 0.1) },
  { id: 'kalman', name: 'Kalman, local level', make: kalman },
  { id: 'ar-rls', name: 'AR(3) by RLS', make: () => autoregression(3, 0.99) },
];
