/** From an analysed experiment to its plots, each with the sentence that says what it means. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import type { Cell, Series } from '../analysis/cells.js';
import { valuesOf } from '../analysis/cells.js';
import { decodeHistogram, mergeCounts } from '../analysis/histogram.js';
import { mechanismOrder } from '../analysis/mechanisms.js';
import { type Metric, type MetricId, metric } from '../analysis/metrics.js';
import { percentile } from '../analysis/percentiles.js';
import { referenceCurves } from '../analysis/reference/curves.js';
import { factorName, implementationName, levelInWords, number, worded } from './format.js';
import { heated, heatMap } from './heat-map.js';
import { perSecond, thesisFigures } from './per-second.js';
import type { Panel, Plot, PlotPoint, PlotSeries } from './plot.js';
import { nearest, panelsOf, plotSeries, pointsOf, styles } from './plot-series.js';
import { byImplementation } from './split.js';

/** What a figure of each metric tells, independent of the numbers. */
const explanations: Partial<Record<MetricId, string>> = {
  throughput:
    'Closed loop: every connection sends its next request when the reply is there. Higher is better; where the client was the limit, the server CPU per request below decides.',
  'cpu-per-request':
    'User and system time of the server process at peak, divided by the requests of the window. Lower is better; a rising line is the price of descriptors on which nothing happens.',
  'open-cpu-per-request':
    'While requests arrive by a schedule that does not wait: few events arrive per wait, so a scan is shared by fewer requests. The cost of a server without a pause stops at one second over the rate.',
  'latency-p50':
    'From the intended send time, so that a stalled server cannot hide its stall: half of the replies came sooner.',
  'latency-p99': 'From the intended send time: one reply in a hundred took longer than this.',
  'loss-free-rate':
    'Closed loop: the unanswered datagrams always fit every socket buffer, so that none is lost and the server sets the pace. It is the highest rate that is loss-free for certain, not the highest of every load: an open loop may be carried at a higher rate, where a longer queue lets a scan serve more datagrams, or lose some at a lower one, where a burst overflows a buffer. The table below the plots has both.',
  'reply-rate':
    'Replies per second at the offered rate. The straight part follows the offer; the knee is saturation.',
};

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

function linePlot(experiment: ExperimentAnalysis, id: MetricId, logY: boolean): Plot | null {
  const measured = metric(id);
  const panels = panelsOf(experiment.series, (series) => [
    plotSeries(
      series,
      pointsOf(series, experiment, measured),
      experiment.models.find((model) => model.series === series && model.metric === measured),
    ),
  ]).filter((panel) => panel.series.length > 0);
  if (panels.length === 0) return null;
  addReferences(panels, experiment, id);
  return {
    id: `${experiment.name}-${id}`,
    title: `${measured.title} against ${factorName(experiment.factor)}`,
    meaning: `${extremes(panels[0]!, measured, experiment.factor)}${explanations[id] ?? ''}`,
    kind: 'lines',
    xName: factorName(experiment.factor),
    yName: `${measured.title.split(',')[0]} (${measured.unit})`
      .replace('Server CPU', 'CPU')
      .replace(' at the common rate', ''),
    unit: measured.unit,
    panels,
    rows: [],
    // A ramp is read against the diagonal, which only a linear axis keeps straight.
    logX: experiment.factor !== 'rate',
    logY,
  };
}

