/** Predictors on the series that a run recorded of its own links, as its trials judged them. */
import { type Standing, standings } from '../planner/prediction/contest.js';
import { chosen } from '../planner/prediction/methods.js';
import { measuredAs, type Sample } from '../trials/sample.js';

export interface Predictions {
  /** series that were judged */
  series: number;
  /** between two values */
  intervalMs: number;
  /** the best first */
  standings: readonly Standing[];
  /** the one that steers */
  chosen: string;
}

/** Null: no trial recorded a series that is long enough. */
export function predictionsOf(samples: readonly Sample[]): Predictions | null {
  const judged = samples.flatMap((sample) =>
    measuredAs(sample, 'blocks').flatMap(([, { predictors, recorded }]) =>
      predictors ? [{ predictors, intervalMs: recorded.intervalMs }] : [],
    ),
  );
  const [first] = judged;
  if (!first) return null;
  return {
    series: judged.length,
    intervalMs: first.intervalMs,
    standings: standings(judged.map(({ predictors }) => predictors)),
    chosen: chosen.id,
  };
}
