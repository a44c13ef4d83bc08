/** How far predictions are off when each is made of what came before it, and nothing else. */
import type { Predictor } from './predictor.js';

/**
 * Mean absolute percentage error, over values that all predictors can be judged on.
 * @param from values before this one are shown and not judged
 * @returns share: 0.1 is 10 %
 * @throws RangeError when nothing is judged
 */
export function walkForward(predictor: Predictor, values: readonly number[], from: number): number {
  let sum = 0;
  let count = 0;
  for (const [at, value] of values.entries()) {
    const expected = at < from ? null : predictor.predict();
    if (expected !== null) {
      sum += Math.abs(expected - value) / value;
      count += 1;
    }
    predictor.observe(value);
  }
  if (count === 0) throw new RangeError(`no value of ${values.length} is judged from ${from} on`);
  return sum / count;
}

/** Multiples of what is expected that the floor is the best of: relative errors forgive what is too low more than what is too high. */
const multiples = Array.from({ length: 61 }, (_, at) => 0.6 + 0.01 * at);

/** The error of one who knows how the series is made, and what a relative error rewards. */
export function floorOf(values: readonly number[], expected: readonly number[], from: number): number {
  const error = (multiple: number) => {
    let sum = 0;
    for (let at = from; at < values.length; at++)
      sum += Math.abs(multiple * expected[at]! - values[at]!) / values[at]!;
    return sum / (values.length - from);
  };
  return Math.min(...multiples.map(error));
}

/** Of the median: what counts in place of less. */
const leastShare = 0.05;

/**
 * Above 0, as relative errors need it. An interval in which next to nothing passed counts as 5 % of the median one: its relative
 * error would outweigh those of all others.
 */
export function positive(values: readonly number[]): number[] {
  const median = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  return values.map((value) => Math.max(value, leastShare * median));
}