/** Published figures on the same axes as grey marks; a panel shows those whose levels its series share. */
function addReferences(panels: Panel[], experiment: ExperimentAnalysis, id: MetricId): void {
  for (const { name, levels, points, ...curve } of referenceCurves) {
    if (curve.experiment !== experiment.name || curve.metric !== id || curve.factor !== experiment.factor)
      continue;
    const agrees = (series: Series) =>
      Object.entries(levels).every(([factor, level]) => series.levels[factor] === level);
    const titles = new Set(
      panelsOf(experiment.series, (series) => (agrees(series) ? [plotSeries(series, [anyPoint])] : []))
        .filter(({ series }) => series.length > 0)
        .map(({ title }) => title),
    );
    for (const panel of panels.filter(({ title }) => titles.has(title))) {
      panel.series.push({
        name: `${name}, ${curve.testbed}`,
        role: 'reference',
        style: 7,
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
  { id: 'core-softirq', name: 'softirq', style: 7, dashed: false },
];

const processMeaning =
  "User time is the program's own work, system time the kernel's on its behalf. A mechanism that scans spends the growth in the kernel.";

/** Why a stack is the process's alone. */
function withoutSoftirq(series: readonly Series[]): string {
  const windows = series
    .flatMap(({ points }) => points.flatMap(({ cell }) => cell.trials))
    .flatMap((trial) => Object.values(trial.windows));
  if (!windows.some(({ cpus }) => cpus && cpus.length > 0))
    return 'What the CPU did in softirq was not recorded in this run.';
  return windows.some(({ cpus }) => cpus?.some(({ softirqUs }) => softirqUs === null))
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

/** Percentile curve of all trials of a cell together; it ends where too few replies back the next step. */
function percentileCurve(cell: Cell): PlotPoint[] {
  const counts = mergeCounts(
    cell.trials.flatMap(({ windows: { open } }) =>
      open ? [decodeHistogram(open.load.latency.histogram)] : [],
    ),
  );
  const points: PlotPoint[] = [];
  for (let step = 0; step <= 60; step++) {
    const position = step / 10;
    const p = Math.max(1 - 10 ** -position, 0.0005);
    const found = percentile(counts, p);
    if (!found) {
      if (step === 0) continue;
      break;
    }
    points.push({
      x: position,
      y: found.value / 1000,
      low: found.low / 1000,
      high: found.high / 1000,
      n: counts.total,
      dots: [],
    });
  }
  return points;
}

function percentilePlot(experiment: ExperimentAnalysis): Plot | null {
  const hasOpen = (cell: Cell) =>
    cell.trials.some(({ windows: { open } }) => open && open.load.latency.count > 0);
  const curves = (series: Series): PlotSeries[] => {
    const measured = series.points.filter(({ cell }) => hasOpen(cell));
    const ends = [...new Set([measured[0], measured[measured.length - 1]])].filter(
      (point) => point !== undefined,
    );
    return ends.map(({ x, cell }, i) => ({
      name: `${series.levels.backend ?? series.label}, ${number(x)}`,
      role: 'mechanism',
      style: styles[`${series.levels.backend}`] ?? 7,
      points: percentileCurve(cell),
      curve: [],
      dashed: i === 0 && ends.length > 1,
    }));
  };
  const drawn = experiment.series.filter(({ levels }) => levels.impl !== 'baseline');
  const panels = panelsOf(drawn.length > 0 ? drawn : experiment.series, curves).filter(
    ({ series }) => series.length > 0,
  );
  if (panels.length === 0) return null;
  return {
    id: `${experiment.name}-percentiles`,
    title: 'Latency by percentile, open loop',
    meaning: `All trials of a cell together, fewest ${factorName(experiment.factor)} dashed, most solid. Each step to the right leaves a tenth of the slower replies; a curve ends where too few replies back the next percentile.`,
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

/** Every plot of an experiment that its samples can fill, in the experiment's own words. */
export function plotsOf(experiment: ExperimentAnalysis): Plot[] {
  const plots = [
    // Where datagrams can be lost, a peak is the loss-free rate.
    linePlot(experiment, 'loss-free-rate', false) ?? linePlot(experiment, 'throughput', false),
    // At a common rate the reply rate is that rate; only a ramp makes a figure of it.
    experiment.factor === 'rate' ? linePlot(experiment, 'reply-rate', false) : null,
    linePlot(experiment, 'cpu-per-request', true),
    cpuStack(experiment),
    linePlot(experiment, 'open-cpu-per-request', true),
    ...Object.keys(thesisFigures).map((rate) => perSecond(experiment, Number(rate))),
    linePlot(experiment, 'latency-p50', true),
    linePlot(experiment, 'latency-p99', true),
    percentilePlot(experiment),
    ...heated.map((shown) => heatMap(experiment, shown)),
  ].filter((plot) => plot !== null);
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
