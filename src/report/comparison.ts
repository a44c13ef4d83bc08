/** A comparison in the forms people and other programs read. */
import Table from 'cli-table3';
import { circumstances } from '../analysis/cells.js';
import type { ComparedRow, Comparison, RunComparison } from '../analysis/compare.js';
import { type GateSummary, type GateVerdict, gateSummary, type RowGate } from '../analysis/gate.js';
import { number } from '../number.js';
import { percent, signed } from './format.js';

export const comparisonFormats = ['terminal', 'markdown', 'json', 'junit', 'benchstat', 'node-csv'] as const;
export type ComparisonFormat = (typeof comparisonFormats)[number];

/** What one kind of comparison prints in its own way. */
export interface Wording<Row extends ComparedRow> {
  /** the command that made it */
  command: string;
  /** what its two sides are called in tables */
  sides: readonly [string, string];
  /** the column that says how much stands behind a row */
  weight: { head: string; of(row: Row): string };
  verdict(row: Row): string;
  /** what a decision needs more of: 'trials in either run' */
  units: string;
  /** lines that explain the table in a terminal */
  legend: string;
}

/** A condition, and what it says of these rows. */
export interface Gate {
  row: RowGate;
  summary: GateSummary;
}

export const gateFor = (condition: string, row: RowGate, rows: readonly ComparedRow[]): Gate => ({
  row,
  summary: gateSummary(condition, row, rows),
});

