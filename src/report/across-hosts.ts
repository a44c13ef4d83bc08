/** Hosts against each other in words, tables and figures: classes apart wherever a figure is absolute. */
import type { HostComparison, HostRanking, HostStanding } from '../analysis/across-hosts.js';
import { bestOfEach } from '../analysis/across-hosts.js';
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { holdsBelow } from '../analysis/answer.js';
import { blockedValuesOf, hostNames, type Series } from '../analysis/cells.js';
import { byClass } from '../analysis/classes.js';
import type { RunInfo } from '../contract/run.js';
import { number } from '../number.js';
import { blockedRatio } from '../statistics/interval.js';
import { type MetricId, metric } from '../trials/registry.js';
import { withInterval } from './format.js';
import { type Html, html, table } from './html.js';
import type { Plot, PlotPoint } from './plot.js';
import { pointsOf } from './plot-series.js';
import { type AnswerInWords, listed, times } from './sentences.js';
import { factorName, levelInWords } from './words.js';

/** "gvisor-systrap (epoll)" */
const who = ({ series }: HostStanding) => `${series.host.name} (${series.levels.backend})`;

const costName = ({ metric: { title } }: HostRanking) =>
  title.split(',')[0]!.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

/** "local (epoll) × 1.01 [0.99, 1.03] and docker (epoll) × ..." */
const grownBy = (all: readonly HostStanding[]) =>
  listed(all.map((one) => `${who(one)} ${times(one.growth)}`));

/** Who is not shown to be behind anybody. */
function headlineOf(ranking: HostRanking, factor: string): string {
  const { standings, of, near, far } = ranking;
  const first = standings.filter(({ places: [best] }) => best === 1);
  const behind = standings.filter((one) => !first.includes(one));
  const span = `from ${number(near)} to ${levelInWords(factor, far)}`;
  if (standings.length === 1)
    return `${of}: only ${who(standings[0]!)} was measured, so that nothing is ranked.`;
  if (standings.every(({ growth: { low } }) => low === null))
    return `Not resolved: which host's mechanism scales best on ${of}; an interval takes three blocks.`;
  const more = behind.length > 0 ? `; ${grownBy(behind)} ${behind.length === 1 ? 'grows' : 'grow'} more` : '';
  if (first.length === 1)
    return `${who(first[0]!)} scales best on ${of}: its ${costName(ranking)} grows ${times(first[0]!.growth)} ${span}${more}.`;
  const hold = first.every(({ outcome }) => outcome === 'holds')
    ? `; of each it holds, by less than × ${holdsBelow}`
    : '';
  if (behind.length === 0)
    return `On ${of} no host is shown to scale better than another, by how ${costName(ranking)} grows ${span}${hold}: ${listed(first.map(who))}.`;
  return `On ${of} no host is shown to scale better than ${listed(first.map(who))} by how ${costName(ranking)} grows ${span}${hold}${more}.`;
}

function rankingSentence(ranking: HostRanking, factor: string): string {
  const { metric: measured, of, near, far, standings } = ranking;
  const growth = standings.map((one) => `${who(one)} ${times(one.growth)}`).join(', ');
  return `${of}, ${costName(ranking)} (${measured.unit}) at ${levelInWords(factor, far)} over that at ${number(near)}, each host by its own: ${growth}.`;
}

function costSentences({ costs, reference }: HostComparison): string[] {
  if (!reference) return [];
  const kinds = [...new Set(costs.map(({ of, metric: { id } }) => `${of} ${id}`))];
  return kinds.flatMap((kind) => {
    const rows = costs.filter(({ of, metric: { id }, against }) => against && `${of} ${id}` === kind);
    if (rows.length === 0) return [];
    const [{ of, metric: measured }] = rows as [(typeof rows)[number]];
    const all = rows.map(({ host, against }) => `${host.name} ${times(against!)}`).join(', ');
    return [`${measured.title} of ${of} against ${reference.name}: ${all}.`];
  });
}

