/** A comparison in the forms people and other programs read. */
import Table from 'cli-table3';
import { circumstances } from '../analysis/cells.js';
import type { ComparedRow, Comparison, RunComparison } from '../analysis/compare.js';
import {
  type GateOptions,
  type GateSummary,
  type GateVerdict,
  gateSummary,
  type RowCondition,
  rowConditions,
  rowVerdict,
} from '../analysis/gate.js';
import { type Outcome, worst } from '../contract/conditions.js';
import { counted, number } from '../number.js';
import { meanInterval } from '../statistics/interval.js';
import { percent, signed } from './format.js';

export const comparisonFormats = [
  'terminal',
  'markdown',
  'json',
  'junit',
  'benchstat',
  'node-csv',
  'prometheus',
  // What github-action-benchmark calls them in `tool:`; a file of its takes rows of one direction.
  'customSmallerIsBetter',
  'customBiggerIsBetter',
] as const;
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

/** Conditions, and what they say of these rows. */
export interface Gate {
  conditions: readonly RowCondition[];
  outcome: Outcome;
  /** of each condition */
  summaries: readonly GateSummary[];
}

export function gateOn(conditions: readonly RowCondition[], rows: readonly ComparedRow[]): Gate {
  const summaries = conditions.map((one) => gateSummary(one, rows));
  return { conditions, summaries, outcome: worst(summaries.map(({ outcome }) => outcome)) };
}

/** @throws Error in one sentence where the text is no condition */
export const gateFor = (text: string, rows: readonly ComparedRow[], options?: GateOptions): Gate =>
  gateOn(rowConditions(text, options), rows);

const verdictOn = (gate: Gate | null, row: ComparedRow): GateVerdict | null =>
  gate && rowVerdict(gate.conditions, row);

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

/** A condition's verdict on the whole, in one sentence. */
function gateSentence(
  { condition, outcome, needed, failed, open, rows }: GateSummary,
  units: string,
): string {
  if (outcome === 'failed') return `'${condition}' does not hold in ${failed} of ${rows} comparisons`;
  if (outcome === 'passed') return `'${condition}' holds in all of ${rows} comparisons`;
  if (rows === 0) return `'${condition}' is not resolved: it speaks of nothing that was compared`;
  const more = needed ? `; about ${needed} ${units} would decide` : '';
  return `'${condition}' is not resolved in ${open} of ${rows} comparisons${more}`;
}

/** The same of each condition. */
export const gateSentences = ({ summaries }: Gate, units: string): string[] =>
  summaries.map((one) => gateSentence(one, units));

/** Levels as benchmark names have them: backend=epoll/idle=0. */
const path = ({ levels, host }: ComparedRow) =>
  Object.entries({ ...levels, host })
    .filter(([, level]) => level !== null)
    .map(([name, level]) => `${name}=${level}`)
    .join('/');

const headOf = <Row extends ComparedRow>({ wording: { sides, weight }, gate }: Printed<Row>) => [
  ...['cell', 'metric', ...sides, 'shift [interval]', weight.head, 'p', ''],
  ...(gate ? [gate.conditions.map(({ text }) => text).join(', ')] : []),
];

function cellsOf<Row extends ComparedRow>(row: Row, { wording, gate }: Printed<Row>): string[] {
  const { metric, a, b, scale, shift, low, high, p, confidence } = row;
  const moved = (by: number) =>
    scale === 'ratio' ? percent(by) : signed(by, metric.unit === '%' ? 'pp' : metric.unit);
  // The usual 95 % goes unsaid; less, for want of trials, does not.
  const short = confidence < 0.95 ? ` ${Math.floor(100 * confidence)} %` : '';
  const ends = low === null || high === null ? 'no interval' : `[${moved(low)}, ${moved(high)}]${short}`;
  const verdict = verdictOn(gate, row);
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
    const verdict = verdictOn(gate, row);
    const element = { failed: 'failure', 'not resolved': 'error', passed: null }[
      verdict?.outcome ?? 'passed'
    ];
    const body = element ? `<${element} message="${xml(cellsOf(row, printed).join('; '))}"/>` : '';
    return `  <testcase classname="${xml(row.experiment)}" name="${name}">${body}</testcase>`;
  });
  const count = (wanted: Outcome) => rows.filter((row) => verdictOn(gate, row)?.outcome === wanted).length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="dispatchbench ${wording.command}" tests="${rows.length}" failures="${count('failed')}" errors="${count('not resolved')}">\n${cases.join('\n')}\n</testsuite>`;
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

/** Half of the width of the mean's 95 % interval: '± 0.2'; nothing where there are too few trials. */
function rangeOf(values: readonly number[]): string {
  const { estimate, low, high } = meanInterval(values, 'linear');
  return low === null || high === null
    ? ''
    : `± ${Number(Math.max(high - estimate, estimate - low).toPrecision(3))}`;
}

/** The second side's figures for github-action-benchmark, which keeps them from commit to commit. */
function actionBenchmark<Row extends ComparedRow>(printed: Printed<Row>, better: 'lower' | 'higher'): string {
  const rows = printed.rows.filter(({ metric }) => metric.better === better);
  return JSON.stringify(
    rows.map((row) => ({
      name: `${row.experiment}/${path(row)} ${row.metric.title}`,
      unit: row.metric.unit,
      value: average(row.b),
      range: rangeOf(row.b),
      extra: cellsOf(row, printed).slice(2).filter(Boolean).join('; '),
    })),
    null,
    2,
  );
}

const prometheusText = (text: string) => text.replaceAll(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

/** Labels, names of factors as Prometheus takes them. */
const labels = (of: Record<string, string | number | null>) =>
  Object.entries(of)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replaceAll(/\W/g, '_')}="${prometheusText(`${value}`)}"`)
    .join(',');