interface Printed<Row extends ComparedRow> {
  rows: readonly Row[];
  wording: Wording<Row>;
  gate: Gate | null;
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** 'not resolved: about 40 pairs would decide' */
function verdictWords({ outcome, needed }: GateVerdict, units: string): string {
  return needed ? `${outcome}: about ${needed} ${units} would decide` : outcome;
}

/** The condition's verdict on the whole, in one sentence. */
export function gateSentence(
  { condition, outcome, needed, failed, open, rows }: GateSummary,
  units: string,
): string {
  if (outcome === 'failed') return `'${condition}' holds in ${failed} of ${rows} comparisons`;
  if (outcome === 'passed') return `'${condition}' is ruled out in all of ${rows} comparisons`;
  if (rows === 0) return `'${condition}' is not resolved: it speaks of nothing that was compared`;
  const more = needed ? `; about ${needed} ${units} would decide` : '';
  return `'${condition}' is not resolved in ${open} of ${rows} comparisons${more}`;
}

/** Levels as benchmark names have them: backend=epoll/idle=0. */
const path = ({ levels, host }: ComparedRow) =>
  Object.entries({ ...levels, host })
    .filter(([, level]) => level !== null)
    .map(([name, level]) => `${name}=${level}`)
    .join('/');

const headOf = <Row extends ComparedRow>({ wording: { sides, weight }, gate }: Printed<Row>) => [
  ...['cell', 'metric', ...sides, 'shift [interval]', weight.head, 'p', ''],
  ...(gate ? [gate.summary.condition] : []),
];

function cellsOf<Row extends ComparedRow>(row: Row, { wording, gate }: Printed<Row>): string[] {
  const { metric, a, b, scale, shift, low, high, p, confidence } = row;
  const moved = (by: number) =>
    scale === 'ratio' ? percent(by) : signed(by, metric.unit === '%' ? 'pp' : metric.unit);
  // The usual 95 % goes unsaid; less, for want of trials, does not.
  const short = confidence < 0.95 ? ` ${Math.floor(100 * confidence)} %` : '';
  const ends = low === null || high === null ? 'no interval' : `[${moved(low)}, ${moved(high)}]${short}`;
  const verdict = gate?.row(row);
  return [
    [row.label, circumstances(row.levels), row.host].filter(Boolean).join(', '),
    `${metric.title} (${metric.unit})`,
    number(average(a)),
    number(average(b)),
    `${moved(shift)} ${ends}`,
    wording.weight.of(row),
    p < 0.001 ? '<.001' : p.toFixed(3),
    wording.verdict(row),
    ...(gate ? [verdict ? verdictWords(verdict, wording.units) : ''] : []),
  ];
}

function terminal<Row extends ComparedRow>(printed: Printed<Row>): string {
  const { rows, wording } = printed;
  const table = new Table({
    head: ['cell', ...wording.sides, 'shift', wording.weight.head, 'p', ''],
    colWidths: [21, 10, 11, 26, 7, 7, 10],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  const parts: string[] = [];
  for (const title of new Set(rows.map(({ metric }) => metric.title))) {
    table.length = 0;
    const family = rows.filter(({ metric }) => metric.title === title);
    for (const row of family) table.push(cellsOf(row, { ...printed, gate: null }).filter((_, i) => i !== 1));
    parts.push(`${title} (${family[0]!.metric.unit})\n${table.toString()}`);
  }
  return parts.join('\n\n');
}

const markdownRow = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function markdown<Row extends ComparedRow>(printed: Printed<Row>): string {
  const head = headOf(printed);
  return [
    markdownRow(head),
    markdownRow(head.map(() => '---')),
    ...printed.rows.map((row) => markdownRow(cellsOf(row, printed))),
  ].join('\n');
}

const xml = (text: string) => text.replaceAll(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** What cannot be decided is an error: the test is no failure, and must not pass for a success. */
function junit<Row extends ComparedRow>(printed: Printed<Row>): string {
  const { rows, wording, gate } = printed;
  const cases = rows.map((row) => {
    const name = xml(`${path(row)} ${row.metric.id}`);
    const verdict = gate?.row(row);
    const element = { failed: 'failure', 'not resolved': 'error', passed: null }[
      verdict?.outcome ?? 'passed'
    ];
    const body = element ? `<${element} message="${xml(cellsOf(row, printed).join('; '))}"/>` : '';
    return `  <testcase classname="${xml(row.experiment)}" name="${name}">${body}</testcase>`;
  });
  const { failed = 0, open = 0 } = gate?.summary ?? {};
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="dispatchbench ${wording.command}" tests="${rows.length}" failures="${failed}" errors="${open}">\n${cases.join('\n')}\n</testsuite>`;
}

/** Go's benchmark format, a line per trial: `benchstat -col /run FILE` compares it anew. */
function benchstat(rows: readonly ComparedRow[]): string {
  const unit = ({ metric: { id, unit } }: ComparedRow) =>
    unit === 'µs' ? `${id}-µs/op` : unit === '%' ? `${id}-%` : unit;
  return rows
    .flatMap((row) =>
      (['a', 'b'] as const).flatMap((side) =>
        row[side].map(
          (value) =>
            `Benchmark${row.experiment}/run=${side.toUpperCase()}/${path(row)} 1 ${Number(value.toPrecision(8))} ${unit(row)}`,
        ),
      ),
    )
    .join('\n');
}

/** The columns of Node's benchmark/compare.R: rates, a row per trial. */
function nodeCsv(rows: readonly ComparedRow[]): string {
  const lines = rows
    .filter(({ metric }) => metric.id === 'throughput')
    .flatMap((row) =>
      (['a', 'b'] as const).flatMap((side) =>
        row[side].map((rate) => {
          const configuration = path(row).replaceAll('/', ' ');
          return `"${side === 'a' ? 'old' : 'new'}", "${row.experiment}", "${configuration}", ${rate}, ${1 / rate}`;
        }),
      ),
    );
  return ['"binary", "filename", "configuration", "rate", "time"', ...lines].join('\n');
}

/** Any comparison in any form. @param whole beside the rows, in JSON */
export function formatRows<Row extends ComparedRow>(
  printed: Printed<Row>,
  preamble: string,
  whole: object,
  as: ComparisonFormat,
): string {
  const { rows, wording, gate } = printed;
  const verdict = gate ? `\n\n${gateSentence(gate.summary, wording.units)}` : '';
  switch (as) {
    case 'terminal':
      return `${preamble}\n\n${terminal(printed)}\n\n${wording.legend}${verdict}`;
    case 'markdown':
      return `${preamble}\n\n${markdown(printed)}${verdict}`;
    case 'json':
      return JSON.stringify(
        {
          ...whole,
          gate: gate?.summary ?? null,
          rows: rows.map((row) => {
            const one = gate?.row(row) ?? null;
            return { ...row, metric: row.metric.id, fails: one?.outcome === 'failed', gate: one };
          }),
        },
        null,
        2,
      );
    case 'junit':
      return junit(printed);
    case 'benchstat':
      return benchstat(rows);
    case 'node-csv':
      return nodeCsv(rows);
  }
}

/** False alarms of this comparison by simulation, runs of ten trials whose levels differ by a quarter of the spread within one. */
const apart =
  "- runs made one after the other differ by more than their trials do: where by a quarter of the trials' spread, 18 % of " +
  "equal ones are called different. To compare two builds, run both in one: 'dispatchbench ab'";

/** What a reader must know before the figures: the environment's differences and the cells left out. */
export function preamble({ environment, rows, unmatched }: RunComparison): string {
  const different = environment.map(({ what, a, b }) => `! ${what} differs: A ${a}; B ${b}`);
  const [first] = unmatched;
  const left = first
    ? [
        `- ${unmatched.length} cells are in one run only and not compared, for example in ${first.run}: ${first.cell}`,
      ]
    : [];
  const hopeless = rows.filter((row) => row.hopeless).length;
  const few =
    hopeless > 0
      ? [
          `- too few trials: in ${hopeless} of ${rows.length} comparisons not even a complete separation could be shown; run more blocks, or compare fewer metrics with --metric`,
        ]
      : [];
  return [...(different.length > 0 ? different : ['The environments agree.']), ...left, ...few, apart].join(
    '\n',
  );
}

const ofRuns: Wording<Comparison> = {
  command: 'compare',
  sides: ['A', 'B'],
  weight: { head: 'δ', of: ({ effect }) => effect.toFixed(2) },
  verdict: ({ change }) => change,
  units: 'trials in either run',
  legend:
    "~ nothing is shown at 5 % after Holm's correction; δ is Cliff's delta of B against A;\n  pp are percentage points.",
};

/** @param gate null: no condition was given */
export const formatComparison = (
  comparison: RunComparison,
  as: ComparisonFormat,
  gate: Gate | null,
): string =>
  formatRows({ rows: comparison.rows, wording: ofRuns, gate }, preamble(comparison), comparison, as);

/** The condition's verdict on two runs, in one sentence. */
export const runsGateSentence = ({ summary }: Gate): string => gateSentence(summary, ofRuns.units);
