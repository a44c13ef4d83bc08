/** Servers that stand at the same time and are measured in rotation: one generation of a benchmark's field. */
import { runTogether } from '../src/run/trial.js';
import { randomFrom } from '../src/statistics/random.js';
import type { LoadTrial } from '../src/trials/load-window.js';
import { metric } from '../src/trials/registry.js';
import { pinning, roles, site } from './here.js';

export interface Figures {
  throughput: number;
  cpuUsPerRequest: number;
  /** null where the server does not tell */
  waitsPerRequest: number | null;
  eventsPerWait: number | null;
}

/**
 * @param field what each is called in messages, and its trial
 * @returns what each came to, in the order of the field
 * @throws Error when one of them failed
 */
export async function together(
  field: readonly (readonly [name: string, trial: LoadTrial])[],
  seed: string,
): Promise<Figures[]> {
  const outcomes = await runTogether(
    field.map(([, trial]) => trial),
    { roles, pinning, earlier: [], signal: site.signal },
    randomFrom(seed),
    () => {},
  );
  return outcomes.map((trial, index) => {
    const throughput = metric('throughput').of(trial);
    const cpuUsPerRequest = metric('cpu-per-request').of(trial);
    if (trial.error !== null || throughput === null || cpuUsPerRequest === null)
      throw new Error(`${field[index]![0]}: ${trial.error}`);
    return {
      throughput,
      cpuUsPerRequest,
      waitsPerRequest: metric('waits-per-request').of(trial),
      eventsPerWait: metric('events-per-wait').of(trial),
    };
  });
}
