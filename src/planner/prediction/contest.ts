/** Every predictor on one series, with what it costs. */
import { methods } from './methods.js';
import { walkForward } from './walk-forward.js';

export interface Judged {
  id: string;
  /** mean absolute percentage error, share */
  error: number;
  /** of a value, training included, microseconds */
  cpuUs: number;
}

/** Shown first, and judged by nobody: what a net is trained on before it says anything. */
export const judgedFrom = 100;
/** A series is judged when it has so many values. */
export const fewestJudged = 150;

/**
 * @param from values before this one are shown and not judged
 * @param cpuUs reads the CPU time of this process, microseconds
 */
export const judgeAll = (
  values: readonly number[],
  from: number,
  seed: number,
  cpuUs: () => number,
): Judged[] =>
  methods.map(({ id, make }) => {
    const began = cpuUs();
    const error = walkForward(make(seed), values, from);
    return { id, error, cpuUs: (cpuUs() - began) / values.length };
  });

export interface Standing {
  id: string;
  name: string;
  /** over all series, each counting alike whatever its noise: the geometric mean */
  error: number;
  /** mean */
  cpuUs: number;
}

/** The best first. @param series of each, what every method came to. None where nothing was judged */
export function standings(series: readonly (readonly Judged[])[]): Standing[] {
  if (series.length === 0) return [];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return methods
    .map(({ id, name }) => {
      const own = series.flatMap((judged) => judged.filter((one) => one.id === id));
      return {
        id,
        name,
        error: Math.exp(mean(own.map(({ error }) => Math.log(Math.max(error, 1e-9))))),
        cpuUs: mean(own.map((one) => one.cpuUs)),
      };
    })
    .sort((a, b) => a.error - b.error);
}
