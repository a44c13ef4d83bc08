/** What a run found, in at most 100 columns of a terminal. */
import { stripVTControlCharacters } from 'node:util';
import ansis from 'ansis';
import Table from 'cli-table3';
import type { HostComparison } from '../analysis/across-hosts.js';
import type { Analysis, ExperimentAnalysis } from '../analysis/analyse.js';
import { type Series, seriesLabel } from '../analysis/cells.js';
import type { VerdictName } from '../analysis/verdicts.js';
import { cited } from '../claims/bibliography.js';
import type { Claim } from '../claims/claim.js';
import type { Experiment } from '../experiments/experiment.js';
import { knownExperiment } from '../experiments/registry.js';
import { number } from '../number.js';
import { type MetricId, metric, metrics } from '../trials/registry.js';
import { costsByHost, rankingColumns, rankingRows, rankingTitle } from './across-hosts.js';
import { answerInWords, answerPlot } from './answer.js';
import { decidingInterval, terminalWidth, wrap } from './format.js';
import { factorName, worded } from './words.js';

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
  if (low === null || high === null) return `${brief(estimate, 3)} (n = ${interval.n})`;
  const half = Math.max(high - estimate, estimate - low);
  return `${brief(estimate, 3)} ± ${brief(half, 2)}`;
}

/** Widths for a table of so many columns that would not fit: its cells break between mean and half width. */
const narrow = (columns: number) => ({
  colWidths: [22, ...Array<number>(columns - 2).fill(Math.floor(62 / (columns - 2))), 9],
  wordWrap: true,
});

/** "Server CPU per request, open loop" -> "server CPU per request" */
const inSentence = (title: string) => title.charAt(0).toLowerCase() + title.slice(1).split(',')[0]!;

/** Lines of at most so many characters, broken between the parts of a label; a longer part is broken anywhere. */
function folded(label: string, most: number): string {
  const lines: string[] = [];
  for (const part of label.split(' · ').flatMap((one) => one.match(new RegExp(`.{1,${most}}`, 'gu')) ?? [])) {
    const joined = lines.length > 0 ? `${lines[lines.length - 1]} · ${part}` : part;
    if (lines.length > 0 && joined.length <= most) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines.join('\n');
}

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

const idsOf = (better: 'higher' | 'lower') =>
  metrics.filter((one) => one.better === better).map(({ id }) => id);

/** Of an experiment that this version does not know: whatever it has. */
const anyFigure: Experiment['closing'] = { rates: idsOf('higher'), costs: idsOf('lower') };

/** A series with the figures that stand for it: of those asked for, the first that it has. */
interface Row {
  one: Series;
  rate: MetricId | null;
  cost: MetricId;
  trend: number[];
}

function rowsOf({ series, summaryOf }: ExperimentAnalysis, { rates, costs }: Experiment['closing']): Row[] {
  const figuresOf = (one: Series, id: MetricId) =>
    one.points.flatMap(({ cell }) => summaryOf(cell).figures.get(id)?.interval.estimate ?? []);
  const first = (one: Series, ids: readonly MetricId[]) =>
    ids.find((id) => figuresOf(one, id).length > 0) ?? null;
  return series.flatMap((one): Row[] => {
    const cost = first(one, costs);
    return cost ? [{ one, rate: first(one, rates), cost, trend: figuresOf(one, cost) }] : [];
  });
}

/** "CPU µs" for a cost of CPU time, else the unit alone: there is little room, and the title says it whole. */
function shortName(id: MetricId): string {
  const { title, unit } = metric(id);
  return /CPU/.test(title) ? `CPU ${unit}` : /latency|response/i.test(title) ? `p50 ${unit}` : unit;
}

/** Of bytes the unit says how many they are; anything else is counted. */
function rateUnit(rows: readonly Row[]): string {
  const first = rows.find(({ rate }) => rate !== null)?.rate;
  const unit = first ? metric(first).unit : '';
  return unit.endsWith('B/s') ? unit : 'per s';
}

function plainTable(
  title: string,
  head: readonly string[],
  rows: readonly string[][],
  colWidths: number[],
): string {
  const table = new Table({ head: [...head], style: borders, colWidths, wordWrap: true });
  table.push(...rows);
  return `${ansis.bold(wrap(title))}\n${table}`;
}

function hostTables(hosts: HostComparison, factor: string): string {
  const rankings = hosts.rankings.map((one) =>
    plainTable(rankingTitle(one, factor), rankingColumns, rankingRows(one), [7, 22, 11, 15, 33, 5]),
  );
  const { names, rows } = costsByHost(hosts);
  const costs = plainTable(
    `What a host costs${hosts.reference ? `, and how many times that of ${hosts.reference.name}` : ''} (mean with 95 % interval)`,
    ['Host', 'Class', ...names],
    rows,
    [17, 11, ...names.map(() => Math.floor((71 - 3 - names.length) / names.length))],
  );
  return [...rankings, ...(hosts.costs.length > 0 ? [costs] : [])].join('\n\n');
}

function experimentTable(experiment: ExperimentAnalysis): string | null {
  if (experiment.hosts) return hostTables(experiment.hosts, experiment.factor);
  const { series, factor, name } = experiment;
  const measured = rowsOf(experiment, knownExperiment(name)?.closing ?? anyFigure);
  if (measured.length === 0) return null;
  // A scale is absolute, so it is that of one class of hosts.
  const scaleOf = ({ host }: Series): [number, number] => {
    const figures = measured
      .filter(({ one }) => one.host.executionClass === host.executionClass)
      .flatMap(({ trend }) => trend);
    return [Math.min(...figures), Math.max(...figures)];
  };
  const levels = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const [first, last] = [levels[0]!, levels[levels.length - 1]!];
  const [{ cost: leading }] = measured as [Row];
  const hasRate = measured.some(({ rate }) => rate !== null);
  const ends = (what: string) =>
    first === last ? [what] : [`${what} at ${number(first)}`, `at ${number(last)}`];
  // Servers side by side: nothing grows.
  const grows = factor !== '';
  const head = [
    '',
    ...(hasRate ? ends(rateUnit(measured)) : []),
    ...ends(shortName(leading)),
    ...(grows ? ['growth'] : []),
  ];
  const rows: string[][] = [];
  // What every series shares is no part of its label: there is room for what tells them apart.
  const servers = new Set(series.map(({ levels }) => seriesLabel({ ...levels, backend: null })));
  const shared = servers.size === 1 ? ` · ${[...servers][0]}` : '';
  for (const { one, cost, rate, trend } of measured) {
    const at = (id: MetricId | null) =>
      (first === last ? [first] : [first, last]).map((x) =>
        id === null ? '–' : plusMinus(experiment, one, x, id),
      );
    rows.push([
      folded(one.label.replace(shared, ''), grows ? 20 : 60),
      ...(hasRate ? at(rate) : []),
      ...at(cost),
      ...(grows ? [sparkline(thinned(trend, 7), ...scaleOf(one))] : []),
    ]);
  }
  const drawn = (widths: Partial<ReturnType<typeof narrow>>) => {
    const table = new Table({
      head,
      style: borders,
      colAligns: head.map((_, i) => (i === 0 || (grows && i === head.length - 1) ? 'left' : 'right')),
      ...widths,
    });
    table.push(...rows);
    return table.toString();
  };
  const natural = drawn({});
  const what = worded(name, inSentence(metric(leading).title));
  const along = factor === '' ? '' : ` against ${factorName(factor)}`;
  const title = wrap(`${name}: ${hasRate ? 'throughput and ' : ''}${what}${along} (mean ± 95 %)`);
  return `${ansis.bold(title)}\n${fits(natural) ? natural : drawn(narrow(head.length))}`;
}

const paint: Record<VerdictName, (text: string) => string> = {
  supported: ansis.green,
  contradicted: ansis.red,
  inconclusive: ansis.yellow,
  'not tested': ansis.dim,
};

const ofStanding = ({ standing }: Claim): string =>
  standing ? `\nthe source's own figures: ${standing.is}: ${standing.because}` : '';

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
    const deciding = evidence.filter(({ beside }) => !beside);
    const [row] = (deciding.length > 0 ? deciding : [...evidence]).sort(
      (a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome),
    );
    const detail = row
      ? `${row.subject}: ${decidingInterval(row)}, n = ${row.n}; ${row.measure}`
      : 'planned' in claim
        ? missing
        : `missing: ${missing}; supplied by: ${claim.supply}`;
    const incomplete = row && missing ? `\nnot complete: ${missing}` : '';
    const theirs = reference ? `\nthe source's own table: ${reference.verdict}` : '';
    table.push([
      claim.id,
      paint[verdict](verdict),
      `${claim.statement}\n${ansis.dim(`${cited(claim.source)}\n${detail}${ofStanding(claim)}`)}${incomplete}${theirs}`,
    ]);
  }
  const rest = verdicts.length - shown.length;
  return shown.length === 0
    ? `No claim could be tested (${rest} need other cells).`
    : `${table}${rest > 0 ? `\n${rest} more claims need cells this run does not hold.` : ''}`;
}