/** Null of an experiment that asks something else, or a run whose figures rank nobody. */
export function hostAnswer({ hosts, factor }: ExperimentAnalysis, run: RunInfo | null): AnswerInWords | null {
  const [first] = hosts?.rankings ?? [];
  if (!hosts || !first) return null;
  const absent = (run?.absent ?? []).map(({ host, reason }) => `${host} (${reason})`);
  return {
    headline: headlineOf(first, factor),
    questions: [],
    sentences: [
      ...hosts.rankings.map((one) => rankingSentence(one, factor)),
      ...costSentences(hosts).slice(0, 1),
    ],
    remarks: [
      'A host is behind another where the 95 % interval of the ratio of their growths, taken by blocks, lies above 1. Absolute figures are compared within a class only.',
      ...(absent.length > 0 ? [`Not available here: ${absent.join('; ')}.`] : []),
    ],
  };
}

const placeText = ({ places: [best, worst] }: HostStanding) =>
  best === worst ? `${best}` : `${best}–${worst}`;

export const rankingColumns = ['Place', 'Host', 'Class', 'Mechanism', 'Growth', 'n'] as const;

/** Cells of a ranking, by `rankingColumns`. */
export const rankingRows = ({ standings }: HostRanking): string[][] =>
  standings.map((one) => [
    placeText(one),
    one.series.host.name,
    one.series.host.executionClass,
    `${one.series.levels.backend}`,
    times(one.growth),
    `${one.growth.n}`,
  ]);

export const rankingTitle = (ranking: HostRanking, factor: string) =>
  `${ranking.of}: growth of ${costName(ranking)} from ${number(ranking.near)} to ${levelInWords(factor, ranking.far)}`;

/** What a host costs: a row for each host, class by class. */
export const costColumns = (reference: string | null) =>
  [
    'What',
    'Figure',
    'Host',
    'Class',
    'Value',
    reference === null ? 'Against this machine' : `Against ${reference}`,
  ] as const;

export const costRows = ({ costs, reference }: HostComparison): string[][] =>
  costs.map(({ of, metric: measured, host, value, against }) => [
    of,
    measured.title,
    host.name,
    host.executionClass,
    withInterval(value, measured.unit),
    against
      ? times(against)
      : host.name === reference?.name
        ? '1, the reference'
        : reference === null
          ? 'not available: no native host over loopback in this run'
          : `not available: no valid trial on ${reference.name}`,
  ]);

/** What crossing the virtual network costs, of hosts that were measured with their client outside and inside. */
function networkPanel({ networks }: HostComparison): Html | string {
  if (networks.length === 0) return '';
  return html`<div class="panel"><h3>What the virtual network costs</h3>
<p class="soft">The same host with its client outside and inside: outside less inside, in the same blocks. Inside, server and client share the host's CPUs and its loopback.</p>
${table(
  'Client outside against client inside',
  ['What', 'Figure', 'Outside', 'Inside', 'More', 'Times'].map((name, i) => ({ name, figure: i > 3 })),
  networks.map(({ of, metric: measured, outside, inside, extra, factor }) => [
    of,
    measured.title,
    outside.name,
    inside.name,
    withInterval(extra, measured.unit),
    times(factor),
  ]),
)}</div>`;
}

/** A row for each host, with the first figure of each thing that costs: what a terminal has room for. */
export function costsByHost({ costs }: HostComparison): { names: string[]; rows: string[][] } {
  const things = [...new Set(costs.map(({ of }) => of))].map((of) => ({
    of,
    measured: costs.find((one) => one.of === of)!.metric,
  }));
  const names = [...new Set(costs.map(({ host }) => host.name))];
  return {
    names: things.map(({ of, measured }) => `${of}: ${measured.title.split(',')[0]}`),
    rows: names.map((name) => {
      const mine = costs.filter(({ host }) => host.name === name);
      return [
        name,
        mine[0]!.host.executionClass,
        ...things.map(({ of, measured }) => {
          const cost = mine.find((one) => one.of === of && one.metric === measured);
          if (!cost) return '–';
          const value = withInterval(cost.value, measured.unit);
          return cost.against ? `${value}\n${times(cost.against)}` : value;
        }),
      ];
    }),
  };
}

