/**
 * What a round costs: fixed + perRegistered x registered + perActive x active, nanoseconds. Weights are relative, because
 * the noise of a round is proportional to its time; intervals are taken over the fits of single blocks.
 */
import { type Interval, meanInterval } from './interval.js';
import { leastSquares } from './least-squares.js';

/** One measurement: mean time of its rounds. */
export interface MeasuredRound {
  block: number;
  /** descriptors registered */
  registered: number;
  /** events of a round */
  active: number;
  ns: number;
  /** what its noise is proportional to, where that is not its time, nanoseconds */
  noiseNs?: number;
}

/** A parameter that the measurements do not tell, because its number did not vary, is null. */
export interface RoundCost {
  fixed: Interval;
  perRegistered: Interval | null;
  perActive: Interval | null;
}

const varies = (values: readonly number[]) => new Set(values).size > 1;

/** Null where neither number varies, or nothing is left over to hold the fit against. */
export function roundCost(rounds: readonly MeasuredRound[]): RoundCost | null {
  const terms = (['registered', 'active'] as const).filter((term) => varies(rounds.map((one) => one[term])));
  if (terms.length === 0) return null;
  const blocks = [...new Set(rounds.map(({ block }) => block))];
  const fits = blocks.flatMap((block) => {
    const own = rounds.filter((one) => one.block === block);
    const fit = leastSquares(
      own.map(({ ns, noiseNs = ns }, x) => ({ x, y: ns, weight: 1 / noiseNs ** 2 })),
      [() => 1, ...terms.map((term) => (i: number) => own[i]![term])],
    );
    return fit && fit.df >= 0 ? [fit.coefficients] : [];
  });
  if (fits.length === 0) return null;
  const over = (at: number) =>
    at < 0
      ? null
      : meanInterval(
          fits.map((one) => one[at]!),
          'linear',
        );
  const place = (term: (typeof terms)[number]) => (terms.includes(term) ? 1 + terms.indexOf(term) : -1);
  return {
    fixed: over(0)!,
    perRegistered: over(place('registered')),
    perActive: over(place('active')),
  };
}
