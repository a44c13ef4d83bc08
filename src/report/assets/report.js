// The page's behaviour: draws each plot when it comes near the screen, its switches, and its table when opened.
// `chartOption`, `chartLayout`, `palettes`, `plotTable` and `plots` come before this text in the same module; `echarts` is
// the library's global.
const root = document.documentElement;
const charts = new Map();
const plotOf = (id) => plots.find((plot) => plot.id === id);
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

function draw(figure, paperWidth) {
  const plot = plotOf(figure.dataset.plot);
  const target = figure.querySelector('.plot');
  const width = paperWidth ?? Math.max(280, target.clientWidth);
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
    swatch.style.background =
      swatch.dataset.style === '' ? 'currentColor' : colors[swatch.dataset.style % colors.length];
  }
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
  // Space is kept before drawing, so that nothing moves under the reader.
  const target = figure.querySelector('.plot');
  const plot = plotOf(figure.dataset.plot);
  target.style.height = `${chartLayout(plot, Math.max(280, target.clientWidth), false).height}px`;
  for (const button of figure.querySelectorAll('button[aria-pressed]')) {
    button.addEventListener('click', () => {
      button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
      draw(figure);
    });
  }
  seen.observe(figure);
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
// Paper is white and shows every plot but what the reader left folded. The layout is still the screen's, so plots are drawn
// three panels wide and scaled to the paper.
const paperWidth = 900;
let darkOnScreen = false;
addEventListener('beforeprint', () => {
  darkOnScreen = isDark();
  setTheme(false);
  for (const figure of figures) {
    if (!figure.checkVisibility()) continue;
    draw(figure, paperWidth);
    const target = figure.querySelector('.plot');
    const drawing = target.querySelector('svg');
    const copy = drawing.cloneNode(true);
    copy.setAttribute('viewBox', `0 0 ${drawing.getAttribute('width')} ${drawing.getAttribute('height')}`);
    for (const name of ['width', 'height', 'style']) copy.removeAttribute(name);
    copy.classList.add('on-paper');
    target.append(copy);
    target.style.height = 'auto';
  }
});
addEventListener('afterprint', () => {
  for (const copy of document.querySelectorAll('.on-paper')) copy.remove();
  setTheme(darkOnScreen);
});
