/** From cells to what plots are made of: points with their intervals, series in a mechanism's style, panels. */
import type { CostModel, ExperimentAnalysis } from '../analysis/analyse.js';
import { type Series, varyingFactors } from '../analysis/cells.js';
import type { Metric } from '../analysis/metrics.js';
import { predict } from '../analysis/scaling.js';
import { implementationName, levelInWords } from './format.js';
import type { Panel, PlotPoint, PlotSeries } from './plot.js';

/** Place of a mechanism in palette and symbols: the same in every figure of every report. */
export const styles: Record<string, number> = {
  select: 0,
  'select-posix': 1,
  poll: 2,
  epoll: 3,
  'epoll-et': 4,
  'epoll-oneshot': 5,
  kqueue: 3,
  'kqueue-clear': 4,
  evport: 5,
  devpoll: 6,
  wsapoll: 2,
  'uring-poll': 6,
};

const baselineName = 'raw system calls (dotted)';

export function pointsOf(series: Series, experiment: ExperimentAnalysis, measured: Metric): PlotPoint[] {
  return series.points.flatMap(({ x, cell }): PlotPoint[] => {
    const figure = experiment.summaryOf(cell).figures.get(measured.id);
    if (!figure) return [];
    const { estimate, low, high, n } = figure.interval;
    return [{ x, y: estimate, low, high, n, dots: figure.values }];
  });
}

function curveOf(model: CostModel | undefined): [number, number][] {
  if (!model) return [];
  const xs = model.series.points.map(({ x }) => x);
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  // Denser near 0, so that the curve stays smooth on a logarithmic axis as well.
  return Array.from({ length: 33 }, (_, i) => first + (last - first) * (i / 32) ** 3).map((x) => [
    x,
    predict(model.model.best, x),
  ]);
}

export function plotSeries(series: Series, points: PlotPoint[], model?: CostModel): PlotSeries {
  const isBaseline = series.levels.impl === 'baseline';
  return {
    name: isBaseline ? baselineName : `${series.levels.backend ?? series.label}`,
    role: isBaseline ? 'baseline' : 'mechanism',
    style: styles[`${series.levels.backend}`] ?? 7,
    points,
    curve: isBaseline ? [] : curveOf(model),
    dashed: false,
  };
}

/** Series of one panel: the same implementation and other factors; mechanisms are told apart inside it. */
export function panelsOf(all: readonly Series[], draw: (series: Series) => PlotSeries[]): Panel[] {
  const others = varyingFactors(all.map(({ levels }) => levels));
  const baselines = all.filter(({ levels }) => levels.impl === 'baseline');
  const groups = new Map<string, { title: string; who: string; members: Series[] }>();
  const context = ({ levels, host }: Series) =>
    [...others.map((name) => levelInWords(name, levels[name])), host.name].join(', ');
  const several = new Set(all.map(({ host }) => host.name)).size > 1;
  const shown =
    baselines.length === all.length ? all : all.filter(({ levels }) => levels.impl !== 'baseline');
  for (const series of shown) {
    const { levels, host } = series;
    const parts = [implementationName(levels), ...others.map((name) => levelInWords(name, levels[name]))];
    const title = [...parts, ...(several ? [host.name] : [])].filter(Boolean).join(' · ');
    const group = groups.get(title) ?? { title, who: implementationName(levels), members: [] };
    group.members.push(series);
    groups.set(title, group);
  }
  return [...groups.values()].map(({ title, who, members }) => {
    const fitting = baselines.filter(
      (baseline) =>
        !members.includes(baseline) &&
        context(baseline) === context(members[0]!) &&
        members.some(({ levels }) => levels.backend === baseline.levels.backend),
    );
    return {
      title,
      who,
      series: [...fitting, ...members].flatMap(draw).filter(({ points }) => points.length > 0),
    };
  });
}

/** The implementation nearest to the mechanism, for figures that show one only. */
export function nearest(series: readonly Series[]): Series[] {
  const impl = ['native', 'ts', 'libuv', 'baseline'].find((name) =>
    series.some(({ levels }) => levels.impl === name),
  );
  return series.filter(({ levels }) => levels.impl === impl && levels.io !== 'call');
}
