/** What a sweep comes to, in sentences and tables: how costs grow, and what a UDP server carries without loss. */
import type { ExperimentAnalysis, Growth } from '../analysis/analyse.js';
import { seriesLabel, varyingFactors } from '../analysis/cells.js';
import { lossFreeRates } from '../analysis/loss-free.js';
import { factorName, implementationName, levelInWords, number, withInterval, worded } from './format.js';
import { type Html, html, table } from './html.js';

/** What a slope's interval says about "does it grow". */
export function growthReading({ slope: { low, high } }: Growth): string {
  if (low === null || high === null) return 'no interval: one trial a level';
  if (low > 0) return 'grows';
  return high < 0 ? 'falls' : '0 lies inside: no growth shown';
}

/** "395 [250, 545] µs" */
function slopeText({ slope: { estimate, low, high }, metric: { unit } }: Growth): string {
  const interval = low === null || high === null ? '' : ` [${number(low, 3)}, ${number(high, 3)}]`;
  return `${number(estimate, 3)}${interval} ${unit}`;
}

/** Growths of one cost that differ in the mechanism only, under the words for everything else. */
function byCondition({ name, growth, series }: ExperimentAnalysis): Map<string, Growth[]> {
  const others = varyingFactors(series.map(({ levels }) => levels));
  const hosts = new Set(series.map(({ host }) => host.name));
  const groups = new Map<string, Growth[]>();
  for (const one of growth) {
    const { levels, host } = one.series;
    const parts = [
      implementationName(levels),
      ...others.map((factor) => levelInWords(factor, levels[factor])),
      ...(hosts.size > 1 ? [host.name] : []),
    ];
    const condition = `${worded(name, one.metric.title)}, ${parts.join(', ')}`;
    groups.set(condition, [...(groups.get(condition) ?? []), one]);
  }
  return groups;
}

/** Slope of the cost per 1000 of the factor: a sentence per condition, mechanism by mechanism. */
export function growthSection(experiment: ExperimentAnalysis): Html | string {
  if (experiment.growth.length === 0) return '';
  return html`<div class="panel"><h3>How the cost grows, per 1000 ${factorName(experiment.factor)}</h3>
<p class="soft">Slope of a straight line through all trials, with its 95 % bootstrap interval over trials, whatever the shape of the growth.</p>
<ul>${[...byCondition(experiment)].map(
    ([condition, rows]) =>
      html`<li>${condition}: ${rows.map(
        (row, i) =>
          html`${i > 0 ? '; ' : ''}<strong>${row.series.levels.backend ?? row.series.label}</strong> ${slopeText(row)}, ${growthReading(row)}`,
      )}.</li>`,
  )}</ul></div>`;
}

/** Closed loop and open loop side by side; nothing where neither says where loss begins. */
export function lossFreeTable({ series, factor }: ExperimentAnalysis): Html | string {
  const ordered = series.flatMap(({ points }) => points.map(({ cell }) => cell));
  const rows = lossFreeRates(ordered).filter(({ closed, lostAt }) => closed !== null || lostAt !== null);
  if (rows.length === 0) return '';
  const rate = (value: number | null, none: string) => (value === null ? none : `${number(value)}/s`);
  return html`<div class="panel"><h3>What is carried without loss</h3>
<p class="soft">Closed loop: answered per second while the unanswered datagrams fit every buffer. Open loop: of the offered rates of this run, the highest with no datagram lost in any counting trial, and the lowest with some lost; the limit lies between the two. A rate the client could not offer counts as neither.</p>
${table(
  'Highest loss-free rate',
  [
    { name: 'Series' },
    { name: factorName(factor), figure: true },
    { name: 'Closed loop', figure: true },
    { name: 'Open loop, none lost up to', figure: true },
    { name: 'Open loop, some lost at', figure: true },
  ],
  rows.map(({ levels, closed, held, lostAt }) => [
    seriesLabel(levels),
    number(Number(levels[factor])),
    closed ? withInterval(closed, 'per s') : '–',
    rate(held, '–'),
    rate(lostAt, 'none of the offered'),
  ]),
)}</div>`;
}
