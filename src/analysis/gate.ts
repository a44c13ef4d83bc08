/** Conditions that fail a comparison (`--fail-if`), and whether the data decide about them: yes, no, or not at all. */
import type { Metric } from '../trials/registry.js';

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

export type GateOutcome = 'passed' | 'failed' | 'not resolved';

export interface GateVerdict {
  outcome: GateOutcome;
  /** how many trials or pairs would decide; null: it is decided */
  needed: number | null;
}

/** null: the condition does not speak of such a row. */
export type RowGate = (row: Judged) => GateVerdict | null;

const decided = (outcome: 'passed' | 'failed'): GateVerdict => ({ outcome, needed: null });

/**
 * Failed: the change is shown, and its estimate is beyond the limit. Passed: a change beyond the limit is ruled out, by
 * the interval's end. Few trials can do neither.
 */
function within(row: Judged, wanted: 'better' | 'worse', limit: number, margin: number): GateVerdict {
  if (row.change === wanted && Math.abs(row.shift) > limit) return decided('failed');
  const up = (row.metric.better === 'higher') === (wanted === 'better');
  const furthest = row.bounds && (up ? row.bounds.high : -row.bounds.low);
  return furthest !== null && furthest <= limit
    ? decided('passed')
    : { outcome: 'not resolved', needed: row.needed(margin) };
}

/**
 * `slower>3%`, `faster>3%`, `loss>0.1%` (percentage points more) or `different`, which has no margin: there, what is not
 * shown passes, if it could have been shown.
 * @param margin used to say how many trials would decide where the condition names none, or 0
 * @throws Error in one sentence
 */
export function gateOf(text: string, margin = 0.03): RowGate {
  if (text === 'different')
    return (row) => {
      if (row.change !== '~') return decided('failed');
      return row.hopeless ? { outcome: 'not resolved', needed: row.needed(margin) } : decided('passed');
    };
  const [, word, number] = /^(slower|faster|loss)\s*>\s*(\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  if (!word)
    throw new Error(`'${text}' is not a condition: write slower>3%, faster>3%, loss>0.1% or different`);
  const limit = Number(number);
  if (word === 'loss')
    return (row) => (row.metric.id === 'loss-rate' ? within(row, 'worse', limit, margin) : null);
  return (row) =>
    row.scale === 'ratio' && row.metric.better !== 'neither'
      ? within(row, word === 'slower' ? 'worse' : 'better', limit / 100, limit / 100 || margin)
      : null;
}

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
export function gateSummary(condition: string, gate: RowGate, rows: readonly Judged[]): GateSummary {
  const verdicts = rows.map(gate).filter((one) => one !== null);
  const count = (outcome: GateOutcome) => verdicts.filter((one) => one.outcome === outcome).length;
  const [failed, open] = [count('failed'), count('not resolved')];
  const needed = verdicts.flatMap((one) => one.needed ?? []);
  const outcome = failed > 0 ? 'failed' : open > 0 || verdicts.length === 0 ? 'not resolved' : 'passed';
  return {
    condition,
    outcome,
    needed: outcome === 'not resolved' && needed.length > 0 ? Math.max(...needed) : null,
    failed,
    open,
    rows: verdicts.length,
  };
}
