/**
 * Plots as they travel inside the page: a point is a row of numbers, with as many digits as tables and screens show.
 * `unpackPlot` runs in the page as well; therefore this file imports nothing at run time.
 */
import type { Panel, Plot, PlotPoint, PlotSeries } from './plot.js';

type PackedPoint = [
  x: number,
  y: number,
  low: number | null,
  high: number | null,
  n: number,
  dots: number[],
  row?: number,
];
type Packed<Whole, Name extends keyof Whole, Part> = Omit<Whole, Name> & Record<Name, Part[]>;
export type PackedSeries = Packed<PlotSeries, 'points', PackedPoint>;
export type PackedPlot = Packed<Plot, 'panels', Packed<Panel, 'series', PackedSeries>>;

const rounded = (value: number, digits: number) => Number(value.toPrecision(digits));
const figure = <Value extends number | null>(value: Value) =>
  (value === null ? null : rounded(value, 6)) as Value;
const mark = (value: number) => rounded(value, 4);

/** @param dots whether single trials go along */
export function packPlot({ panels, ...plot }: Plot, dots: boolean): PackedPlot {
  const point = ({ x, y, low, high, n, row, dots: trials }: PlotPoint): PackedPoint => [
    rounded(x, 7),
    figure(y),
    figure(low),
    figure(high),
    n,
    dots ? trials.map(mark) : [],
    ...(row === undefined ? ([] as const) : ([row] as const)),
  ];
  const series = ({ points, curve, ...rest }: PlotSeries): PackedSeries => ({
    ...rest,
    curve: curve.map(([x, y]) => [mark(x), mark(y)]),
    points: points.map(point),
  });
  return { ...plot, panels: panels.map((panel) => ({ ...panel, series: panel.series.map(series) })) };
}

export function unpackPlot({ panels, ...plot }: PackedPlot): Plot {
  const point = ([x, y, low, high, n, dots, row]: PackedPoint): PlotPoint => ({
    x,
    y,
    low,
    high,
    n,
    dots,
    ...(row === undefined ? {} : { row }),
  });
  const series = ({ points, ...rest }: PackedSeries): PlotSeries => ({ ...rest, points: points.map(point) });
  return { ...plot, panels: panels.map((panel) => ({ ...panel, series: panel.series.map(series) })) };
}
