/** What a claim's test comes to: rows of evidence, and how an interval decides. Also what its selectors select. */
import type { Expectation, Selector } from '../claims/claim.js';
import { type Interval, position } from '../statistics/interval.js';
import type { Metric, MetricId } from '../trials/registry.js';
import { type Cell, valuesOf } from './cells.js';

export type Outcome = 'supported' | 'contradicted' | 'inconclusive';

export interface Evidence {
  subject: string;
  /** what was measured and what was expected, in words */
  measure: string;
  estimate: number;
  low: number | null;
  high: number | null;
  /** the 90 % interval, which decides equivalence */
  low90: number | null;
  high90: number | null;
  unit: string;
  /** trials on the smaller side */
  n: number;
  /** what the interval was held against; null: the row was not decided by an interval and a bound */
  expect: Expectation | null;
  outcome: Outcome;
  note: string | null;
  /** shown only: of cells that the claim is not about */
  beside?: true;
  /** metric of the figure in the report that shows it */
  metric: MetricId;
  /** the experiment it is of; left out: the claim's own */
  experiment?: string;
}

/** Evidence, or the sentence that says which cells are missing. */
export interface TestResult {
  evidence: Evidence[];
  missing: string | null;
}

/** Evidence, or else what is absent. */
export const resultOf = (evidence: Evidence[], absent: string): TestResult => ({
  evidence,
  missing: evidence.length > 0 ? null : absent,
});

const bound = (value: number) => String(value).replace('-', '−');

export function expectationInWords(expect: Expectation): string {
  if ('within' in expect) return `within ${bound(expect.within[0])} to ${bound(expect.within[1])}`;
  return 'below' in expect ? `below ${bound(expect.below)}` : `above ${bound(expect.above)}`;
}

/** An interval decides only when all of it lies on one side; `position` says which interval. */
export function judge(interval: Omit<Interval, 'n'>, expect: Expectation): Outcome {
  const { POSITIVE_INFINITY: infinity } = Number;
  const [low, high] =
    'within' in expect
      ? expect.within
      : 'below' in expect
        ? [-infinity, expect.below]
        : [expect.above, infinity];
  switch (position(interval, low, high)) {
    case 'inside':
      return 'supported';
    case 'unclear':
      return 'inconclusive';
    default:
      return 'contradicted';
  }
}

/** Several notes as one. */
export const notes = (...all: readonly (string | null)[]): string | null =>
  all.filter((one) => one !== null).join('; ') || null;

/** What a system calls itself is the first word of its kernel's name and release: 'Linux 6.1.0'. */
const systemOf = (kernel: string) => kernel.split(' ', 1)[0];

export function matches(cell: Pick<Cell, 'levels' | 'host'>, { system, levels = {} }: Selector): boolean {
  if (system !== undefined && systemOf(cell.host.kernel) !== system) return false;
  return Object.entries(levels).every(([factor, wanted]) => {
    const level = cell.levels[factor] ?? null;
    return Array.isArray(wanted) ? wanted.includes(level) : level === wanted;
  });
}

/** Cells that a selector names, as far as they hold a value of the metric. */
export function cellsMatching(cells: readonly Cell[], selector: Selector, measured: Metric): Cell[] {
  return cells.filter((cell) => matches(cell, selector) && valuesOf(cell, measured).length > 0);
}

export function selectorInWords({ levels = {}, system }: Selector): string {
  const parts = Object.entries(levels).map(([factor, level]) =>
    Array.isArray(level) ? `${factor} ${level.join(' or ')}` : `${factor} ${level}`,
  );
  return [...(system ? [`${system} host`] : []), ...parts].join(', ') || 'any cell';
}

export const average = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