/** Columns of the longest bar. */
const longestBar = 40;

/** The answer's picture where its axis ends, a bar for each mechanism. */
function barsOf(experiment: ExperimentAnalysis): string[] {
  const plot = answerPlot(experiment);
  if (!plot) return [];
  const ends = plot.panels[0]!.series.flatMap(({ name, points }) => {
    const last = points.at(-1);
    return last ? [{ name: name.replace(' (dotted)', ''), y: last.y }] : [];
  });
  const most = Math.max(...ends.map(({ y }) => y));
  const width = Math.max(...ends.map(({ name }) => name.length));
  return [
    wrap(`${plot.yName} with most ${plot.xName}`),
    ...ends.map(({ name, y }) => {
      const bar = '█'.repeat(Math.max(1, Math.round((longestBar * y) / most)));
      return `  ${name.padEnd(width)}  ${bar} ${brief(y, 3)}`;
    }),
  ];
}

function answerOf(experiment: ExperimentAnalysis, { run }: Analysis): string[] {
  const words = answerInWords(experiment, run);
  if (!words) return [];
  const { headline, questions, sentences, remarks } = words;
  const heads = [headline, ...questions].map((text) => ansis.bold(wrap(text)));
  const lines = [...sentences, ...remarks].map((text) => wrap(`- ${text}`, '  '));
  return [[...heads, ...lines].join('\n'), barsOf(experiment).join('\n')].filter(Boolean);
}

/** What closes a run: its answer, doubts, verdicts, and the figures. */
export function outcome(analysis: Analysis): string {
  const doubts = analysis.notices
    .filter(({ level }) => level !== 'good')
    .map(({ level, text }) =>
      level === 'serious' ? ansis.red(wrap(`! ${text}`, '  ')) : ansis.yellow(wrap(`- ${text}`, '  ')),
    );
  const answers = analysis.experiments.flatMap((one) => answerOf(one, analysis));
  const tables = analysis.experiments.map(experimentTable).filter((text) => text !== null);
  return [
    ...answers,
    ...(doubts.length > 0 ? [doubts.join('\n')] : []),
    claimsTable(analysis),
    ...tables,
  ].join('\n\n');
}
