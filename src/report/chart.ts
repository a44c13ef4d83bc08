/**
 * The one function that turns plots into ECharts options. It runs in Node (SVG files) and, as the
 * same compiled text, inside the report's page; therefore it imports nothing else at run time.
 */

import { figureText, frame, palettes, roundStep, scaleOf, short, steps, symbols } from './drawing.js';
import type { Plot, PlotSeries, View } from './plot.js';
import { serversHeight, serversOption } from './servers-chart.js';

const panelHeight = 270;

/** So many things in as few rows of at most `most` as possible, and none alone in its row: 4 are 2 and 2. */
export function evenRows(count: number, most: number): number[] {
  const rows = Math.ceil(count / most);
  return Array.from({ length: rows }, (_, row) => Math.ceil((count - row) / rows));
}

/** Room between two names of a legend, and what a name takes beside its letters and for each of them. */
const legendGap = 26;
const legendSign = 32;
const letterWidth = 6.6;

/** Rows that a legend takes: names are broken into them as the drawing library does. Some plots have none. */
function legendRows({ kind, panels }: Plot, width: number): number {
  if (kind === 'servers' || kind === 'heat') return 1;
  const names = new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)));
  let rows = 1;
  let used = 0;
  for (const name of names) {
    const wide = legendSign + letterWidth * name.length;
    if (used > 0 && used + wide > width - 24) {
      rows += 1;
      used = 0;
    }
    used += wide + legendGap;
  }
  return rows;
}

/** Panels of each row, and the height of all. */
export function chartLayout(plot: Plot, width: number, legend: boolean) {
  const rows = evenRows(plot.panels.length, Math.max(1, Math.floor(width / 290)));
  const top = legend ? 56 + (legendGap + 12) * (legendRows(plot, width) - 1) : 8;
  if (plot.kind === 'servers') return { rows: [], top, height: top + serversHeight(plot) };
  return { rows, top, height: top + rows.length * panelHeight + 8 };
}

/** Logarithmic axis that has room for 0: distances grow like a logarithm beyond a third of the first level. */
function xScale(levels: number[], log: boolean) {
  if (!log) return { to: (x: number) => x, from: (x: number) => x };
  const unit = (levels.find((level) => level > 0) ?? 1) / 3;
  return {
    to: (x: number) => Math.log10(1 + x / unit),
    from: (position: number) => unit * (10 ** position - 1),
  };
}

/** Percentiles are drawn by their distance from 100 %: 0, 1, 2, 3 are 0 %, 90 %, 99 %, 99.9 %. */
export const nines = (position: number) =>
  position === 0 ? '0 %' : `${Number((100 * (1 - 10 ** -position)).toFixed(4))} %`;

/** ECharts calls this for each interval: a vertical line with caps. */
function drawInterval(
  _: unknown,
  api: {
    value(i: number): number;
    coord(point: [number, number]): [number, number];
    visual(name: string): string;
  },
) {
  const [x, high] = api.coord([api.value(0), api.value(2)]);
  const [, low] = api.coord([api.value(0), api.value(1)]);
  const stroke = { stroke: api.visual('color'), lineWidth: 1.4 };
  const line = (x1: number, y1: number, x2: number, y2: number) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: stroke,
  });
  return {
    type: 'group',
    children: [line(x, low, x, high), line(x - 4, low, x + 4, low), line(x - 4, high, x + 4, high)],
  };
}

const bandOpacity = 0.16;

/** The area between the ends of the intervals of a curve. */
function drawBand(points: readonly { x: number; low: number; high: number }[]) {
  return (
    _: unknown,
    api: { coord(point: readonly [number, number]): [number, number]; visual(name: string): string },
  ) => ({
    type: 'polygon',
    shape: {
      points: [
        ...points.map(({ x, high }) => api.coord([x, high])),
        ...[...points].reverse().map(({ x, low }) => api.coord([x, low])),
      ],
    },
    style: { fill: api.visual('color'), opacity: bandOpacity },
  });
}

const dotOpacity = 0.5;
/** Dots of a series stand beside its mark, in three columns: pixels of the last. */
const farthestShift = 14;

/** The trials of a series as plain circles: a still picture needs no tooltips, and symbols that have them cost seconds. */
function drawDots(dots: readonly [number, number][], shift: number) {
  return (
    _: unknown,
    api: { coord(point: readonly [number, number]): [number, number]; visual(name: string): string },
  ) => {
    const style = { fill: api.visual('color'), opacity: dotOpacity };
    const circle = (dot: readonly [number, number]) => {
      const [x, y] = api.coord(dot);
      return { type: 'circle', shape: { cx: x + shift, cy: y, r: 2 }, style };
    };
    return { type: 'group', children: dots.map(circle) };
  };
}

