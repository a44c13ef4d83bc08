/** The report as one HTML text: everything inside, nothing fetched. Pure: the same analysis gives the same text. */
import type { Analysis, ExperimentAnalysis } from '../analysis/analyse.js';
import { cellLabel, hostNames } from '../analysis/cells.js';
import { counted, number } from '../number.js';
import type { ScalingModel } from '../statistics/scaling.js';
import { hostSection } from './across-hosts.js';
import { answerInWords } from './answer.js';
import { compressed } from './compressed.js';
import { palettes } from './drawing.js';
import { environmentSection, hostsInWords } from './environment.js';
import { legendOrder } from './figures.js';
import { figureTable, growthSection, ledgerSection, lossFreeTable, scanSection } from './findings.js';
import { glossary } from './glossary.js';
import { embedded, Html, html, longTable } from './html.js';
import type { Plot } from './plot.js';
import { packPlot } from './plot-pack.js';
import { rowsOf } from './plot-table.js';
import { profileSection, type RunProfile } from './profiles.js';
import { projectionSection } from './projection.js';
import { quorumPeerSection } from './quorum-peers.js';
import { referenceSection } from './references.js';
import { pageSvg } from './svg.js';
import { verdictSection } from './verdicts.js';
import { factorName, worded } from './words.js';

export interface PageParts {
  analysis: Analysis;
  /** by experiment name, what its answer is drawn as */
  pictures: ReadonlyMap<string, Plot>;
  /** plots by experiment name */
  plots: ReadonlyMap<string, readonly Plot[]>;
  /** embedded files by name */
  downloads: ReadonlyMap<string, string>;
  /** flame trials of the run */
  profiles: readonly RunProfile[];
  assets: {
    css: string;
    script: string;
    /** the report's own modules that run in the page too, one text */
    modules: string;
    /** the library that draws in the page: gzip, base64 */
    echarts: string;
    /** style and script of flame graphs */
    flame: { style: string; script: string };
  };
}

const noticeNames = { serious: 'Doubt', caution: 'Note', good: 'Sound' };

const figureId = (plot: Plot) => `figure-${plot.id}`;

function toggle(name: string, label: string, on: boolean): Html {
  return html`<button type="button" data-switch="${name}" aria-pressed="${String(on)}">${label}</button>`;
}

function figure(plot: Plot, dots: boolean): Html {
  const all = plot.panels.flatMap(({ series }) => series);
  const swatch = (name: string) => {
    const found = all.find((series) => series.name === name)!;
    const [light, dark] =
      found.role === 'mechanism'
        ? [palettes.light, palettes.dark].map((colors) => colors[found.style % colors.length])
        : ['currentColor', 'currentColor'];
    return html`<span class="swatch" style="--light:${light};--dark:${dark}"></span>`;
  };
  const names = legendOrder([...new Set(all.map(({ name }) => name))]);
  const legend =
    plot.kind === 'heat' || plot.kind === 'servers'
      ? ''
      : names.map(
          (name) =>
            html`<button type="button" data-series="${name}" aria-pressed="true">${swatch(name)}${name}</button>`,
        );
  const isLines = plot.kind === 'lines';
  // What is folded is drawn when it is opened, and is not on paper.
  const still = plot.continues ? '' : html`<div class="still">${new Html(pageSvg(plot))}</div>`;
  return html`<figure data-plot="${plot.id}" id="${figureId(plot)}">
<figcaption><h3>${plot.title}</h3><p>${plot.meaning}</p></figcaption>
<div class="controls"><div class="legend" role="group" aria-label="Series shown">${legend}</div>
<div class="switches">${isLines ? toggle('log-x', 'log x', plot.logX) : ''}${isLines || plot.kind === 'percentiles' ? toggle('log-y', 'log y', plot.logY) : ''}${plot.kind === 'servers' ? toggle('log-y', 'log', plot.logY) : ''}${isLines && dots ? toggle('trials', 'trials', true) : ''}</div></div>
<div class="plot" role="img" aria-label="${plot.title}. ${plot.meaning}">${still}</div>
<details data-table="${plot.id}"><summary>Table: ${rowsOf(plot)} rows</summary></details></figure>`;
}

/** A figure, and what continues it folded below it. */
function figures(plots: readonly Plot[], dots: boolean): Html[] {
  return plots
    .filter(({ continues }) => !continues)
    .map((plot) => {
      const more = plots.filter(({ continues }) => continues === plot.id);
      if (more.length === 0) return figure(plot, dots);
      const names = [...new Set(more.flatMap(({ panels }) => panels.map(({ who }) => who)))];
      const panels = more.reduce((sum, one) => sum + one.panels.length, 0);
      return html`${figure(plot, dots)}<details class="more"><summary>The same for ${names.join('; ')} (${panels} panels)</summary>
${more.map((one) => figure(one, dots))}</details>`;
    });
}

