/** From an analysed experiment to its plots, each with the sentence that says what it means. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import type { Cell, Series } from '../analysis/cells.js';
import { nearest, valuesOf } from '../analysis/cells.js';
import { byClass } from '../analysis/classes.js';
import { referenceCurves } from '../analysis/reference/curves.js';
import { referenceMarks } from '../analysis/reference/marks.js';
import type { Latency } from '../contract/load.js';
import { mechanismOrder, otherStyle } from '../contract/names.js';
import type { PlotRequest } from '../experiments/experiment.js';
import { knownExperiment } from '../experiments/registry.js';
import { number } from '../number.js';
import { decodeHistogram } from '../statistics/histogram.js';
import { meanInterval } from '../statistics/interval.js';
import { percentile } from '../statistics/percentiles.js';
import { kindOf, type Metric, type MetricId, metric, metrics } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { hostPlots } from './across-hosts.js';
import { heatMap } from './heat-map.js';
import { perSecond } from './per-second.js';
import type { Panel, Plot, PlotPoint, PlotSeries } from './plot.js';
import { isBaseline, nameOf, panelsOf, plotSeries, pointsOf, styleOfSeries } from './plot-series.js';
import { serversPlot } from './servers-plot.js';
import { byImplementation } from './split.js';
import { factorName, implementationName, levelInWords, worded } from './words.js';

/** "At 16 000 idle connections epoll needs 6.4 µs, select 151 µs (24 times as much)." */
function extremes(panel: Panel, measured: Metric, factor: string): string {
  const own = panel.series.filter(({ role }) => role === 'mechanism');
  const furthest = Math.max(...own.flatMap(({ points }) => points.map(({ x }) => x)));
  const ends = own
    .flatMap(({ name, points }) => points.filter(({ x }) => x === furthest).map(({ y }) => ({ name, y })))
    .sort((a, b) => a.y - b.y);
  const [least, most] = [ends[0], ends[ends.length - 1]];
  if (!least || !most || least === most || least.y <= 0) return '';
  const figure = ({ name, y }: { name: string; y: number }) => `${name} ${number(y, 3)} ${measured.unit}`;
  return `At ${levelInWords(factor, furthest)}, ${panel.title}: from ${figure(least)} to ${figure(most)}, a factor of ${number(most.y / least.y, 2)}. `;
}

function linePlot(
  experiment: ExperimentAnalysis,
  { metric: id, logY }: Extract<PlotRequest, { kind: 'lines' }>,
): Plot | null {
  const measured = metric(id);
  const panels = panelsOf(experiment.series, (series) => [
    plotSeries(
      series,
      experiment.series,
      pointsOf(series, experiment, measured),
      experiment.models.find((model) => model.series === series && model.metric === measured),
    ),
  ]).filter((panel) => panel.series.length > 0);
  if (panels.length === 0) return null;
  addReferences(panels, experiment, id);
  return {
    id: `${experiment.name}-${id}`,
    title: `${measured.title} against ${factorName(experiment.factor)}`,
    meaning: `${extremes(panels[0]!, measured, experiment.factor)}${measured.meaning}`,
    kind: 'lines',
    xName: factorName(experiment.factor),
    yName: `${measured.title.split(',')[0]} (${measured.unit})`
      .replace('Server CPU', 'CPU')
      .replace(' at the common rate', ''),
    unit: measured.unit,
    panels,
    rows: [],
    logX: !knownExperiment(experiment.name)?.linearAxis,
    logY,
  };
}

/** Those that fit the figure: along its axis, or the same wherever on it. */
function referencesOf(experiment: ExperimentAnalysis, id: MetricId) {
  const fits = (one: { experiment: string; metric: string }) =>
    one.experiment === experiment.name && one.metric === id;
  const xs = new Set(experiment.series.flatMap(({ points }) => points.map(({ x }) => x)));
  const along = [...xs].sort((a, b) => a - b);
  return [
    ...referenceCurves.filter((curve) => fits(curve) && curve.factor === experiment.factor),
    ...referenceMarks
      .filter(fits)
      .map(({ y, ...mark }) => ({ ...mark, points: along.map((x) => ({ x, y })) })),
  ];
}

/** Published figures on the same axes as grey marks; a panel shows those whose levels its series share. */
function addReferences(panels: Panel[], experiment: ExperimentAnalysis, id: MetricId): void {
  for (const { name, levels, points, ...curve } of referencesOf(experiment, id)) {
    const agrees = (series: Series) =>
      Object.entries(levels).every(([factor, level]) => series.levels[factor] === level);
    const titles = new Set(
      panelsOf(experiment.series, (series) =>
        agrees(series) ? [plotSeries(series, experiment.series, [anyPoint])] : [],
      )
        .filter(({ series }) => series.length > 0)
        .map(({ title }) => title),
    );
    for (const panel of panels.filter(({ title }) => titles.has(title))) {
      panel.series.push({
        name: `${name}, ${curve.testbed}`,
        role: 'reference',
        style: otherStyle,
        points: points.map(({ x, y }) => ({ ...anyPoint, x, y })),
        curve: [],
        dashed: false,
      });
    }
  }
}

