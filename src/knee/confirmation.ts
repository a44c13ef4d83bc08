/** A fresh look at both sides of an interval: does the objective hold below it, and break above? */
import type { Answers, CredibleInterval } from './bisection.js';
import { clientGaveOut, holds, type Probe } from './probe.js';

/** So many on either side, and their majority counts; one is enough when all its repetitions say what was expected. */
export const PROBES_OF_A_LOOK = 3;
/** Over a wider transition than this, the chance to hold at 0.95 of the knee is less than three in four. */
const GRADUAL = 1.25;

export type Outcome =
  | 'confirmed'
  /** the objective gives way so gradually that looks this near to the knee come out either way */
  | 'gradual'
  /** it broke on both sides */
  | 'lower'
  /** it held on both sides */
  | 'higher'
  /** it broke below and held above: server or machine are not what they were */
  | 'reversed'
  /** on a side, the client was the limit or was disturbed */
  | 'client';

export interface Confirmation {
  outcome: Outcome;
  below: Answers;
  above: Answers;
  /** factor in rate over which the objective gives way */
  transition: number;
}

/**
 * Looks at 0.95 and 1.05 of the knee, or at the ends of the interval where those are farther out.
 * @param most probes on either side
 */
export async function lookAgain(
  { low, high, median }: CredibleInterval,
  transition: number,
  most: number,
  probe: (rate: number) => Promise<Probe>,
): Promise<Confirmation> {
  const sides = [Math.min(0.95 * median, low), Math.max(1.05 * median, high)].map((rate) => ({
    rate,
    looks: [] as Probe[],
  }));
  const unanimous = () =>
    sides.every(({ looks }, above) =>
      looks.every((one) => !clientGaveOut(one) && (above ? one.held : one.failed) === 0),
    );
  // The sides take turns, so that a machine that changes meets both.
  for (let look = 0; look < most && (look === 0 || !unanimous()); look += 1)
    for (const { rate, looks } of sides) looks.push(await probe(rate));
  const [below, above] = sides.map(({ rate, looks }) => ({
    rate,
    held: sum(looks, 'held'),
    failed: sum(looks, 'failed'),
  })) as [Answers, Answers];
  const outcome = (): Outcome => {
    if (sides.some(({ looks }) => 2 * looks.filter(clientGaveOut).length >= looks.length)) return 'client';
    if (holds(below) && !holds(above)) return 'confirmed';
    if (transition > GRADUAL) return 'gradual';
    if (holds(below)) return 'higher';
    return holds(above) ? 'reversed' : 'lower';
  };
  return { outcome: outcome(), below, above, transition };
}

const sum = (looks: readonly Probe[], what: 'held' | 'failed'): number =>
  looks.reduce((total, one) => total + one[what], 0);
