/** A probe of one rate: repetitions of the same question, and what they answer. */
import type { Answers } from './bisection.js';
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

/** `held` and `failed`: repetitions in which the objective held, and in which it broke though the client was sound. */
export interface Probe extends Answers {
  stage: 'bracket' | 'bisect' | 'confirm';
  repetitions: readonly Repetition[];
}

export async function makeProbe(
  rate: number,
  stage: Probe['stage'],
  objective: readonly Term[],
  wanted: number,
  measure: (rate: number) => Promise<Repetition>,
): Promise<Probe> {
  const repetitions: Repetition[] = [];
  let [held, failed] = [0, 0];
  // A noisy machine disturbs a client now and then: what it spoilt is tried again, but not for ever.
  while (held + failed < wanted && repetitions.length < 3 * wanted) {
    const one = await measure(rate);
    repetitions.push(one);
    if (broken(objective, one.measured).length === 0) held += 1;
    else if (one.saturation.length === 0) failed += 1;
  }
  return { rate, stage, repetitions, held, failed };
}

/** What counts: an objective that held, or broke while the client was sound. */
export const countedIn = (objective: readonly Term[], { repetitions }: Probe): Repetition[] =>
  repetitions.filter(
    ({ measured, saturation }) => saturation.length === 0 || broken(objective, measured).length === 0,
  );

export const holds = ({ held, failed }: Answers): boolean => held > failed;
export const clientGaveOut = ({ held, failed, repetitions }: Probe): boolean =>
  2 * (held + failed) < repetitions.length;

/** Counts broken terms in the failed repetitions nearest to the knee: far above it all of them break. */
export function limitingTerms(
  objective: readonly Term[],
  probes: readonly Probe[],
  knee: number,
): { term: string; share: number }[] {
  const failures = probes
    .filter(({ failed }) => failed > 0)
    .sort((a, b) => Math.abs(Math.log(a.rate / knee)) - Math.abs(Math.log(b.rate / knee)))
    .slice(0, 3)
    .flatMap(({ repetitions }) => repetitions)
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
