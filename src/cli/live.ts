/**
 * A run as a terminal shows it while it goes on: the figure that decides of each cell, as a bar whose interval narrows, and
 * verdicts as they fall. Pure: progress events in, lines out.
 */
import type { Ansis } from 'ansis';
import type { RunEvent } from '../contract/run.js';
import { counted } from '../number.js';
import { withInterval } from '../report/format.js';
import { type Interval, meanInterval } from '../statistics/interval.js';
import { cellOf, clock, type EventOf, nowOf, outcome, placeOf } from './progress-words.js';

interface LiveCell {
  label: string;
  metric: string;
  unit: string;
  values: readonly number[];
  /** of the trials of the run, the last one that was of this cell */
  trial: number;
}

interface LiveVerdict {
  verdict: string;
  /** block after which it became so; null: at the first look */
  since: number | null;
  before: string | null;
}

export interface Live {
  run: EventOf<'run-start'> | null;
  current: EventOf<'trial-start'> | EventOf<'round'> | null;
  last: EventOf<'trial-end'> | null;
  finished: number;
  /** by experiment, host and cell, in the order of their first trials */
  cells: ReadonlyMap<string, LiveCell>;
  precision: number | null;
  verdicts: ReadonlyMap<string, LiveVerdict>;
  warnings: readonly string[];
}

export const nothingYet: Live = {
  run: null,
  current: null,
  last: null,
  finished: 0,
  cells: new Map(),
  precision: null,
  verdicts: new Map(),
  warnings: [],
};

/** As many as are worth a line each. */
const mostWarnings = 3;

function measured(live: Live, event: EventOf<'trial-end'>): Live {
  const { experiment, host, cell, figure } = event;
  const doubts = event.status === 'ok' ? event.gates : [outcome(event)];
  const warnings = [...live.warnings.filter((one) => !doubts.includes(one)), ...doubts].slice(-mostWarnings);
  const finished = live.finished + 1;
  const cells = new Map(live.cells);
  if (event.status === 'ok' && figure !== null) {
    const key = JSON.stringify([experiment, host, cell, figure.metric]);
    const values = [...(cells.get(key)?.values ?? []), figure.value];
    cells.set(key, {
      label: cellOf(event),
      metric: figure.metric,
      unit: figure.unit,
      values,
      trial: finished,
    });
  }
  return { ...live, last: event, finished, cells, warnings };
}

function judged(live: Live, { block, verdicts }: EventOf<'verdicts'>): Live {
  const all = new Map(live.verdicts);
  for (const { claim, verdict } of verdicts) {
    const before = all.get(claim);
    if (before?.verdict === verdict) continue;
    all.set(claim, { verdict, since: before ? block : null, before: before?.verdict ?? null });
  }
  return { ...live, verdicts: all };
}

export function take(live: Live, event: RunEvent): Live {
  switch (event.event) {
    case 'run-start':
      return { ...nothingYet, run: event };
    case 'trial-start':
    case 'round':
      return { ...live, current: event };
    case 'trial-end':
      return measured(live, event);
    case 'block-end':
      return { ...live, precision: event.precision };
    case 'verdicts':
      return judged(live, event);
    default:
      return live;
  }
}

/** A line longer than the terminal is wide would wrap, and the redraw would lose its place. */
function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

const barWidth = 24;
/** Beyond this ratio of the largest to the smallest a linear scale shows the small ones as nothing. */
const wide = 20;

/** From a value to its column, the same for all cells of one metric. */
function scaleOf(intervals: readonly Interval[]): (value: number) => number {
  const ends = intervals.flatMap(({ estimate, low, high }) => [estimate, low ?? estimate, high ?? estimate]);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const logarithmic = least > 0 && most / least > wide;
  const [from, to] = logarithmic
    ? [Math.log(least), Math.log(most)]
    : [Math.min(0, least), Math.max(0, most)];
  return (value) => {
    const share = to === from ? 0 : ((logarithmic ? Math.log(value) : value) - from) / (to - from);
    return Math.max(0, Math.min(barWidth - 1, Math.round(share * (barWidth - 1))));
  };
}

