/** From cells to what plots are made of: points with their intervals, series in a mechanism's style, panels. */
import type { CostModel, ExperimentAnalysis } from '../analysis/analyse.js';
import { hostNames, type Series, varyingFactors } from '../analysis/cells.js';
import { implementationInWords, isReference, otherStyle, styleOf } from '../contract/names.js';
import { factorNamed } from '../experiments/registry.js';
import { predict } from '../statistics/scaling.js';
import type { Metric } from '../trials/registry.js';
import type { Panel, PlotPoint, PlotSeries } from './plot.js';
import { implementationName, levelInWords } from './words.js';

/** Levels that are told apart within a panel. */
const withinOf = ({ levels }: Series): string[] =>
  Object.entries(levels)
    .filter(([factor]) => factorNamed(factor)?.within)
    .map(([factor, level]) => levelInWords(factor, level))
    .filter(Boolean);

/** What a series is called inside a panel: its mechanism, or its server where that has none of ours. */
export const nameOf = (series: Series): string =>
  [series.levels.backend ?? series.levels.impl ?? series.label, ...withinOf(series)].join(', ');

/**
 * Place of a series in palette and symbols. A mechanism's is the same in every figure of every report; what has none
 * comes after those, by name `among` the series of its experiment.
 */
export function styleOfSeries(series: Series, among: readonly Series[]): number {
  const { backend } = series.levels;
  const isOther = (one: Series) => typeof one.levels.backend !== 'string' || withinOf(one).length > 0;
  if (typeof backend === 'string' && !isOther(series)) return styleOf(backend);
  const others = among.filter(isOther).map(nameOf);
  return otherStyle + Math.max(0, [...new Set(others)].sort().indexOf(nameOf(series)));
}

export const isBaseline = ({ levels }: Series): boolean => isReference(levels.impl);

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

/** @param among the series of its experiment */
export function plotSeries(
  series: Series,
  among: readonly Series[],
  points: PlotPoint[],
  model?: CostModel,
): PlotSeries {
  const dotted = isBaseline(series);
  return {
    name: dotted ? `${implementationInWords(`${series.levels.impl}`)} (dotted)` : nameOf(series),
    role: dotted ? 'baseline' : 'mechanism',
    style: styleOfSeries(series, among),
    points,
    curve: dotted ? [] : curveOf(model),
    dashed: false,
  };
}

/** Series of one panel: the same implementation and other factors; mechanisms are told apart inside it. */
export function panelsOf(all: readonly Series[], draw: (series: Series) => PlotSeries[]): Panel[] {
  const others = varyingFactors(all.map(({ levels }) => levels)).filter((name) => !factorNamed(name)?.within);
  const baselines = all.filter(isBaseline);
  const groups = new Map<string, { title: string; who: string; members: Series[] }>();
  const context = ({ levels, host }: Series) =>
    [...others.map((name) => levelInWords(name, levels[name])), host.name].join(', ');
  const several = hostNames(all).length > 1;
  const shown = baselines.length === all.length ? all : all.filter((series) => !isBaseline(series));
  // Where none has a mechanism of ours, servers are what a panel tells apart.
  const bare = shown.every(({ levels }) => typeof levels.backend !== 'string');
  for (const series of shown) {
    const { levels, host } = series;
    const parts = [
      ...(bare ? [] : [implementationName(levels)]),
      ...others.map((name) => levelInWords(name, levels[name])),
    ];
    const title = [...parts, ...(several ? [host.name] : [])].filter(Boolean).join(' · ') || 'all servers';
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
