/** Who is given the next task. A scheduler is a function with a memory of its own. */
import type { OffloadScheduler } from '../../contract/offload.js';

/** A provider that can take a task now. */
export interface Candidate {
  /** rises in the order in which providers came */
  id: number;
  workers: number;
  /** tasks that it has */
  assigned: number;
  /** modules that it was given before */
  holds: ReadonlySet<string>;
  /** number of the last assignment that it got; 0: none yet */
  last: number;
}

/** @param candidates in the order in which they came, at least one */
export type Scheduler = <One extends Candidate>(candidates: readonly One[], module: string) => One;

const least = <One>(all: readonly One[], of: (one: One) => number): One =>
  all.reduce((best, one) => (of(one) < of(best) ? one : best));

export const schedulers = {
  /** The first that holds the module, else the first of all: modules travel little, the last ones idle. */
  'first-match': (): Scheduler => (candidates, module) =>
    candidates.find(({ holds }) => holds.has(module)) ?? candidates[0]!,

  /** The one with the smallest part of its workers at work; of equals the one that has waited longest. */
  'any-free': (): Scheduler => (candidates) => {
    const share = Math.min(...candidates.map(({ assigned, workers }) => assigned / workers));
    return least(
      candidates.filter(({ assigned, workers }) => assigned / workers === share),
      ({ last }) => last,
    );
  },

  /** One after the other, whatever they can do. */
  'round-robin': (): Scheduler => {
    let before = -1;
    return (candidates) => {
      const next = candidates.find(({ id }) => id > before) ?? candidates[0]!;
      before = next.id;
      return next;
    };
  },
} as const satisfies Record<OffloadScheduler, () => Scheduler>;
