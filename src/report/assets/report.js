// The page's behaviour: draws each plot when it comes near the screen, and its switches. `chartOption`, `chartLayout`,
// `palettes` and `plots` come before this text in the same module; `echarts` is the library's global.
const root = document.documentElement;
const charts = new Map();
const isDark = () => root.dataset.theme === 'dark';

function view(figure, width) {
  const on = (name) =>
    figure.querySelector(`[data-switch="${name}"]`)?.getAttribute('aria-pressed') === 'true';
  return { width, logX: on('log-x'), logY: on('log-y'), dots: on('trials'), dark: isDark(), legend: false };
}

function hidden(figure) {
  const off = figure.querySelectorAll('[data-series][aria-pressed="false"]');
  return Object.fromEntries([...off].map((button) => [button.dataset.series, false]));
}

function draw(figure) {
  const plot = plots.find(({ id }) => id === figure.dataset.plot);
  const target = figure.querySelector('.plot');
  const width = Math.max(280, target.clientWidth);
  const { height } = chartLayout(plot, width, false);
  target.style.height = `${height}px`;
  let chart = charts.get(figure);
  if (!chart) {
    chart = echarts.init(target, null, { renderer: 'svg', width, height });
    charts.set(figure, chart);
  } else {
    chart.resize({ width, height });
  }
  const option = chartOption(plot, view(figure, width));
  option.legend.selected = hidden(figure);
  chart.setOption(option, true);
  for (const swatch of figure.querySelectorAll('.swatch')) {
    const colors = isDark() ? palettes.dark : palettes.light;
    swatch.style.background = swatch.dataset.style === '' ? 'currentColor' : colors[swatch.dataset.style];
  }
  figure.dataset.drawn = 'true';
}

const figures = [...document.querySelectorAll('figure[data-plot]')];
const redraw = () => {
  for (const figure of charts.keys()) draw(figure);
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
  // Space is kept before drawing, so that nothing moves under the reader.
  const target = figure.querySelector('.plot');
  const plot = plots.find(({ id }) => id === figure.dataset.plot);
  target.style.height = `${chartLayout(plot, Math.max(280, target.clientWidth), false).height}px`;
  for (const button of figure.querySelectorAll('button[aria-pressed]')) {
    button.addEventListener('click', () => {
      button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
      draw(figure);
    });
  }
  seen.observe(figure);
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
// Paper is white, shows every plot, and folds nothing away that the reader opened.
let darkOnScreen = false;
addEventListener('beforeprint', () => {
  darkOnScreen = isDark();
  for (const figure of figures) draw(figure);
  setTheme(false);
});
addEventListener('afterprint', () => setTheme(darkOnScreen));
