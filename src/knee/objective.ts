/** A service level objective as text: `p99<5ms,loss=0,achieved>=0.99`. Pure functions. */

const durations: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 };
const latencyFields = ['mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'p9999', 'max'] as const;
const shareFields = ['loss', 'errors', 'achieved'] as const;
type Field = (typeof latencyFields)[number] | (typeof shareFields)[number];

/** What one repetition of a probe measured: latencies in nanoseconds, the others as shares of the offered load. */
export type Measurement = Record<Field, number>;

export interface Term {
  text: string;
  field: Field;
  holds(value: number): boolean;
}

const comparisons: Record<string, (value: number, limit: number) => boolean> = {
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '=': (value, limit) => value === limit,
};

/** @throws Error with one sentence when a term cannot be read */
export function parseObjective(text: string): Term[] {
  return text.split(',').map((part) => {
    const term = part.trim();
    const match = /^([a-z]+\d*)\s*(<=|>=|<|>|=)\s*(\d+(?:\.\d+)?)\s*([a-zµ%]*)$/.exec(term);
    const [, field, operator, number, unit] = match ?? [];
    if (!field || !operator)
      throw new Error(
        `'${term}' is not a term of an objective: write e.g. p99<5ms, loss=0 or achieved>=0.99`,
      );
    const isLatency = (latencyFields as readonly string[]).includes(field);
    if (!isLatency && !(shareFields as readonly string[]).includes(field))
      throw new Error(`'${field}' is not measured: use ${[...latencyFields, ...shareFields].join(', ')}`);
    const scale = isLatency ? durations[unit!] : { '': 1, '%': 0.01 }[unit!];
    if (scale === undefined)
      throw new Error(`'${term}' needs ${isLatency ? 'a unit: ns, us, ms or s' : 'a share: 0.01 or 1%'}`);
    const limit = Number(number) * scale;
    return { text: term, field: field as Field, holds: (value) => comparisons[operator]!(value, limit) };
  });
}

/** The terms that a measurement breaks; empty when the objective holds. */
export const broken = (objective: readonly Term[], measured: Measurement): Term[] =>
  objective.filter((term) => !term.holds(measured[term.field]));