function bar({ estimate, low, high }: Interval, column: (value: number) => number): string {
  const [from, to, at] = [low ?? estimate, high ?? estimate, estimate].map(column) as [
    number,
    number,
    number,
  ];
  return Array.from({ length: barWidth }, (_, i) => (i === at ? '●' : i >= from && i <= to ? '━' : '·')).join(
    '',
  );
}

/** Cells of the last trials, in the order of their first ones, as many as there are lines for. */
function cellLines(live: Live, room: number, width: number, ink: Ansis): string[] {
  const recent = new Set(
    [...live.cells.values()].sort((a, b) => b.trial - a.trial).slice(0, Math.max(0, room)),
  );
  const shown = [...live.cells.values()].filter((cell) => recent.has(cell));
  const rows = shown.map((cell) => ({ cell, interval: meanInterval(cell.values) }));
  const labels = Math.min(
    Math.max(0, ...shown.map(({ label }) => label.length)),
    Math.max(12, width - barWidth - 40),
  );
  return rows.map(({ cell, interval }) => {
    const column = scaleOf(rows.filter((row) => row.cell.metric === cell.metric).map((row) => row.interval));
    const figure =
      interval.low === null
        ? `${withInterval({ ...interval, low: 0, high: 0 }).replace(/ \[.*/, '')} ${cell.unit}, ${counted(cell.values.length, 'trial')}`
        : withInterval(interval, cell.unit);
    const plain = `${cut(cell.label, labels).padEnd(labels)}  ${bar(interval, column)}  ${figure}`;
    const text = cut(plain, width);
    const [start, end] = [labels + 2, labels + 2 + barWidth];
    return text.slice(0, start) + ink.cyan(text.slice(start, end)) + text.slice(end);
  });
}

const open = (verdict: string) => verdict === 'inconclusive';

/** 'T3 supported (block 2)  T4 open' */
function verdictLine(verdicts: Live['verdicts'], width: number, ink: Ansis): string[] {
  const parts = [...verdicts]
    .filter(([, { verdict }]) => verdict !== 'not tested')
    .map(([claim, { verdict, since, before }]) => {
      const word = open(verdict) ? 'open' : verdict;
      const turned = since !== null && before !== null && before !== 'not tested';
      return { text: `${claim} ${word}${turned ? ` (block ${since + 1})` : ''}`, verdict };
    });
  if (parts.length === 0) return [];
  const shown: typeof parts = [];
  let length = 'claims'.length;
  for (const part of parts) {
    length += 2 + part.text.length;
    if (length > width - 2) break;
    shown.push(part);
  }
  const colour = (verdict: string) =>
    verdict === 'supported' ? ink.green : verdict === 'contradicted' ? ink.red : ink.yellow;
  const more = shown.length < parts.length ? ' …' : '';
  return [`claims  ${shown.map(({ text, verdict }) => colour(verdict)(text)).join('  ')}${more}`];
}

export interface Screen {
  columns: number;
  rows: number;
  elapsedMs: number;
  ink: Ansis;
}

/** None before the run has started. */
export function liveLines(live: Live, { columns, rows, elapsedMs, ink }: Screen): string[] {
  const { run, current, last, precision } = live;
  if (!run) return [];
  const width = columns - 1;
  const share = Math.min(1, Math.max(live.finished / (run.cells * run.blocks.min), elapsedMs / run.budgetMs));
  const filled = Math.round(share * 30);
  const left = `at most ${clock(run.budgetMs - elapsedMs)} left`;
  const above = [
    ink.cyan('━'.repeat(filled)) + ink.dim('━'.repeat(30 - filled)),
    cut(
      `${current ? placeOf(current, run.cells) : 'starting'} · ${clock(elapsedMs)} elapsed, ${left}`,
      width,
    ),
    ...(current ? [cut(`now   ${nowOf(current)}`, width)] : []),
    ...(last ? [cut(`last  ${cellOf(last)}: ${outcome(last)}`, width)] : []),
  ];
  const below = [
    ...verdictLine(live.verdicts, width, ink),
    ...(precision === null
      ? []
      : [cut(`every interval is within ±${(precision * 100).toFixed(1)} % so far`, width)]),
    ...live.warnings.map((warning) => ink.yellow(cut(`!     ${warning}`, width))),
  ];
  return [...above, ...cellLines(live, rows - above.length - below.length - 2, width, ink), ...below];
}