/** "6.4 + 9.0 × x/1000" in the words of the chosen model. */
export function equation({ best }: ScalingModel, factor: string): string {
  const perThousand = number(best.slope * 1000, 3);
  const start = number(best.intercept, 3);
  switch (best.kind) {
    case 'constant':
      return start;
    case 'linear':
      return `${start} + ${perThousand} · ${factor}/1000`;
    case 'n log n':
      return `${start} + ${number(best.slope * 1000, 3)} · (${factor} · log₂ ${factor})/1000`;
    case 'power':
      return `${start} + ${best.slope.toExponential(2)} · ${factor}^${number(best.exponent!, 3)}`;
    case 'break-point':
      return `${start} + ${perThousand} · ${factor}/1000 up to ${number(best.breakAt!, 3)}, then ${number(best.slopePast! * 1000, 3)} per 1000`;
  }
}

const ends = (range: { low: number; high: number } | null) =>
  range ? `[${number(range.low, 3)}, ${number(range.high, 3)}]` : '–';

function modelTable({ name, models, factor }: ExperimentAnalysis): Html | string {
  if (models.length === 0) return '';
  return html`<div class="panel"><h3>Cost models</h3>
<p class="soft">Cost as a function of ${factorName(factor)}, always with an intercept; AICc chooses among constant, linear, n log n, power and linear with a break-point. Dashed in the plots.</p>
${longTable(
  `Cost models in ${factorName(factor)}, with 95 % bootstrap intervals over trials`,
  [
    { name: 'Series' },
    { name: 'Figure' },
    { name: 'Model' },
    { name: 'Equation' },
    { name: 'Exponent', figure: true },
    { name: 'R²', figure: true },
    { name: 'n', figure: true },
  ],
  models.map(({ series, metric, model }) => [
    series.label,
    `${worded(name, metric.title)} (${metric.unit})`,
    model.best.kind,
    equation(model, factor),
    ends(model.intervals.exponent),
    model.best.rSquared.toFixed(3),
    model.trials,
  ]),
)}</div>`;
}

/** What the run answers comes first; nothing where its experiments ask for something else than costs. */
function answerSection(
  { run, experiments }: Analysis,
  pictures: PageParts['pictures'],
  dots: boolean,
): Html | string {
  const answers = experiments.flatMap((experiment) => {
    const words = answerInWords(experiment, run);
    return words ? [{ name: experiment.name, words }] : [];
  });
  if (answers.length === 0) return '';
  return html`<section aria-labelledby="answer"><h2 id="answer">The answer</h2>
${answers.map(({ name, words: { headline, questions, sentences, remarks } }) => {
  const picture = pictures.get(name);
  return html`${[headline, ...questions].map((text) => html`<p class="headline">${text}</p>`)}
<ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>
<p class="soft">${remarks.join(' ')}</p>
${picture ? figure(picture, dots) : ''}`;
})}</section>`;
}

function experimentSection(experiment: ExperimentAnalysis, plots: readonly Plot[], dots: boolean): Html {
  const trials = experiment.cells.reduce((sum, { cell }) => sum + cell.trials.length, 0);
  const marks = `Marks are means over trials with 95 % intervals; ${dots ? 'small dots are single trials' : "single trials are too many for this page: the files in the run's folder plots/ draw each"}.`;
  return html`<section aria-labelledby="experiment-${experiment.name}"><h2 id="experiment-${experiment.name}">Experiment ${experiment.name}</h2>
<p class="soft">${counted(experiment.cells.length, 'cell')}, ${counted(trials, 'trial')} in fresh processes. ${plots.length > 0 ? marks : 'Figures are means over trials with 95 % intervals.'}</p>
${plots.length > 0 ? figures(plots, dots) : figureTable(experiment)}${hostSection(experiment)}${projectionSection(experiment)}${lossFreeTable(experiment)}${ledgerSection(experiment)}${scanSection(experiment)}${quorumPeerSection(experiment)}${growthSection(experiment)}${modelTable(experiment)}</section>`;
}

function excludedSection({ samples, excluded, refused }: Analysis): Html {
  if (excluded.length + refused.length === 0) {
    return html`<section aria-labelledby="left-out"><h2 id="left-out">Trials left out</h2><p>None: every trial counts.</p></section>`;
  }
  const several = hostNames(samples).length > 1;
  const rows = [
    ...excluded.map(({ experiment, cell, host, status, error, gates, block }) => [
      experiment,
      [cellLabel(cell), ...(several ? [host.name] : [])].join(', '),
      block + 1,
      status,
      error ??
        gates
          .filter(({ invalidates }) => invalidates)
          .map(({ message }) => message)
          .join(' '),
    ]),
    ...refused.map(({ line, cell, reason }) => ['', cell, `line ${line}`, 'refused', reason]),
  ];
  return html`<section aria-labelledby="left-out"><h2 id="left-out">Trials left out</h2>
<p class="soft">They stay in the run's file and are listed here; no verdict, mean or interval uses them.</p>
${longTable(
  'Trials that failed, are impossible here, or were judged invalid',
  [{ name: 'Experiment' }, { name: 'Cell' }, { name: 'Block' }, { name: 'Status' }, { name: 'Reason' }],
  rows,
)}</section>`;
}

