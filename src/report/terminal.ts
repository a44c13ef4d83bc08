/** What a run found, in at most 100 columns of a terminal. */
import { stripVTControlCharacters } from 'node:util';
import ansis from 'ansis';
import Table from 'cli-table3';
import type { Analysis, ExperimentAnalysis } from '../analysis/analyse.js';
import { type Series, seriesLabel } from '../analysis/cells.js';
import type { VerdictName } from '../analysis/verdicts.js';
import { factorName, number, terminalWidth, withInterval, worded, wrap } from './format.js';

const bars = '▁▂▃▄▅▆▇█';

/** One character per value, on a logarithmic scale over [low, high]. */
export function sparkline(values: readonly number[], low: number, high: number): string {
  const span = Math.log(high / low);
  return values
    .map((value) => {
      const share = span > 0 ? Math.log(value / low) / span : 0;
      return bars[Math.min(bars.length - 1, Math.max(0, Math.floor(share * bars.length)))];
    })
    .join('');
}

const borders = { head: [], border: [], compact: true };

/** Up to 9 999 999 as in any table; beyond that by power of ten, which always fits. */
const brief = (value: number, digits: number) =>
  Math.abs(value) < 1e7 ? number(value, digits) : value.toExponential(digits - 1).replace('e+', 'e');

/** Mean and half width: "6.41 ± 0.03". Asymmetric intervals take their wider side. */
function plusMinus(experiment: ExperimentAnalysis, series: Series, x: number, id: string): string {
  const point = series.points.find((candidate) => candidate.x === x);
  const interval = point && experiment.summaryOf(point.cell).figures.get(id)?.interval;
  if (!interval) return '–';
  const { estimate, low, high } = interval;
  if (low === null || high === null) return `${brief(estimate, 3)} (1 trial)`;
  const half = Math.max(high - estimate, estimate - low);
  return `${brief(estimate, 3)} ± ${brief(half, 2)}`;
}

/** Widths for a table that would not fit: its cells break between mean and half width. */
const narrow = { colWidths: [22, 17, 17, 14, 14, 9], wordWrap: true };

/** At most `count` of the values, evenly taken, both ends among them. */
function thinned(values: readonly number[], count: number): number[] {
  if (values.length <= count) return [...values];
  return Array.from(
    { length: count },
    (_, i) => values[Math.round((i * (values.length - 1)) / (count - 1))]!,
  );
}

const fits = (text: string) =>
  stripVTControlCharacters(text)
    .split('\n')
    .every((line) => line.length <= terminalWidth);

const costs = ['cpu-per-request', 'open-cpu-per-request'];

function experimentTable(experiment: ExperimentAnalysis): string | null {
  const { series, factor } = experiment;
  const figuresOf = (one: Series, id: string) =>
    one.points.flatMap(({ cell }) => experiment.summaryOf(cell).figures.get(id)?.interval.estimate ?? []);
  // A series without a closed loop has no peak; what it was offered and answered, and its cost then, stand in.
  const firstMeasured = (one: Series, names: readonly string[]) =>
    names.find((name) => figuresOf(one, name).length > 0);
  const hasCpu = series.some((one) => firstMeasured(one, costs));
  const measured = series.flatMap((one) => {
    const id = firstMeasured(one, hasCpu ? costs : ['latency-p50']);
    const rate = firstMeasured(one, ['throughput', 'reply-rate']) ?? 'throughput';
    return id ? [{ one, id, rate, trend: figuresOf(one, id) }] : [];
  });
  if (measured.length === 0) return null;
  const figures = measured.flatMap(({ trend }) => trend);
  const [low, high] = [Math.min(...figures), Math.max(...figures)];
  const levels = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const [first, last] = [levels[0]!, levels[levels.length - 1]!];
  const name = hasCpu ? 'CPU' : 'p50';
  const words = (text: string) => worded(experiment.name, text);
  const head = [
    '',
    `per s at ${number(first)}`,
    `at ${number(last)}`,
    `${name} µs at ${number(first)}`,
    `at ${number(last)}`,
    'growth',
  ];
  const rows: string[][] = [];
  // What every series shares is no part of its label: there is room for what tells them apart.
  const servers = new Set(series.map(({ levels }) => seriesLabel({ ...levels, backend: null })));
  const shared = servers.size === 1 ? ` · ${[...servers][0]}` : '';
  for (const { one, id, rate, trend } of measured) {
    rows.push([
      one.label.replace(shared, '').slice(0, 22),
      plusMinus(experiment, one, first, rate),
      plusMinus(experiment, one, last, rate),
      plusMinus(experiment, one, first, id),
      plusMinus(experiment, one, last, id),
      sparkline(thinned(trend, 7), low, high),
    ]);
  }
  const drawn = (widths: Partial<typeof narrow>) => {
    const table = new Table({
      head,
      style: borders,
      colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
      ...widths,
    });
    table.push(...rows);
    return table.toString();
  };
  const natural = drawn({});
  const what = hasCpu ? 'server CPU per request' : 'median latency';
  const title = wrap(
    `${experiment.name}: throughput and ${words(what)} against ${factorName(factor)} (mean ± 95 %)`,
  );
  return `${ansis.bold(title)}\n${fits(natural) ? natural : drawn(narrow)}`;
}

const paint: Record<VerdictName, (text: string) => string> = {
  supported: ansis.green,
  contradicted: ansis.red,
  inconclusive: ansis.yellow,
  'not tested': ansis.dim,
};

/** One line per claim that was tested, with its weakest row; the others are counted. */
export function claimsTable({ verdicts }: Analysis, everything = false): string {
  const table = new Table({
    head: ['claim', 'verdict', 'statement and evidence'],
    colWidths: [7, 14, 75],
    wordWrap: true,
    style: borders,
  });
  const shown = verdicts.filter(({ verdict }) => everything || verdict !== 'not tested');
  for (const { claim, verdict, evidence, missing, reference } of shown) {
    const order = ['contradicted', 'inconclusive', 'supported'];
    const [row] = [...evidence].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
    const detail = row
      ? `${row.subject}: ${withInterval(row, row.unit)}, n = ${row.n}; ${row.measure}`
      : `missing: ${missing}; supplied by: ${claim.supply}`;
    const incomplete = row && missing ? `\nnot complete: ${missing}` : '';
    const theirs = reference ? `\nthe source's own table: ${reference.verdict}` : '';
    table.push([
      claim.id,
      paint[verdict](verdict),
      `${claim.statement}\n${ansis.dim(detail)}${incomplete}${theirs}`,
    ]);
  }
  const rest = verdicts.length - shown.length;
  return shown.length === 0
    ? `No claim could be tested (${rest} need other cells).`
    : `${table}${rest > 0 ? `\n${rest} more claims need cells this run does not hold.` : ''}`;
}

/** The closing table of a run. */
export function outcome(analysis: Analysis): string {
  const doubts = analysis.notices
    .filter(({ level }) => level !== 'good')
    .map(({ level, text }) =>
      level === 'serious' ? ansis.red(wrap(`! ${text}`, '  ')) : ansis.yellow(wrap(`- ${text}`, '  ')),
    );
  const tables = analysis.experiments.map(experimentTable).filter((text) => text !== null);
  return [...tables, claimsTable(analysis), ...(doubts.length > 0 ? [doubts.join('\n')] : [])].join('\n\n');
}
