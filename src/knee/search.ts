/**
 * Maximum sustainable rate under an objective: doubling until it breaks, probabilistic bisection in between, then a
 * fresh look on both sides. What a probe does is the caller's; nothing here touches a socket.
 */
import { Bisection, type CredibleInterval } from './bisection.js';
import { ClientRange } from './client-range.js';
import { type Confirmation, lookAgain, PROBES_OF_A_LOOK } from './confirmation.js';
import type { Term } from './objective.js';
import { clientGaveOut, holds, limitingTerms, makeProbe, type Probe, type Repetition } from './probe.js';

export interface KneeOptions {
  objective: readonly Term[];
  low: number;
  high: number;
  repetitions: number;
  /** stop when high / low of the interval is below 1 + tolerance */
  tolerance: number;
  /** at least 3 */
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
  interval: CredibleInterval | null;
  /** terms that broke, most frequent first, in the failed repetitions nearest to the knee */
  limiting: { term: string; share: number }[];
  /** null when there is no interval to look at */
  confirmation: Confirmation | null;
  /** highest rate at which the objective held, if it did */
  held: number | null;
  probes: Probe[];
}

/** A knee that still moves after so many fresh looks is a machine that does. */
const LOOKS = 3;

export async function findKnee(options: KneeOptions): Promise<Knee> {
  const { objective, low, high, tolerance, maxProbes } = options;
  const probes: Probe[] = [];
  const probe = async (rate: number, stage: Probe['stage']): Promise<Probe> => {
    const done = await makeProbe(rate, stage, objective, options.repetitions, options.measure);
    probes.push(done);
    options.progress?.(done);
    return done;
  };

  // An octave of room on both sides, so that "not within the range" is an outcome and no corner to be stuck in.
  const bisection = new Bisection(low / 2, high * 2);
  const interval = (): CredibleInterval => bisection.interval(options.confidence);
  const isNarrow = (one: CredibleInterval): boolean => one.high / one.low <= 1 + tolerance;
  const client = new ClientRange();
  const learn = (step: Probe): void => {
    if (clientGaveOut(step)) {
      client.gaveOut(step.rate);
    } else {
      client.answered(step.rate, holds(step));
      bisection.answer(step);
    }
  };
  const end = (
    verdict: KneeVerdict,
    interval: CredibleInterval | null,
    confirmation: Confirmation | null = null,
  ): Knee => ({
    verdict,
    interval,
    limiting: limitingTerms(objective, probes, interval?.median ?? low),
    confirmation,
    held: client.held,
    probes,
  });

  // Kept for the looks, out of a small budget the smaller part.
  const kept = Math.max(2, Math.min(2 * PROBES_OF_A_LOOK, Math.floor(maxProbes / 3)));
  let stage: Probe['stage'] = 'bracket';
  let rate = low;
  for (let looks = 1; ; looks += 1) {
    while (!isNarrow(interval()) && probes.length < maxProbes - kept) {
      const step = await probe(rate, stage);
      learn(step);
      if (interval().low >= high) return end('above', null);
      if (interval().high <= low) return end('below', null);
      // Rates far above the knee leave a server with a backlog to digest, so the knee is approached from below.
      if (stage === 'bracket' && (!holds(step) || rate >= high)) stage = 'bisect';
      const wanted = stage === 'bracket' ? 2 * rate : bisection.next();
      const next = client.towards(Math.min(high, Math.max(low, wanted)), tolerance);
      if (next === null) return end('client', null);
      rate = next;
    }
    const found = interval();
    if (found.median >= client.limited) return end('client', null);
    // What the interval says of rates beyond is no more than was assumed of them.
    if (probes.every(holds)) return end('above', null);
    const before = probes.length;
    const each = Math.min(PROBES_OF_A_LOOK, (maxProbes - before) >> 1);
    const confirmation = await lookAgain(found, bisection.transition(), each, (at) => probe(at, 'confirm'));
    // A look that contradicts the interval is an answer like any other: the search goes on from what it says.
    for (const look of probes.slice(before)) learn(look);
    const { outcome } = confirmation;
    const now = outcome === 'confirmed' ? found : interval();
    if (now.low >= high) return end('above', null);
    if (now.high <= low) return end('below', null);
    const settled = outcome === 'confirmed' || outcome === 'gradual' || outcome === 'client';
    if (settled || looks === LOOKS || probes.length + 2 > maxProbes)
      return end(isNarrow(now) ? 'found' : 'wide', now, confirmation);
    rate = Math.min(high, Math.max(low, bisection.next()));
  }
}