/** Rankings and costs as tables; of hosts that run under emulation the cost tells what emulating costs. */
export function hostSection({ hosts, factor }: ExperimentAnalysis): Html | string {
  if (!hosts) return '';
  const emulated = hosts.costs.some(({ host }) => host.executionClass === 'emulated');
  const figure = (names: readonly string[], from: number) =>
    names.map((name, i) => ({ name, figure: i >= from }));
  return html`<div class="panel"><h3>Ranking of hosts</h3>
<p class="soft">By how each host's own cost grows, which can be compared whatever the host is. Places are those that the 95 % intervals of growth against growth leave open.</p>
${hosts.rankings.map((one) => table(rankingTitle(one, factor), figure(rankingColumns, 4), rankingRows(one)))}</div>
<div class="panel"><h3>What a host costs</h3>
<p class="soft">One request and one dispatch at the least descriptors, and over those on this machine itself in the same blocks. CPU is the server's; of a sandbox it is that of its kernel in user space as well. ${emulated ? 'Of an emulated host the ratio tells what emulation costs, nothing about its system.' : ''}</p>
${table('Cost on each host', figure(costColumns(hosts.reference?.name ?? null), 4), costRows(hosts))}</div>${networkPanel(hosts)}`;
}

/** Each host in a colour of its own, the same in every figure of a report. */
function styles(series: readonly Series[]): (one: Series) => number {
  const names = hostNames(series);
  return ({ host }) => names.indexOf(host.name);
}

const panelTitle = ({ levels }: Series) =>
  Object.entries(levels)
    .filter(([factor]) => factor === 'traffic')
    .map(([factor, level]) => levelInWords(factor, level))
    .join(', ');

interface Line {
  one: Series;
  points: PlotPoint[];
}

/** The lines of one figure, a panel for each traffic. */
function panels(lines: readonly Line[], styleOf: (one: Series) => number): Plot['panels'] {
  const titles = [...new Set(lines.map(({ one }) => panelTitle(one)))];
  return titles.map((title) => ({
    title,
    who: title,
    series: lines
      .filter(({ one }) => panelTitle(one) === title)
      .map(({ one, points }) => ({
        name: one.host.name,
        role: 'mechanism' as const,
        style: styleOf(one),
        points,
        curve: [],
        dashed: false,
      })),
  }));
}

/** Each level over the host's own first one, by blocks. */
function grown(one: Series, id: MetricId): PlotPoint[] {
  const measured = metric(id);
  const levels = one.points
    .map(({ x, cell }) => ({ x, trials: blockedValuesOf(cell, measured) }))
    .filter(({ trials }) => trials.length > 0);
  const [first] = levels;
  return levels.map(({ x, trials }): PlotPoint => {
    if (!first || x === first.x) return { x, y: 1, low: null, high: null, n: trials.length, dots: [] };
    const { estimate, low, high, n } = blockedRatio(trials, first.trials);
    return { x, y: estimate, low, high, n, dots: [] };
  });
}

/** Growth of all hosts in one figure, and their absolute figures class by class. */
export function hostPlots(experiment: ExperimentAnalysis, id: MetricId): Plot[] {
  const { name, series, factor } = experiment;
  const measured = metric(id);
  const styleOf = styles(series);
  const trafficOf = new Map<string, Series[]>();
  for (const one of series) trafficOf.set(panelTitle(one), [...(trafficOf.get(panelTitle(one)) ?? []), one]);
  const shown = [...trafficOf.values()]
    .flatMap(bestOfEach)
    .filter((one) => pointsOf(one, experiment, measured).length > 1);
  if (shown.length === 0) return [];
  const common = {
    kind: 'lines' as const,
    xName: factorName(factor),
    rows: [],
    logX: false,
  };
  const growth: Plot = {
    ...common,
    id: `${name}-${id}`,
    title: `${measured.title}, as growth over each host's own`,
    meaning: `Every host starts at 1, so that hosts of all classes may stand side by side: what rises is what does not scale. Means over blocks with 95 % intervals.`,
    yName: `${measured.title.split(',')[0]}, over its own at the start`.replace('Server CPU', 'CPU'),
    unit: '×',
    panels: panels(
      shown.map((one) => ({ one, points: grown(one, id) })),
      styleOf,
    ),
    logY: false,
  };
  const absolutes = byClass(shown).map(
    ([executionClass, all]): Plot => ({
      ...common,
      id: `${name}-${id}-${executionClass}`,
      title: `${measured.title}, hosts of class ${executionClass}`,
      meaning: `${measured.meaning} Absolute figures, of this class alone.`,
      yName: `${measured.title.split(',')[0]} (${measured.unit})`.replace('Server CPU', 'CPU'),
      unit: measured.unit,
      panels: panels(
        all.map((one) => ({ one, points: pointsOf(one, experiment, measured) })),
        styleOf,
      ),
      logY: true,
    }),
  );
  return [growth, ...absolutes];
}
