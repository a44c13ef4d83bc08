/** Plots as SVG text by ECharts' own server-side mode: no browser needed. */
import { createRequire } from 'node:module';
import type * as ECharts from 'echarts';
import { chartLayout, chartOption } from './chart.js';
import type { Plot } from './plot.js';

const width = 1000;

/** The whole library as one file, read when the first plot is drawn: its hundreds of modules take longer than the plots. */
let library: typeof ECharts | undefined;
function echarts(): typeof ECharts {
  library ??= createRequire(import.meta.url)('echarts/dist/echarts.min.js') as typeof ECharts;
  return library;
}

/** @param dark colours for a dark ground; files default to light */
export function plotSvg(plot: Plot, dark = false): string {
  const { height } = chartLayout(plot, width, true);
  const chart = echarts().init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(
      chartOption(plot, { width, logX: plot.logX, logY: plot.logY, dots: true, dark, legend: true }),
    );
    // Names inside the drawing carry a counter of the process; the same plot must give the same bytes.
    const seen = new Map<string, string>();
    return chart.renderToSVGString().replace(/zr\d+-[a-z]+-?\d+/g, (name) => {
      if (!seen.has(name)) seen.set(name, `z${seen.size}`);
      return seen.get(name)!;
    });
  } finally {
    chart.dispose();
  }
}