const anyPoint: PlotPoint = { x: 0, y: 0, low: null, high: null, n: 1, dots: [] };

/** Of several offered rates the closed loop, or else the highest: where the server had most to do. */
function busiest(series: readonly Series[]): readonly Series[] {
  const rates = series.map(({ levels }) => levels.rate);
  const numbers = rates.filter((rate) => typeof rate === 'number');
  const top = rates.includes(null) ? null : Math.max(...numbers);
  return numbers.length === 0 ? series : series.filter(({ levels }) => levels.rate === top);
}

interface StackPart {
  id: MetricId;
  name: string;
  style: number;
  dashed: boolean;
}

const processParts: StackPart[] = [
  { id: 'cpu-user', name: 'user', style: 3, dashed: false },
  { id: 'cpu-system', name: 'system', style: 1, dashed: true },
];
/** The kernel charges an interrupt to one state of the CPU only, so these do not overlap. */
const coreParts: StackPart[] = [
  { id: 'core-user', name: 'user', style: 3, dashed: false },
  { id: 'core-system', name: 'system', style: 1, dashed: true },
  { id: 'core-softirq', name: 'softirq', style: otherStyle, dashed: false },
];

const processMeaning =
  "User time is the program's own work, system time the kernel's on its behalf. A mechanism that scans spends the growth in the kernel.";

/** Why a stack is the process's alone. */
function withoutSoftirq(series: readonly Series[]): string {
  const cpus = series
    .flatMap(({ points }) => points.flatMap(({ cell }) => cell.trials))
    .flatMap(({ measurements }) => Object.values(measurements))
    .flatMap((one) => kindOf(one).served(one)?.span.cpus?.server ?? []);
  if (cpus.length === 0) return 'What the CPU did in softirq was not recorded in this run.';
  return cpus.some(({ softirqUs }) => softirqUs === null)
    ? 'Softirq is not accounted by this kernel: that time is part of the others.'
    : 'Softirq is left out: the load was too low to tell the CPU time of this server from that of others.';
}

/** User, system and softirq time stacked, a panel per mechanism, for the implementation nearest to the mechanism. */
function cpuStack(experiment: ExperimentAnalysis): Plot | null {
  const having = (all: readonly Series[], id: MetricId) =>
    all.filter(({ points }) => points.some(({ cell }) => valuesOf(cell, metric(id)).length > 0));
  const chosen = busiest(nearest(having(experiment.series, 'cpu-user')));
  if (chosen.length === 0) return null;
  // All of it or none: bars of different meaning must not stand beside each other.
  const wholeCore = chosen.every(({ points }) =>
    points.every(
      ({ cell }) =>
        valuesOf(cell, metric('cpu-user')).length === 0 || valuesOf(cell, metric('core-softirq')).length > 0,
    ),
  );
  const who = implementationName(chosen[0]!.levels);
  return {
    id: `${experiment.name}-cpu-stack`,
    title: wholeCore ? "Where the server's CPU spends its time" : 'Where the server spends its CPU time',
    meaning: wholeCore
      ? `Time of the CPU that the ${who} is pinned to, per request, whoever it was spent for. ${processMeaning} Softirq (with hardware interrupts) is the network stack delivering packets, here also those that the client's sends leave on this CPU. The kernel counts in ticks of 10 ms: a window of a second tells shares to about 1 % of the CPU.`
      : `${processMeaning} Of the ${who}. ${withoutSoftirq(chosen)}`,
    kind: 'stack',
    xName: factorName(experiment.factor),
    yName: 'CPU per request (µs)',
    unit: 'µs',
    panels: chosen.map((series) => ({
      title: series.label,
      who,
      series: (wholeCore ? coreParts : processParts).map(
        ({ id, ...part }): PlotSeries => ({
          ...part,
          role: 'mechanism',
          points: pointsOf(series, experiment, metric(id)),
          curve: [],
        }),
      ),
    })),
    rows: [],
    logX: false,
    logY: false,
  };
}

/** Latency at the rate that every server can hold, where a trial has it. */
function openLatency({ measurements: { open } }: Sample): Latency[] {
  const latency = open && kindOf(open).distributions(open).latency;
  return latency && latency.count > 0 ? [latency] : [];
}

/** Between one nine and the next. */
const stepsPerNine = 5;

/** The curve of a typical trial with its interval over trials; it ends where the replies of one do not back the next step. */
function percentileCurve(cell: Cell): PlotPoint[] {
  const trials = cell.trials.flatMap(openLatency).map(({ histogram }) => decodeHistogram(histogram));
  const points: PlotPoint[] = [];
  for (let step = 0; step <= 6 * stepsPerNine; step++) {
    const position = step / stepsPerNine;
    const p = Math.max(1 - 10 ** -position, 0.0005);
    const values = trials.flatMap((counts) => {
      const found = percentile(counts, p);
      return found ? [found.value / 1000] : [];
    });
    if (values.length < trials.length) {
      if (step === 0) continue;
      break;
    }
    const { estimate, low, high, n } = meanInterval(values);
    points.push({ x: position, y: estimate, low, high, n, dots: [] });
  }
  return points;
}