/** Longest file that is worth its place in the page, bytes. */
const largestEmbedded = 100_000;

function downloadSection(downloads: ReadonlyMap<string, string>, dots: boolean): Html {
  const types: Record<string, string> = {
    csv: 'text/csv',
    tsv: 'text/tab-separated-values',
    json: 'application/json',
  };
  const isInside = (text: string) => text.length <= largestEmbedded;
  const links = [...downloads].map(([name, text]) => {
    const type = types[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain';
    const target = isInside(text) ? `data:${type};base64,${Buffer.from(text).toString('base64')}` : name;
    return html`<a class="button" download="${name}" href="${target}">${name}</a> `;
  });
  const beside = [
    ...[...downloads].filter(([, text]) => !isInside(text)).map(([name]) => name),
    'samples.ndjson (every trial)',
    'histograms/ (latency)',
    `plots/ (each figure as a file${dots ? '' : ', with its single trials'})`,
  ];
  return html`<p class="soft">Left out of this page and beside it in the run's folder: ${beside.join(', ')}.</p><p>${links}</p>`;
}

/** Bytes from which on a page is too heavy to open, send and keep. */
const largestPage = 3_000_000;

/** Trials are drawn as dots unless the page would be larger than `largest` bytes. */
export function page(parts: PageParts, largest = largestPage): string {
  const whole = pageWith(parts, true);
  return Buffer.byteLength(whole) <= largest ? whole : pageWith(parts, false);
}

function pageWith(parts: PageParts, dots: boolean): string {
  const { analysis, pictures, plots, downloads, profiles, assets } = parts;
  const { run, samples, experiments, notices } = analysis;
  const all = [...pictures.values(), ...[...plots.values()].flat()];
  const known = new Set(all.map(figureId));
  const packed = compressed(embedded(all.map((plot) => packPlot(plot, dots))));
  const started = (run?.startedAt ?? samples[0]!.startedAt).slice(0, 16).replace('T', ' ');
  const name = run?.id ?? 'run';
  const profiled = profiles.length > 0;
  const answer = answerSection(analysis, pictures, dots);
  const document = html`<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>dispatchbench: ${name}</title><link rel="icon" href="data:,"><style>${new Html(assets.css)}${profiled ? new Html(assets.flame.style) : ''}</style><noscript><style>.switches,details[data-table]{display:none}</style></noscript></head><body>
<a class="skip" href="#content">Skip to the content</a>
<header><h1>How event dispatch holds up</h1>
<p class="soft">Run ${name} · ${started} UTC · ${hostsInWords(samples)} · ${samples.length} samples</p>
<nav aria-label="Sections"><ul>${answer === '' ? '' : html`<li><a href="#answer">Answer</a></li>`}<li><a href="#validity">Validity</a></li><li><a href="#verdicts">Verdicts</a></li>${experiments.map((one) => html`<li><a href="#experiment-${one.name}">${one.name}</a></li>`)}${profiled ? html`<li><a href="#profiles">CPU time</a></li>` : ''}<li><a href="#left-out">Trials left out</a></li><li><a href="#environment">Environment</a></li><li><a href="#understanding">Understanding this report</a></li><li><button type="button" id="theme" aria-pressed="false">dark</button></li></ul></nav></header>
<main id="content">
${answer}
<section aria-labelledby="validity"><h2 id="validity">Can these figures be believed?</h2>
<ul class="notices">${notices.map(({ level, text }) => html`<li class="${level}"><b>${noticeNames[level]}.</b>${text.replaceAll(' %', '\u00a0%')}</li>`)}</ul></section>
${verdictSection(analysis, known)}
${experiments.map((one) => experimentSection(one, plots.get(one.name) ?? [], dots))}
${profileSection(profiles)}
${excludedSection(analysis)}
${referenceSection(analysis)}
${environmentSection(analysis)}
<section aria-labelledby="understanding"><h2 id="understanding">Understanding this report</h2><dl class="understanding">
${glossary.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl></section>
<section class="downloads" aria-labelledby="downloads"><h2 id="downloads">Downloads</h2>
${downloadSection(downloads, dots)}</section>
</main><footer>Made by dispatchbench from run.json and samples.ndjson alone; building it again gives the same file.</footer>
<script type="application/gzip" id="plots">${packed}</script>
<script type="application/gzip" id="library">${assets.echarts}</script>
<script type="module">${new Html(assets.modules)}
${new Html(assets.script)}</script>${profiled ? html`<script type="module">${new Html(assets.flame.script)}</script>` : ''}</body></html>
`;
  return document.text;
}
