/**
 * A row for each server, its figure with interval and trials, and a panel for each of its circumstances side by side, so that
 * a row reads across. Runs in Node and in the page: imports nothing else at run time.
 */
import { figureText, frame, palettes, scaleOf, short } from './drawing.js';
import type { Plot, View } from './plot.js';

const rowHeight = 26;
/** Of its axis. */
const below = 48;
/** Of its title, which takes two lines where many stand side by side. */
const above = ({ panels }: Plot): number => (panels.length > 3 ? 40 : 24);

export const serversHeight = (plot: Plot): number => above(plot) + plot.rows.length * rowHeight + below;

/** ECharts calls this for each interval: a horizontal line with caps. */
function drawRowInterval(
  _: unknown,
  api: {
    value(i: number): number;
    coord(point: [number, number]): [number, number];
    visual(name: string): string;
  },
) {
  const [low, y] = api.coord([api.value(0), api.value(2)]);
  const [high] = api.coord([api.value(1), api.value(2)]);
  const stroke = { stroke: api.visual('color'), lineWidth: 1.4 };
  const line = (x1: number, y1: number, x2: number, y2: number) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: stroke,
  });
  return {
    type: 'group',
    children: [line(low, y, high, y), line(low, y - 4, low, y + 4), line(high, y - 4, high, y + 4)],
  };
}

/** @param top where the panels begin, pixels */
export function serversOption(plot: Plot, view: View, top: number): Record<string, unknown> {
  const palette = view.dark ? palettes.dark : palettes.light;
  const logarithmic = view.logY;
  const longest = Math.max(...plot.rows.map((name) => name.length));
  const left = 20 + 7.3 * longest;
  const gap = 26;
  const width = (view.width - left - 20 - gap * (plot.panels.length - 1)) / plot.panels.length;
  const at = plot.panels.map((_, index) => left + index * (width + gap));
  const { ink, around, tooltip } = frame(
    plot,
    view,
    at.map((x) => ({ left: x, top, width })),
  );
  // Panels are read one by one: what is asked in another way is of another size.
  const scales = plot.panels.map(({ series }) => {
    const points = series.flatMap((one) => one.points);
    const values = points.flatMap(({ y, low, high, dots }) => [
      y,
      low ?? y,
      high ?? y,
      ...(view.dots ? dots : []),
    ]);
    return scaleOf(
      values,
      points.map(({ y }) => y),
      logarithmic,
    );
  });
  const style = {
    axisLine: { lineStyle: { color: ink.faint } },
    axisTick: { show: false },
    nameTextStyle: { color: ink.text, fontSize: 12 },
  };
  return {
    ...around,
    grid: plot.panels.map((_, index) => ({
      left: at[index],
      top: top + above(plot),
      width,
      height: plot.rows.length * rowHeight,
    })),
    yAxis: plot.panels.map((_, index) => ({
      gridIndex: index,
      type: 'category',
      inverse: true,
      data: plot.rows,
      ...style,
      splitLine: { show: true, lineStyle: { color: ink.line } },
      axisLabel: index === 0 ? { color: ink.text, fontSize: 12, interval: 0 } : { show: false },
    })),
    xAxis: scales.map(({ min, max, interval, ticks }, index) => {
      const values = logarithmic && ticks ? { customValues: ticks } : {};
      return {
        gridIndex: index,
        type: logarithmic ? 'log' : 'value',
        min,
        max,
        interval,
        name: plot.yName,
        nameLocation: 'middle',
        nameGap: 26,
        ...style,
        splitLine: { lineStyle: { color: ink.line }, ...values },
        axisLabel: { color: ink.text, fontSize: 11, formatter: short, hideOverlap: true, ...values },
      };
    }),
    series: plot.panels.flatMap(({ series }, index) =>
      series.flatMap((one): object[] => {
        const published = one.role === 'reference';
        const color = published ? ink.reference : palette[one.style % palette.length]!;
        const common = {
          name: one.name,
          xAxisIndex: index,
          yAxisIndex: index,
          itemStyle: { color },
          animation: false,
        };
        const visible = one.points.filter(({ y }) => !logarithmic || y > 0);
        return [
          {
            ...common,
            type: 'custom',
            renderItem: drawRowInterval,
            clip: true,
            silent: true,
            data: visible
              .filter(({ low, high }) => low !== null && high !== null && (!logarithmic || low > 0))
              .map(({ low, high, row }) => [low, high, row]),
            encode: { x: [0, 1], y: 2 },
            z: 3,
          },
          {
            ...common,
            type: 'scatter',
            symbolSize: 4,
            symbolOffset: [0, 7],
            itemStyle: { color, opacity: 0.5 },
            silent: true,
            data: view.dots ? visible.flatMap(({ dots, row }) => dots.map((dot) => [dot, row])) : [],
            z: 3,
          },
          {
            ...common,
            type: 'scatter',
            symbolSize: published ? 11 : 9,
            symbol: published ? 'diamond' : 'circle',
            data: visible.map(({ y, low, high, n, row }) => [y, row, low, high, n]),
            z: published ? 5 : 4,
          },
        ];
      }),
    ),
    legend: { show: false },
    tooltip: {
      ...tooltip,
      formatter: ({ value, seriesName }: { value: (number | null)[]; seriesName: string }) => {
        const [figure, row, low, high, n] = value;
        const spread =
          low == null || high == null ? '' : ` [${figureText(low)}, ${figureText(high)}], n = ${n}`;
        const published = plot.panels
          .flatMap(({ series }) => series)
          .some(({ name, role }) => role === 'reference' && name === seriesName);
        return `${plot.rows[row!]}<br>${published ? `${seriesName}<br>` : ''}${figureText(figure!)} ${plot.unit}${spread}`;
      },
    },
  };
}