/** Prometheus' text format, as the node exporter's textfile collector and push gateways take it. */
function prometheus<Row extends ComparedRow>({ rows, wording, gate }: Printed<Row>): string {
  const of = ({ experiment, metric, levels, host }: Row) => ({
    ...{ experiment, metric: metric.id, unit: metric.unit },
    ...levels,
    host,
  });
  const family = (name: string, help: string, samples: readonly [object, number | null][]) => [
    `# HELP dispatchbench_${name} ${help}`,
    `# TYPE dispatchbench_${name} gauge`,
    ...samples.flatMap(([of, value]) =>
      value === null ? [] : [`dispatchbench_${name}{${labels(of as Record<string, string>)}} ${value}`],
    ),
  ];
  const outcomes = { passed: 0, failed: 1, 'not resolved': 2 } as const;
  return [
    ...family(
      'figure',
      'Mean over trials.',
      rows.flatMap((row) => [
        [{ ...of(row), side: wording.sides[0] }, average(row.a)],
        [{ ...of(row), side: wording.sides[1] }, average(row.b)],
      ]),
    ),
    ...family(
      'shift',
      'Second side against the first: a share, or a difference in the unit where scale says so.',
      rows.map((row) => [{ ...of(row), scale: row.scale }, row.shift]),
    ),
    ...family(
      'shift_low',
      'Lower end of the interval of the shift.',
      rows.map((row) => [of(row), row.low]),
    ),
    ...family(
      'shift_high',
      'Upper end of it.',
      rows.map((row) => [of(row), row.high]),
    ),
    ...family(
      'p_value',
      'Adjusted by Holm over all rows.',
      rows.map((row) => [of(row), row.p]),
    ),
    ...(gate
      ? family(
          'threshold',
          'What a condition says: 0 it holds, 1 it does not, 2 not resolved.',
          gate.summaries.map(({ condition, outcome }) => [{ condition }, outcomes[outcome]]),
        )
      : []),
  ].join('\n');
}

/** Any comparison in any form. @param whole beside the rows, in JSON */
export function formatRows<Row extends ComparedRow>(
  printed: Printed<Row>,
  preamble: string,
  whole: object,
  as: ComparisonFormat,
): string {
  const { rows, wording, gate } = printed;
  const verdict = gate ? `\n\n${gateSentences(gate, wording.units).join('\n')}` : '';
  switch (as) {
    case 'terminal':
      return `${preamble}\n\n${terminal(printed)}\n\n${wording.legend}${verdict}`;
    case 'markdown':
      return `${preamble}\n\n${markdown(printed)}${verdict}`;
    case 'json':
      return JSON.stringify(
        {
          ...whole,
          outcome: gate?.outcome ?? null,
          conditions: gate?.summaries ?? [],
          rows: rows.map((row) => {
            const one = verdictOn(gate, row);
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
    case 'prometheus':
      return prometheus(printed);
    case 'customSmallerIsBetter':
      return actionBenchmark(printed, 'lower');
    case 'customBiggerIsBetter':
      return actionBenchmark(printed, 'higher');
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
        `- not compared: ${counted(unmatched.length, 'cell')} of one run only, for example in ${first.run}: ${first.cell}`,
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

/** Verdicts of conditions on two runs, a sentence each. */
export const runsGateSentences = (gate: Gate): string[] => gateSentences(gate, ofRuns.units);