/** Room of a name at the end of a line, pixels. */
const lineOfText = 15;

/**
 * Where names at these heights stand so that none covers another, each as near to its own height as that allows: names
 * that are too close stand around their middle.
 */
export function apart(heights: readonly number[], least: number): number[] {
  const order = heights.map((height, index) => ({ height, index })).sort((a, b) => a.height - b.height);
  const pools: { sum: number; count: number }[] = [];
  for (const [rank, { height }] of order.entries()) {
    let pool = { sum: height - rank * least, count: 1 };
    for (
      let above = pools.at(-1);
      above && above.sum / above.count > pool.sum / pool.count;
      above = pools.at(-1)
    ) {
      pool = { sum: pool.sum + above.sum, count: pool.count + above.count };
      pools.pop();
    }
    pools.push(pool);
  }
  const places = pools.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count));
  const placed = new Map(order.map(({ index }, rank) => [index, places[rank]! + rank * least]));
  return heights.map((_, index) => placed.get(index)!);
}

/** The option object of a plot as seen in `view`. */
export function chartOption(plot: Plot, view: View): Record<string, unknown> {
  if (plot.kind === 'servers')
    return serversOption(plot, view, chartLayout(plot, view.width, view.legend).top);
  const palette = view.dark ? palettes.dark : palettes.light;
  const { rows, top } = chartLayout(plot, view.width, view.legend);
  const all = plot.panels.flatMap((panel) => panel.series);
  const levels = [...new Set(all.flatMap((one) => one.points.map((point) => point.x)))].sort((a, b) => a - b);
  const isStack = plot.kind === 'stack';
  const isHeat = plot.kind === 'heat';
  const isPercentiles = plot.kind === 'percentiles';
  const logX = view.logX && !isStack && !isHeat && !isPercentiles;
  const scale = xScale(levels, logX);
  const extent = isStack
    ? scaleOf(
        plot.panels.flatMap((panel) =>
          levels.map((x) =>
            panel.series.reduce((sum, one) => sum + (one.points.find((point) => point.x === x)?.y ?? 0), 0),
          ),
        ),
        [],
        false,
      )
    : scaleOf(
        all.flatMap((one) => [
          ...one.points.flatMap(({ y, low, high, dots }) => [
            y,
            low ?? y,
            high ?? y,
            ...(view.dots ? dots : []),
          ]),
        ]),
        all.flatMap((one) => one.points.map(({ y }) => y)),
        view.logY,
      );
  const logY = view.logY && !isStack && !isHeat;
  const shade = (y: number) => (plot.logY ? Math.log10(Math.max(y, 1e-9)) : y);
  const left = 62;
  const gap = 22;
  const namesAtEnds = plot.namesAtEnds && view.width >= 560;
  const right = namesAtEnds ? 200 : 12;
  const places = rows.flatMap((columns, row) => {
    const width = (view.width - left - right - gap * (columns - 1)) / columns;
    return Array.from({ length: columns }, (_, column) => ({
      x: left + column * (width + gap),
      y: top + row * panelHeight,
      width,
      isFirst: column === 0,
      isLowest: row === rows.length - 1,
    }));
  });
  const { ink, around, tooltip } = frame(
    plot,
    view,
    places.map(({ x, y, width }) => ({ left: x, top: y + 4, width })),
  );
  const colorOf = (one: PlotSeries) =>
    one.role === 'reference' ? ink.reference : palette[one.style % palette.length]!;
  const axisStyle = {
    axisLine: { lineStyle: { color: ink.faint } },
    axisTick: { lineStyle: { color: ink.faint } },
    nameTextStyle: { color: ink.text, fontSize: 12 },
    splitLine: { lineStyle: { color: ink.line } },
  };
  const label = (formatter: (value: number) => string) => ({
    color: ink.text,
    fontSize: 11,
    formatter,
    hideOverlap: true,
  });
  const positions = levels.map(scale.to);
  const xAxis = plot.panels.map((_, index) => {
    const { width, isLowest } = places[index]!;
    const name = {
      name: isLowest ? plot.xName : '',
      nameLocation: 'middle',
      nameGap: 26,
      gridIndex: index,
      ...axisStyle,
    };
    if (isStack || isHeat) {
      return {
        ...name,
        type: 'category',
        data: levels.map(short),
        axisLabel: { ...label(String), formatter: undefined },
      };
    }
    if (isPercentiles) {
      return {
        ...name,
        type: 'value',
        min: 0,
        max: Math.max(1, ...levels),
        interval: 1,
        // A curve may end between two nines, where no round label stands.
        axisLabel: { ...label(nines), showMaxLabel: Number.isInteger(Math.max(1, ...levels)) },
      };
    }
    const ticks = logX ? { customValues: positions } : {};
    const last = positions[positions.length - 1] ?? 1;
    const first = positions[0] ?? 0;
    const min = logX ? first - (last - first) * 0.04 : Math.min(0, first);
    // Dots of trials stand right of their mark by as much as `farthestShift`.
    const room = view.dots ? farthestShift + 4 : 10;
    return {
      ...name,
      type: 'value',
      ...(logX ? {} : { interval: Math.max(1, roundStep((last - min) / steps)) }),
      min,
      max: last + ((last - min) * room) / (width - room),
      splitLine: { show: false },
      axisTick: { ...axisStyle.axisTick, ...ticks },
      axisLabel: { ...label((value) => short(Math.round(scale.from(value)))), ...ticks, showMaxLabel: logX },
    };
  });
  const yTicks = logY && extent.ticks ? { customValues: extent.ticks } : {};
  const yAxis = plot.panels.map((_, index) => ({
    gridIndex: index,
    ...axisStyle,
    ...(isHeat
      ? { type: 'category', data: plot.rows }
      : { type: logY ? 'log' : 'value', min: extent.min, max: extent.max, interval: extent.interval }),
    axisLine: { show: false, onZero: false },
    axisTick: { ...axisStyle.axisTick, ...yTicks },
    splitLine: { ...axisStyle.splitLine, ...yTicks },
    name: places[index]!.isFirst ? plot.yName : '',
    nameLocation: 'middle',
    nameGap: 44,
    axisLabel: places[index]!.isFirst
      ? { ...label((value) => (isHeat ? String(value) : short(value))), ...yTicks }
      : { show: false },
  }));
  const plotHeight = panelHeight - 84;
  /** How far the name at the end of each line is moved down, so that none covers another, pixels. */
  const shiftsIn = (some: readonly PlotSeries[]): number[] => {
    const height = (y: number) => {
      const [at, low, high] = [y, extent.min, extent.max].map((value) =>
        logY ? Math.log(value) : value,
      ) as [number, number, number];
      return (plotHeight * (high - at)) / (high - low);
    };
    const ends = some.map(({ points }) => height(points.at(-1)?.y ?? extent.max));
    return apart(ends, lineOfText).map((placed, index) => placed - ends[index]!);
  };
  const series = plot.panels.flatMap((panel, index) => {
    const shifts = namesAtEnds ? shiftsIn(panel.series) : [];
    return panel.series.flatMap((one, order): object[] => {
      const color = colorOf(one);
      const at = {
        name: one.name,
        xAxisIndex: index,
        yAxisIndex: index,
        itemStyle: { color },
        animation: false,
      };
      const visible = one.points.filter(({ y }) => !logY || y > 0);
      if (isHeat) {
        return [
          {
            ...at,
            type: 'heatmap',
            data: one.points.map(({ x, row, y }) => [levels.indexOf(x), row, y, shade(y)]),
            itemStyle: { borderColor: ink.ground, borderWidth: 2 },
            label: {
              show: places[index]!.width / levels.length > 34,
              formatter: ({ value }: { value: number[] }) => short(value[2]!),
            },
          },
        ];
      }
      if (isStack) {
        return [
          {
            ...at,
            type: 'bar',
            stack: `cpu ${index}`,
            barWidth: '62%',
            itemStyle: {
              color,
              ...(one.dashed
                ? { decal: { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: 0.8 } }
                : {}),
            },
            data: levels.map((x) => one.points.find((point) => point.x === x)?.y ?? null),
          },
        ];
      }
      const isBaseline = one.role === 'baseline';
      const plain = isBaseline || isPercentiles;
      const line = {
        ...at,
        type: 'line',
        symbol: plain ? 'none' : symbols[one.style % symbols.length],
        symbolSize: 7,
        showSymbol: !plain,
        lineStyle: {
          color,
          width: isBaseline ? 1.3 : 2,
          type: isBaseline ? 'dotted' : one.dashed ? 'dashed' : 'solid',
        },
        ...(namesAtEnds
          ? {
              endLabel: {
                show: true,
                formatter: `${one.name.replace(' (dotted)', '')} ${short(visible.at(-1)?.y ?? 0)}`,
                color,
                fontSize: 12,
                fontWeight: 600,
                distance: view.dots ? farthestShift + 6 : 8,
                offset: [0, shifts[order]!],
              },
            }
          : {}),
        data: visible.map(({ x, y, low, high, n }) => [scale.to(x), y, low, high, n, x]),
        z: isBaseline ? 2 : 4,
      };
      if (isPercentiles) {
        const band = visible.flatMap(({ x, low, high }) =>
          low !== null && high !== null ? [{ x, low: Math.max(low, extent.min), high }] : [],
        );
        if (band.length < 2) return [line];
        const area = {
          ...at,
          type: 'custom',
          renderItem: drawBand(band),
          clip: true,
          silent: true,
          data: [[band[0]!.x, band[0]!.low]],
          z: 1,
        };
        return [area, line];
      }
      if (plain) return [line];
      const intervals = {
        ...at,
        type: 'custom',
        renderItem: drawInterval,
        clip: true,
        silent: true,
        data: visible
          .filter(({ low, high }) => low !== null && high !== null && (!logY || low > 0))
          .map(({ x, low, high }) => [scale.to(x), low, high]),
        encode: { x: 0, y: [1, 2] },
        z: 3,
      };
      // Beside the mark, so that neither hides the other.
      const shift = farthestShift - 6 + (order % 3) * 3;
      const dots = view.dots
        ? visible.flatMap(({ x, dots: all }) =>
            all.map((y, trial): [number, number, number, null, null, number] => [
              scale.to(x),
              y,
              trial + 1,
              null,
              null,
              x,
            ]),
          )
        : [];
      const trials = view.still
        ? {
            ...at,
            type: 'custom',
            renderItem: drawDots(
              dots.map(([x, y]) => [x, y]),
              shift,
            ),
            silent: true,
            data: dots.slice(0, 1).map(([x, y]) => [x, y]),
            z: 3,
          }
        : {
            ...at,
            type: 'scatter',
            symbolSize: 4,
            symbolOffset: [shift, 0],
            itemStyle: { color, opacity: dotOpacity },
            data: dots,
            z: 3,
          };
      const model = {
        ...at,
        type: 'line',
        symbol: 'none',
        silent: true,
        lineStyle: { color, width: 1, type: 'dashed', opacity: 0.65 },
        data: one.curve.filter(([, y]) => !logY || y > 0).map(([x, y]) => [scale.to(x), y]),
        z: 1,
      };
      return [model, intervals, trials, line];
    });
  });
  const heat = all.flatMap((one) => one.points.map(({ y }) => shade(y)));
  return {
    ...around,
    legend: {
      show: view.legend && !isHeat,
      left: 12,
      top: 30,
      itemHeight: 9,
      // Room for fonts wider than the one the layout was computed with.
      itemGap: legendGap,
      textStyle: { color: ink.text },
      data: [...new Set(all.map((one) => one.name))],
    },
    grid: plot.panels.map((_, index) => ({
      left: places[index]!.x,
      top: places[index]!.y + 34,
      width: places[index]!.width,
      height: plotHeight,
    })),
    xAxis,
    yAxis,
    series,
    ...(isHeat
      ? {
          visualMap: {
            show: false,
            dimension: 3,
            min: Math.min(...heat),
            // One shade only, such as no loss anywhere, is the lightest.
            max: Math.max(...heat, Math.min(...heat) + 1e-6),
            inRange: { color: view.dark ? ['#123', '#4bb', '#fe8'] : ['#f2f7fb', '#5aa7d4', '#08306b'] },
          },
        }
      : {}),
    tooltip: {
      ...tooltip,
      formatter: ({
        seriesName,
        seriesType,
        value,
      }: {
        seriesName: string;
        seriesType: string;
        value: number[] | number;
      }) => {
        if (!Array.isArray(value)) return `${seriesName}: ${figureText(value)} ${plot.unit}`;
        if (isHeat)
          return `${short(levels[value[0]!]!)} × ${plot.rows[value[1]!]}: ${figureText(value[2]!)} ${plot.unit}`;
        const where = isPercentiles ? nines(value[0]!) : `${figureText(value[5] ?? value[0]!)} ${plot.xName}`;
        const figure = `${figureText(value[1]!)} ${plot.unit}`;
        if (seriesType === 'scatter') return `${seriesName}<br>${where}<br>trial ${value[2]}: ${figure}`;
        const spread =
          value[2] == null || value[3] == null
            ? ''
            : ` [${figureText(value[2])}, ${figureText(value[3])}], n = ${value[4]}`;
        return `${seriesName}<br>${where}<br>${figure}${spread}`;
      },
    },
  };
}
