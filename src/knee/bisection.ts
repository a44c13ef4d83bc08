/**
 * Probabilistic bisection: where does a noisy yes/no question turn from yes to no?
 *
 * Near the knee a probe of the same rate holds once and fails the next time, so plain bisection, which trusts every
 * answer, ends in a wrong half that it never leaves. Here the answer at rate x is a coin whose chance of "holds" falls
 * with log x along a logistic curve: centre (the knee: an even chance), width, and a lapse share of answers that are
 * wrong wherever they are asked. All three are unknown; their joint posterior lives on a grid, every answer updates it
 * by Bayes' rule, the next probe goes to the median of the knee, and the interval is the equal-tailed credible interval
 * of the knee (Waeber, Frazier, Henderson 2013, with the psychometric curve of Kontsevich and Tyler 1999 for the noise).
 * Pure: no clock, no randomness.
 */

/** Answers to the same question asked `held + failed` times. */
export interface Answers {
  rate: number;
  held: number;
  failed: number;
}

export interface Interval {
  low: number;
  high: number;
  median: number;
  confidence: number;
}

const KNEES = 1000;
/** Standard widths of the transition in natural log of the rate: from a sharp edge to a factor of about 1.5. */
const WIDTHS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
const LAPSES = [0.005, 0.03, 0.1];

export class Bisection {
  readonly #knees: number[];
  readonly #weights: Float64Array;

  /** The knee is sought between `low` and `high`, with a flat prior over the logarithm. @throws RangeError */
  constructor(low: number, high: number) {
    if (!(low > 0 && high > low)) throw new RangeError(`no rates between ${low} and ${high}`);
    const step = Math.log(high / low) / KNEES;
    this.#knees = Array.from({ length: KNEES }, (_, index) => Math.log(low) + (index + 0.5) * step);
    this.#weights = new Float64Array(KNEES * WIDTHS.length * LAPSES.length).fill(1);
    this.#normalise();
  }

  answer({ rate, held, failed }: Answers): void {
    const x = Math.log(rate);
    let at = 0;
    for (const knee of this.#knees)
      for (const width of WIDTHS) {
        const curve = 1 / (1 + Math.exp((x - knee) / width));
        for (const lapse of LAPSES) {
          const chance = lapse + (1 - 2 * lapse) * curve;
          this.#weights[at]! *= chance ** held * (1 - chance) ** failed;
          at += 1;
        }
      }
    this.#normalise();
  }

  /** Where the next probe teaches most: the median of the knee. */
  next(): number {
    return this.#quantile(0.5);
  }

  interval(confidence = 0.95): Interval {
    return {
      low: this.#quantile((1 - confidence) / 2),
      high: this.#quantile((1 + confidence) / 2),
      median: this.#quantile(0.5),
      confidence,
    };
  }

  #normalise(): void {
    const total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    for (let at = 0; at < this.#weights.length; at += 1) this.#weights[at]! /= total;
  }

  #quantile(share: number): number {
    const perKnee = WIDTHS.length * LAPSES.length;
    const step = this.#knees[1]! - this.#knees[0]!;
    let below = 0;
    for (const [index, knee] of this.#knees.entries()) {
      let mass = 0;
      for (let at = index * perKnee; at < (index + 1) * perKnee; at += 1) mass += this.#weights[at]!;
      if (below + mass >= share) return Math.exp(knee + (mass > 0 ? (share - below) / mass - 0.5 : 0) * step);
      below += mass;
    }
    return Math.exp(this.#knees.at(-1)! + step / 2);
  }
}
