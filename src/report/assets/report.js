// The page's behaviour: each plot's still picture gives way to an interactive chart when it comes near the screen; its
// switches, and its table when opened. `chartOption`, `chartLayout`, `plotTable` and `unpackPlot` come before this text in
// the same module; `echarts` is the library's global.
const root = document.documentElement;

/** Plots and library travel compressed; where a browser cannot unpack them the still pictures stay. */
async function inflated(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return await new Response(stream).text();
}

const plots = JSON.parse(await inflated('plots')).map(unpackPlot);
const charts = new Map();
const plotOf = (id) => plots.find((plot) => plot.id === id);
const isDark = () => root.dataset.theme === 'dark';

function view(figure, width) {
  const on = (name) =>
    figure.querySelector(`[data-switch="${name}"]`)?.getAttribute('aria-pressed') === 'true';
  return {
    width,
    logX: on('log-x'),
    logY: on('log-y'),
    dots: on('trials'),
    dark: isDark(),
    legend: false,
    still: false,
  };
}

function hidden(figure) {
  const off = figure.querySelectorAll('[data-series][aria-pressed="false"]');
  return Object.fromEntries([...off].map((button) => [button.dataset.series, false]));
}

function draw(figure) {
  const plot = plotOf(figure.dataset.plot);
  const target = figure.querySelector('.plot');
  const width = Math.max(280, target.clientWidth);
  const { height } = chartLayout(plot, width, false);
  let chart = charts.get(figure);
  if (!chart) {
    const live = target.appendChild(document.createElement('div'));
    live.className = 'live';
    chart = echarts.init(live, null, { renderer: 'svg', width, height });
    charts.set(figure, chart);
  } else {
    chart.resize({ width, height });
  }
  const option = chartOption(plot, view(figure, width));
  option.legend.selected = hidden(figure);
  chart.setOption(option, true);
  figure.dataset.drawn = 'true';
}

const figures = [...document.querySelectorAll('figure[data-plot]')];
/** Drawn ones only; what is folded away has no width. */
const redraw = () => {
  for (const figure of charts.keys()) if (figure.checkVisibility()) draw(figure);
};

const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(target);
    }
  },
  { rootMargin: '600px' },
);
for (const figure of figures) {
  for (const button of figure.querySelectorAll('button[aria-pressed]')) {
    button.addEventListener('click', () => {
      button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
      draw(figure);
    });
  }
}

for (const details of document.querySelectorAll('details[data-table]')) {
  details.addEventListener(
    'toggle',
    () => details.insertAdjacentHTML('beforeend', plotTable(plotOf(details.dataset.table)).text),
    { once: true },
  );
}

const theme = document.getElementById('theme');
const preferred = matchMedia('(prefers-color-scheme: dark)');
function setTheme(dark) {
  root.dataset.theme = dark ? 'dark' : 'light';
  theme.setAttribute('aria-pressed', String(dark));
  redraw();
}
setTheme(preferred.matches);
preferred.addEventListener('change', ({ matches }) => setTheme(matches));
theme.addEventListener('click', () => setTheme(!isDark()));

let pending;
addEventListener('resize', () => {
  clearTimeout(pending);
  pending = setTimeout(redraw, 120);
});
// Paper is white.
let darkOnScreen = false;
addEventListener('beforeprint', () => {
  darkOnScreen = isDark();
  setTheme(false);
});
addEventListener('afterprint', () => setTheme(darkOnScreen));

const library = document.createElement('script');
library.textContent = await inflated('library');
document.head.append(library);
for (const figure of figures) seen.observe(figure);
