/**
 * Maximum sustainable rate under an objective: doubling until it breaks, probabilistic bisection in between, then a
 * fresh look on both sides. What a probe does is the caller's; nothing here touches a socket.
 */
import { Bisection, type Interval } from './bisection.js';
import { broken, type Measurement, type Term } from './objective.js';

/** One repetition at one rate. */
export interface Repetition {
  measured: Measurement;
  /**
   * Why the client itself may have been the limit, or was disturbed. An objective that breaks then says nothing about the
   * server; one that holds holds, because latency counts from the intended send time.
   */
  saturation: readonly string[];
}

export interface Probe {
  rate: number;
  stage: 'bracket' | 'bisect' | 'confirm';
  repetitions: readonly Repetition[];
  /** repetitions in which the objective held, and in which it broke though the client was sound */
  held: number;
  failed: number;
}

export interface KneeOptions {
  objective: readonly Term[];
  low: number;
  high: number;
  repetitions: number;
  /** stop when high / low of the interval is below 1 + tolerance */
  tolerance: number;
  maxProbes: number;
  confidence: number;
  measure(rate: number): Promise<Repetition>;
  progress?(probe: Probe): void;
}

export type KneeVerdict =
  /** an interval for the rate at which the objective gives way */
  | 'found'
  /** the same, but the budget of probes ended before the interval was narrow */
  | 'wide'
  /** it held everywhere that was tried */
  | 'above'
  /** it did not even hold at the lowest rate */
  | 'below'
  /** the client gave out before the server did, or was disturbed too often */
  | 'client';

export interface Knee {
  verdict: KneeVerdict;
  interval: Interval | null;
  /** terms that broke, most frequent first, in the failed repetitions nearest to the knee */
  limiting: { term: string; share: number }[];
  /** fresh repetitions at 0.95 and 1.05 of the median: did the lower one hold and the upper one fail? */
  confirmation: { below: Probe; above: Probe; confirmed: boolean } | null;
  probes: Probe[];
}

export async function findKnee(options: KneeOptions): Promise<Knee> {
  const probes: Probe[] = [];
  const holdsIn = ({ measured }: Repetition): boolean => broken(options.objective, measured).length === 0;
  const probe = async (rate: number, stage: Probe['stage']): Promise<Probe> => {
    const repetitions: Repetition[] = [];
    let answers: Repetition[] = [];
    // A noisy machine disturbs a client now and then: what it spoilt is tried again, but not for ever.
    while (answers.length < options.repetitions && repetitions.length < 3 * options.repetitions) {
      repetitions.push(await options.measure(rate));
      answers = repetitions.filter((one) => holdsIn(one) || one.saturation.length === 0);
    }
    const held = answers.filter(holdsIn).length;
    const done = { rate, stage, repetitions, held, failed: answers.length - held };
    probes.push(done);
    options.progress?.(done);
    return done;
  };
  const end = (verdict: KneeVerdict, interval: Interval | null): Knee => ({
    verdict,
    interval,
    limiting: limitingTerms(options.objective, probes),
    confirmation: null,
    probes,
  });

  // An octave of room on both sides, so that "not within the range" is an outcome and no corner to be stuck in.
  const bisection = new Bisection(options.low / 2, options.high * 2);
  const interval = (): Interval => bisection.interval(options.confidence);
  const outside = (): KneeVerdict | null => {
    if (interval().low >= options.high) return 'above';
    return interval().high <= options.low ? 'below' : null;
  };
  const narrow = (): boolean => interval().high / interval().low <= 1 + options.tolerance;

  let stage: Probe['stage'] = 'bracket';
  let rate = options.low;
  for (let look = 1; ; look += 1) {
    while (!narrow() && probes.length < options.maxProbes) {
      const step = await probe(rate, stage);
      if (clientGaveOut(step)) return end('client', probes.length > 1 ? interval() : null);
      bisection.answer(step);
      const where = outside();
      if (where) return end(where, null);
      // Rates far above the knee leave a server with a backlog to digest, so the knee is approached from below.
      if (stage === 'bracket' && (!holds(step) || rate >= options.high)) stage = 'bisect';
      rate = Math.min(options.high, stage === 'bracket' ? rate * 2 : Math.max(options.low, bisection.next()));
    }
    const found = interval();
    const below = await probe(0.95 * found.median, 'confirm');
    const above = await probe(1.05 * found.median, 'confirm');
    const confirmed = holds(below) && !holds(above);
    // A look that contradicts the interval is an answer like any other: the search goes on from what it says.
    bisection.answer(below);
    bisection.answer(above);
    if (confirmed || look === LOOKS || probes.length >= options.maxProbes)
      return {
        ...end(found.high / found.low <= 1 + options.tolerance ? 'found' : 'wide', found),
        confirmation: { below, above, confirmed },
      };
    rate = Math.min(options.high, Math.max(options.low, bisection.next()));
  }
}

/** A knee that still moves after so many fresh looks is a machine that does. */
const LOOKS = 3;

const holds = (probe: Probe): boolean => probe.held > probe.failed;
const clientGaveOut = (probe: Probe): boolean => 2 * (probe.held + probe.failed) < probe.repetitions.length;

/** Counts broken terms in the failed repetitions of the lowest rates that failed: far above the knee all of them break. */
function limitingTerms(objective: readonly Term[], probes: readonly Probe[]): Knee['limiting'] {
  const failures = probes
    .filter((probe) => probe.failed > 0)
    .sort((a, b) => a.rate - b.rate)
    .slice(0, 3)
    .flatMap((probe) => probe.repetitions)
    .filter(({ saturation }) => saturation.length === 0)
    .map(({ measured }) => broken(objective, measured))
    .filter((terms) => terms.length > 0);
  return objective
    .map(({ text }) => ({
      term: text,
      share:
        failures.filter((terms) => terms.some((term) => term.text === text)).length / (failures.length || 1),
    }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
}
