/** A service level objective as text: `p99<5ms,loss=0,achieved>=0.99`. Pure functions. */
import {
  type Condition,
  conditionsOf,
  holds,
  percentileName,
  type Vocabulary,
} from '../contract/conditions.js';

const percentiles = { p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9, p9999: 99.99 } as const;
const vocabulary = {
  mean: 'time',
  max: 'time',
  loss: 'share',
  errors: 'share',
  achieved: 'share',
} as const satisfies Vocabulary;
type Field = keyof typeof percentiles | keyof typeof vocabulary;

/** What one repetition of a probe measured: latencies in nanoseconds, the others as shares of the offered load. */
export type Measurement = Record<Field, number>;

/** A condition of the objective, and the figure that it is about. */
export interface Term extends Condition {
  field: Field;
}

const fieldOf = ({ percentile, metric }: Condition): Field | undefined =>
  percentile === null
    ? (metric as keyof typeof vocabulary)
    : (Object.keys(percentiles) as (keyof typeof percentiles)[]).find(
        (field) => percentiles[field] === percentile,
      );

/** @throws Error with one sentence when a term cannot be read */
export function parseObjective(text: string): Term[] {
  return conditionsOf(text, vocabulary).map((condition) => {
    const field = fieldOf(condition);
    if (field === undefined)
      throw new Error(
        `'${condition.metric}' is not measured here: use ${Object.values(percentiles).map(percentileName).join(', ')}`,
      );
    return { ...condition, field };
  });
}

/** The terms that a measurement breaks; empty when the objective holds. */
export const broken = (objective: readonly Term[], measured: Measurement): Term[] =>
  objective.filter((term) => !holds(term, measured[term.field]));
