/** Plots as SVG text by ECharts' own server-side mode: no browser needed. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as ECharts from 'echarts';
import { chartLayout, chartOption } from './chart.js';
import type { Plot } from './plot.js';

/** What we use of the library as one file (scripts/echarts.mjs), for Node and for the page. */
export const libraryPath = fileURLToPath(new URL('echarts.cjs', import.meta.url));

/** Read when the first plot is drawn: a command may draw none. */
let library: Pick<typeof ECharts, 'init'> | undefined;
function echarts(): Pick<typeof ECharts, 'init'> {
  library ??= createRequire(import.meta.url)(libraryPath) as Pick<typeof ECharts, 'init'>;
  return library;
}

function drawn(plot: Plot, view: { width: number; dots: boolean; legend: boolean }): string {
  const { width, legend } = view;
  const { height } = chartLayout(plot, width, legend);
  const chart = echarts().init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    const { logX, logY } = plot;
    chart.setOption(chartOption(plot, { ...view, logX, logY, dark: false, still: true }));
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Names inside a drawing carry a counter of the process; the same plot must give the same bytes. */
function renamed(svg: string, prefix: string): string {
  const seen = new Map<string, string>();
  return svg.replace(/zr\d+-[a-z]+-?\d+/g, (name) => {
    if (!seen.has(name)) seen.set(name, `${prefix}${seen.size}`);
    return seen.get(name)!;
  });
}

/** A file of its own, with title and legend. */
export const plotSvg = (plot: Plot): string =>
  renamed(drawn(plot, { width: 1000, dots: true, legend: true }), 'z');

/** About as wide as the page shows it, so that little moves when the interactive chart takes its place. */
const pageWidth = 1040;

/** What every element says and none needs: SVG's own defaults, and the font, which the page has. */
const needless =
  /<rect[^>]*fill="transparent"[^>]*><\/rect>\n?|<style >.*?<\/style>\n?| (?:pointer-events="visible"|class="[^"]*"|xml:space="preserve"|ecmeta_\w+="[^"]*"|version="1.1"|baseProfile="full"|xmlns:xlink="[^"]*"|stroke-linecap="round"|stroke-linejoin="bevel")|font-family:[^;]*;/gs;

/** For the page that has title, legend and description around it: no single trials, and as many digits as pixels show. */
export function pageSvg(plot: Plot): string {
  return renamed(drawn(plot, { width: pageWidth, dots: false, legend: false }), `${plot.id}-`)
    .replace(needless, '')
    .replace(/\d+\.\d{2,}/g, (digits) => String(Number(Number(digits).toFixed(1))))
    .replace('<svg ', '<svg aria-hidden="true" ');
}
