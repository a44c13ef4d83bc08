/** Conditions on a comparison (`--threshold`), and whether the data decide about them: yes, no, or not at all. */
import {
  type ChangeCondition,
  changesOf,
  type Outcome,
  percentileOfName,
  worst,
} from '../contract/conditions.js';
import { type Metric, metrics } from '../trials/registry.js';

/** A row of a comparison, as a condition sees it: the second of two things against the first. */
export interface Judged {
  metric: Metric;
  scale: 'ratio' | 'difference';
  /** what is shown, with regard to all rows */
  change: 'better' | 'worse' | 'different' | '~';
  /** ratio: share, 0.03 for 3 % more; difference: in the metric's unit */
  shift: number;
  /** ends of an interval of at least 90 %: either is beyond the truth in at most 5 % of cases. null: too few trials for one */
  bounds: { low: number; high: number } | null;
  /** the trials or pairs too few for any difference at all to be shown */
  hopeless: boolean;
  /** how many would decide about a margin */
  needed(margin: number): number;
}

export interface GateVerdict {
  outcome: Outcome;
  /** how many trials or pairs would decide; null: it is decided */
  needed: number | null;
}

/** null: the condition does not speak of such a row. */
export type RowGate = (row: Judged) => GateVerdict | null;

const decided = (outcome: 'passed' | 'failed'): GateVerdict => ({ outcome, needed: null });

/**
 * Whether a change stays on this side of a limit. Passed: a change beyond the limit is ruled out, by the interval's end.
 * Failed: the change is shown, and its estimate is beyond the limit; where the limit asks for an improvement, the interval
 * rules that out. Few trials can do neither.
 * @param up the limit is above: more than it is too much
 */
function within(row: Judged, up: boolean, limit: number, margin: number): GateVerdict {
  const [shift, most] = up ? [row.shift, limit] : [-row.shift, -limit];
  const { bounds, change, metric } = row;
  const [furthest, nearest] =
    bounds === null ? [null, null] : up ? [bounds.high, bounds.low] : [-bounds.low, -bounds.high];
  if (furthest !== null && furthest <= most) return decided('passed');
  const shown =
    change === 'different' || change === (up === (metric.better === 'higher') ? 'better' : 'worse');
  const beyond = most >= 0 ? shown && shift > most : nearest !== null && nearest > most;
  return beyond ? decided('failed') : { outcome: 'not resolved', needed: row.needed(margin) };
}

/** A limit of exactly 0 names no margin. */
const marginOf = (limit: number, otherwise: number) => Math.abs(limit) || otherwise;

function rowGate({ of, operator, limit }: ChangeCondition, margin: number): RowGate {
  if (of === 'unchanged')
    return (row) => {
      if (row.change !== '~') return decided('failed');
      return row.hopeless ? { outcome: 'not resolved', needed: row.needed(margin) } : decided('passed');
    };
  const share = limit / 100;
  if (of === 'slower' || of === 'faster')
    return (row) => {
      if (row.scale !== 'ratio' || row.metric.better === 'neither') return null;
      const up = (row.metric.better === 'higher') === (of === 'faster');
      return within(row, up, up ? share : -share, marginOf(share, margin));
    };
  return (row) => {
    if (row.metric.id !== of) return null;
    const most = row.scale === 'ratio' ? share : limit;
    return within(
      row,
      operator.startsWith('<'),
      most,
      row.scale === 'ratio' ? marginOf(most, margin) : margin,
    );
  };
}

/** 'cpu_per_request' and 'p99' are the metrics 'cpu-per-request' and 'latency-p99'. */
const metricNamed =
  (known: readonly string[]) =>
  (name: string): string | null => {
    const percentile = percentileOfName(name);
    const id =
      percentile !== null
        ? `latency-p${percentile}`
        : name === 'loss'
          ? 'loss-rate'
          : name.replaceAll('_', '-');
    return known.includes(id) ? id : null;
  };

/** One condition on a comparison. */
export interface RowCondition {
  text: string;
  row: RowGate;
}

export interface GateOptions {
  /** says how many trials would decide where a condition names none, or 0 */
  margin?: number;
  /** ids of what is compared; left out: every metric */
  known?: readonly string[];
}

/**
 * `slower<3%`, `faster<3%` (of everything that is compared by its ratio), `cpu-per-request<+5%`, `loss<+0.1%` (percentage
 * points) or `unchanged`, which has no margin: there, what is not shown passes, if it could have been shown.
 * @throws Error in one sentence
 */
export const rowConditions = (
  text: string,
  { margin = 0.03, known = metrics.map(({ id }) => id) }: GateOptions = {},
): RowCondition[] =>
  changesOf(text, metricNamed(known)).map((condition) => ({
    text: condition.text,
    row: rowGate(condition, margin),
  }));

export interface GateSummary extends GateVerdict {
  condition: string;
  failed: number;
  open: number;
  /** rows that it speaks of */
  rows: number;
}

/**
 * Of all rows: failed where one has, else not resolved where one is not, or where there is none at all. That a change is
 * ruled out everywhere needs no correction for the number of rows: each of them is to be shown.
 */
export function gateSummary({ text, row }: RowCondition, rows: readonly Judged[]): GateSummary {
  const verdicts = rows.map(row).filter((one) => one !== null);
  const count = (outcome: Outcome) => verdicts.filter((one) => one.outcome === outcome).length;
  const needed = verdicts.flatMap((one) => one.needed ?? []);
  const outcome = verdicts.length === 0 ? 'not resolved' : worst(verdicts.map((one) => one.outcome));
  return {
    condition: text,
    outcome,
    needed: outcome === 'not resolved' && needed.length > 0 ? Math.max(...needed) : null,
    failed: count('failed'),
    open: count('not resolved'),
    rows: verdicts.length,
  };
}

/** What several conditions say of one row: the worst; null: none speaks of it. */
export function rowVerdict(conditions: readonly RowCondition[], judged: Judged): GateVerdict | null {
  const verdicts = conditions.flatMap(({ row }) => row(judged) ?? []);
  if (verdicts.length === 0) return null;
  const outcome = worst(verdicts.map((one) => one.outcome));
  const needed = verdicts.flatMap((one) => (one.outcome === outcome ? (one.needed ?? []) : []));
  return { outcome, needed: needed.length > 0 ? Math.max(...needed) : null };
}
