/**
 * Probabilistic bisection: where does a noisy yes/no question turn from yes to no?
 *
 * Near the knee a probe of the same rate holds once and fails the next time, so plain bisection, which trusts every
 * answer, ends in a wrong half that it never leaves. Here the answer at rate x is a coin whose chance of "holds" falls
 * with log x along a logistic curve: centre (the knee), width, and shares of answers that are wrong wherever they are
 * asked. These are unequal: a disturbance easily breaks an objective that the server could hold, and hardly makes one
 * hold that it could not. It also lasts: it may spoil all repetitions of a probe, which then are no independent answers.
 *
 * All of this is unknown; the joint posterior lives on a grid, every probe updates it by Bayes' rule, the next one goes
 * to the median of the knee, and the interval is the equal-tailed credible interval of the knee (Waeber, Frazier,
 * Henderson 2013, with the psychometric curve of Kontsevich and Tyler 1999 for the noise).
 * Pure: no clock, no randomness.
 */

/** Answers to the same question asked `held + failed` times. */
export interface Answers {
  rate: number;
  held: number;
  failed: number;
}

export interface CredibleInterval {
  low: number;
  high: number;
  median: number;
  confidence: number;
}

const KNEES = 1000;
/** Standard widths of the transition in natural log of the rate: from a sharp edge to a factor of about 1.5. */
const WIDTHS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
/** Shares of wrong answers: broken below the knee, held above it. */
const LAPSES = [
  { broken: 0.005, held: 0.005 },
  { broken: 0.05, held: 0.005 },
  { broken: 0.15, held: 0.005 },
  { broken: 0.3, held: 0.005 },
  { broken: 0.1, held: 0.1 },
];
/** Share of probes that fall into a disturbance, and what is left of the chance to hold meanwhile. */
const DISTURBED = 0.1;
const LEFT = 0.3;

export class Bisection {
  readonly #knees: number[];
  readonly #widths: number[];
  /** joint posterior by knee, width and lapse, and its sums over the last two */
  readonly #weights: Float64Array;
  readonly #masses = new Float64Array(KNEES);

  /** The knee is sought between `low` and `high`, with a flat prior over the logarithm. @throws RangeError */
  constructor(low: number, high: number) {
    if (!(low > 0 && high > low)) throw new RangeError(`no rates between ${low} and ${high}`);
    const step = Math.log(high / low) / KNEES;
    this.#knees = Array.from({ length: KNEES }, (_, index) => Math.log(low) + (index + 0.5) * step);
    // An edge sharper than the grid would rule out a whole cell for what is true of its centre.
    this.#widths = WIDTHS.map((width) => Math.max(width, step / 2));
    this.#weights = new Float64Array(KNEES * WIDTHS.length * LAPSES.length).fill(1);
    this.#normalise();
  }

  answer({ rate, held, failed }: Answers): void {
    const x = Math.log(rate);
    let at = 0;
    for (const knee of this.#knees)
      for (const width of this.#widths) {
        const curve = 1 / (1 + Math.exp((x - knee) / width));
        for (const lapse of LAPSES) {
          const chance = lapse.held + (1 - lapse.held - lapse.broken) * curve;
          const undisturbed = power(chance, held) * power(1 - chance, failed);
          const disturbed = power(LEFT * chance, held) * power(1 - LEFT * chance, failed);
          this.#weights[at]! *= (1 - DISTURBED) * undisturbed + DISTURBED * disturbed;
          at += 1;
        }
      }
    this.#normalise();
  }

  /** Where the next probe teaches most: the median of the knee. */
  next(): number {
    return this.#quantile(0.5);
  }

  interval(confidence = 0.95): CredibleInterval {
    return {
      low: this.#quantile((1 - confidence) / 2),
      high: this.#quantile((1 + confidence) / 2),
      median: this.#quantile(0.5),
      confidence,
    };
  }

  /** The factor in rate over which the chance to hold falls from nine in ten to one in ten: posterior mean of its log. */
  transition(): number {
    const perWidth = LAPSES.length;
    let mean = 0;
    this.#weights.forEach((weight, at) => {
      mean += weight * this.#widths[Math.floor(at / perWidth) % this.#widths.length]!;
    });
    return Math.exp(2 * Math.log(9) * mean);
  }

  #normalise(): void {
    let total = 0;
    for (const weight of this.#weights) total += weight;
    const perKnee = this.#weights.length / KNEES;
    this.#masses.fill(0);
    for (let at = 0; at < this.#weights.length; at += 1) {
      this.#weights[at]! /= total;
      this.#masses[Math.floor(at / perKnee)]! += this.#weights[at]!;
    }
  }

  #quantile(share: number): number {
    const step = this.#knees[1]! - this.#knees[0]!;
    let below = 0;
    for (const [index, mass] of this.#masses.entries()) {
      if (below + mass >= share)
        return Math.exp(this.#knees[index]! + (mass > 0 ? (share - below) / mass - 0.5 : 0) * step);
      below += mass;
    }
    return Math.exp(this.#knees.at(-1)! + step / 2);
  }
}

/** For the few repetitions of a probe several times faster than `**`, and there are tens of thousands in each answer. */
function power(base: number, exponent: number): number {
  let product = 1;
  for (let factor = 0; factor < exponent; factor += 1) product *= base;
  return product;
}