function percentilePlot(experiment: ExperimentAnalysis): Plot | null {
  const hasOpen = (cell: Cell) => cell.trials.some((trial) => openLatency(trial).length > 0);
  const curves = (series: Series): PlotSeries[] => {
    const measured = series.points.filter(({ cell }) => hasOpen(cell));
    const ends = [...new Set([measured[0], measured[measured.length - 1]])].filter(
      (point) => point !== undefined,
    );
    return ends.map(({ x, cell }, i) => ({
      name: `${nameOf(series)}, ${number(x)}`,
      role: 'mechanism',
      style: styleOfSeries(series, experiment.series),
      points: percentileCurve(cell),
      curve: [],
      dashed: i === 0 && ends.length > 1,
    }));
  };
  const drawn = experiment.series.filter((series) => !isBaseline(series));
  const panels = panelsOf(drawn.length > 0 ? drawn : experiment.series, curves).filter(
    ({ series }) => series.length > 0,
  );
  if (panels.length === 0) return null;
  return {
    id: `${experiment.name}-percentiles`,
    title: 'Latency by percentile, open loop',
    meaning: `Mean over the curves of single trials, its 95 % interval over trials shaded; fewest ${factorName(experiment.factor)} dashed, most solid. Each step to the right leaves a tenth of the slower replies; a curve ends where the replies of a trial are too few for the next percentile.`,
    kind: 'percentiles',
    xName: 'percentile of replies',
    yName: 'latency (µs)',
    unit: 'µs',
    panels,
    rows: [],
    logX: false,
    logY: true,
  };
}

/** One function for each kind of plot that an experiment may ask for. */
function drawn(
  experiment: ExperimentAnalysis,
  request: Exclude<PlotRequest, { kind: 'hosts' }>,
): Plot | null {
  switch (request.kind) {
    case 'lines':
      return linePlot(experiment, request);
    case 'cpu-stack':
      return cpuStack(experiment);
    case 'percentiles':
      return percentilePlot(experiment);
    case 'per-second':
      return perSecond(experiment, request);
    case 'heat':
      return heatMap(experiment, request);
    case 'servers':
      return serversPlot(experiment, request);
  }
}

/** Figures that are absolute, class by class where a run has hosts of several. */
function perClass(experiment: ExperimentAnalysis, request: Exclude<PlotRequest, { kind: 'hosts' }>): Plot[] {
  const classes = byClass(experiment.series);
  return classes.flatMap(([executionClass, series]) => {
    const plot = drawn({ ...experiment, series: [...series] }, request);
    if (!plot || classes.length === 1) return plot ?? [];
    return {
      ...plot,
      id: `${plot.id}-${executionClass}`,
      title: `${plot.title}, hosts of class ${executionClass}`,
    };
  });
}

/** Of an experiment that this version does not know: every figure that is better or worse. */
const everyFigure: readonly PlotRequest[] = metrics.flatMap(({ id, better }) =>
  better === 'neither' ? [] : [{ kind: 'lines' as const, metric: id, logY: better === 'lower' }],
);

/** Every plot that an experiment asks for and its samples can fill, in the experiment's own words. */
export function plotsOf(experiment: ExperimentAnalysis): Plot[] {
  // Without several levels of a factor there is nothing to draw along: servers stand side by side, or tables have it all.
  const levels = new Set(experiment.series.flatMap(({ points }) => points.map(({ x }) => x)));
  const all = knownExperiment(experiment.name)?.plots ?? everyFigure;
  const sideBySide =
    experiment.factor === '' || (levels.size < 2 && all.some(({ kind }) => kind === 'servers'));
  const asked = all.filter(({ kind }) => (kind === 'servers') === sideBySide);
  const plots = asked.flatMap((request) =>
    request.kind === 'hosts' ? hostPlots(experiment, request.metric) : perClass(experiment, request),
  );
  const words = (text: string) => worded(experiment.name, text);
  return plots.flatMap(byImplementation).map((plot) => ({
    ...plot,
    title: words(plot.title),
    meaning: words(plot.meaning),
    xName: words(plot.xName),
    yName: words(plot.yName),
    panels: plot.panels.map((panel) => ({ ...panel, title: words(panel.title) })),
  }));
}

/** Order of mechanisms in legends. */
export function legendOrder(names: readonly string[]): string[] {
  const rank = (name: string) => {
    const at = mechanismOrder.findIndex(
      (mechanism) => name === mechanism || name.startsWith(`${mechanism},`),
    );
    return at < 0 ? mechanismOrder.length : at;
  };
  return [...names].sort((a, b) => rank(a) - rank(b) || names.indexOf(a) - names.indexOf(b));
}
