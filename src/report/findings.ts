/** What a sweep comes to, in sentences and tables: how costs grow, and what a UDP server carries without loss. */
import type { ExperimentAnalysis, Growth } from '../analysis/analyse.js';
import { hostNames, labelsAmong, nearest, varyingFactors } from '../analysis/cells.js';
import { type Ledger, ledgerOf, lossCauses } from '../analysis/ledger.js';
import { lossFreeRates } from '../analysis/loss-free.js';
import { isScan, type ScannedSeries } from '../analysis/scan.js';
import { number } from '../number.js';
import { withInterval } from './format.js';
import { type Html, html, longTable, table } from './html.js';
import { nameOf } from './plot-series.js';
import { factorName, implementationName, levelInWords, worded } from './words.js';

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
  const several = hostNames(series).length > 1;
  const groups = new Map<string, Growth[]>();
  for (const one of growth) {
    const { levels, host } = one.series;
    const parts = [
      implementationName(levels),
      ...others.map((factor) => levelInWords(factor, levels[factor])),
      ...(several ? [host.name] : []),
    ];
    const condition = `${worded(name, one.metric.title)}, ${parts.join(', ')}`;
    groups.set(condition, [...(groups.get(condition) ?? []), one]);
  }
  return groups;
}

function sentences(conditions: readonly [string, Growth[]][]): Html {
  return html`<ul>${conditions.map(
    ([condition, rows]) =>
      html`<li>${condition}: ${rows.map(
        (row, i) =>
          html`${i > 0 ? '; ' : ''}<strong>${nameOf(row.series)}</strong> ${slopeText(row)}, ${growthReading(row)}`,
      )}.</li>`,
  )}</ul>`;
}

/** Slope of the cost per 1000 of the factor: a sentence per condition, mechanism by mechanism. */
export function growthSection(experiment: ExperimentAnalysis): Html | string {
  if (experiment.growth.length === 0) return '';
  const near = new Set(nearest(experiment.series));
  const conditions = [...byCondition(experiment)];
  const shown = conditions.filter(([, rows]) => rows.some(({ series }) => near.has(series)));
  const folded = conditions.filter((one) => !shown.includes(one));
  return html`<div class="panel"><h3>How the cost grows, per 1000 ${factorName(experiment.factor)}</h3>
<p class="soft">Slope of a straight line through all trials, with its 95 % bootstrap interval over trials, whatever the shape of the growth.</p>
${sentences(shown)}${folded.length > 0 ? html`<details><summary>${folded.length} more, of the other implementations</summary>${sentences(folded)}</details>` : ''}</div>`;
}

/** Requests that share a scan from which on the sharing explains a cost. */
const manyShare = 2;

/** "With 1000 active connections one scan of select (41 µs) serves 25 requests (closed), 1.1 (open)." */
export function sharingOf({ series, largestScan, shared }: ScannedSeries): string | null {
  const busiest = shared.reduce((most, one) => (one.requestsPerWait > most.requestsPerWait ? one : most));
  if (busiest.requestsPerWait < manyShare) return null;
  const served = [...shared]
    .sort((a, b) => b.requestsPerWait - a.requestsPerWait)
    .map(({ window, requestsPerWait }) => `${number(requestsPerWait, 2)} requests (${window} window)`);
  return `With ${number(busiest.active)} active connections one scan of ${nameOf(series)}, ${number(largestScan, 3)} µs, serves ${served.join(', ')}.`;
}

/** "15.2 [14.9, 15.6] ns" from microseconds */
export const nanoseconds = ({ estimate, low, high }: Parameters<typeof withInterval>[0]): string =>
  withInterval({ estimate: 1000 * estimate, low: low && 1000 * low, high: high && 1000 * high }, 'ns');

/** What a wait costs, by the counters of every window; printed with the error of what was left out of the fit. */
export function scanSection({ scans }: ExperimentAnalysis): Html | string {
  if (scans.length === 0) return '';
  const sharing = scans
    .filter(({ model }) => isScan(model))
    .map(sharingOf)
    .filter((sentence) => sentence !== null);
  return html`<div class="panel"><h3>What a wait costs</h3>
<p class="soft">Server CPU per request = a + (wait + scan of every registered descriptor) / requests per wait: with many active connections one scan serves many events. Fitted to all windows, with 95 % intervals over blocks; the last column predicts each number of descriptors by the others.</p>
${sharing.length > 0 ? html`<p>${sharing.join(' ')}</p>` : ''}${longTable(
  'Scan models',
  [
    { name: 'Series' },
    { name: 'A request, a', figure: true },
    { name: 'A wait', figure: true },
    { name: 'Per registered descriptor and wait', figure: true },
    { name: 'Bends at', figure: true },
    { name: 'Then', figure: true },
    { name: 'Missed when left out', figure: true },
  ],
  scans.map(({ series: { label }, model }) => [
    label,
    nanoseconds(model.request),
    `${number(1000 * model.cost.wait, 3)} ns`,
    nanoseconds(model.perDescriptor),
    model.cost.bend === null ? '–' : number(model.cost.bend),
    model.cost.bend === null ? '–' : `${number(1000 * model.cost.pastBend, 3)} ns`,
    model.leftOut
      .map(({ registered, error }) => `${number(registered)}: ${number(100 * error, 2)} %`)
      .join(', ') || '–',
  ]),
)}</div>`;
}

/** Closed loop and open loop side by side; nothing where neither says where loss begins. */
export function lossFreeTable({ series, factor }: ExperimentAnalysis): Html | string {
  const ordered = series.flatMap(({ points }) => points.map(({ cell }) => cell));
  const rows = lossFreeRates(ordered).filter(({ closed, lostAt }) => closed !== null || lostAt !== null);
  if (rows.length === 0) return '';
  const labelOf = labelsAmong(rows, [factor]);
  const rate = (value: number | null, none: string) => (value === null ? none : `${number(value)}/s`);
  return html`<div class="panel"><h3>What is carried without loss</h3>
<p class="soft">Closed loop: answered per second while the unanswered datagrams fit every buffer. Open loop: of the offered rates of this run, the highest with no datagram lost in any counting trial, and the lowest with some lost; the limit lies between the two. A rate the client could not offer counts as neither.</p>
${longTable(
  'Highest loss-free rate',
  [
    { name: 'Series' },
    { name: factorName(factor), figure: true },
    { name: 'Closed loop', figure: true },
    { name: 'Open loop, none lost up to', figure: true },
    { name: 'Open loop, some lost at', figure: true },
  ],
  rows.map(({ levels, host, closed, held, lostAt }) => [
    labelOf({ levels, host }),
    number(Number(levels[factor])),
    closed ? withInterval(closed, 'per s') : '–',
    rate(held, '–'),
    rate(lostAt, 'none of the offered'),
  ]),
)}</div>`;
}

/** Every figure of every cell, where there is nothing to draw them along. */
export function figureTable({ name, cells, series }: ExperimentAnalysis): Html | string {
  const figures = new Map(cells.map(({ cell, figures: found }) => [cell.key, found]));
  const rows = series.flatMap(({ label, points }) =>
    points.flatMap(({ cell }) =>
      [...(figures.get(cell.key)?.values() ?? [])].map(({ metric, interval }) => [
        label,
        worded(name, metric.title),
        withInterval(interval, metric.unit),
        interval.n,
      ]),
    ),
  );
  if (rows.length === 0) return '';
  return html`<div class="panel"><h3>All figures</h3>${longTable(
    'Means over trials with 95 % intervals',
    [{ name: 'Cell' }, { name: 'Figure' }, { name: 'Mean', figure: true }, { name: 'n', figure: true }],
    rows,
  )}</div>`;
}

const causeNames: Record<(typeof lossCauses)[number], string> = {
  serverSocket: "at the server's full sockets",
  serverUnread: "unread in the server's sockets",
  clientSocket: "at the client's full sockets",
  unreachable: 'at closed ports',
  badReply: 'by a bad reply',
  unexplained: 'unexplained',
};

function causes(ledger: Ledger): string {
  return lossCauses
    .filter((cause) => ledger[cause] > 0)
    .map((cause) => `${number(ledger[cause])} ${causeNames[cause]}`)
    .join(', ');
}

/** The books of every datagram: a sentence for all, and a row for each cell that lost, doubled or reordered some. */
export function ledgerSection({ series, factor }: ExperimentAnalysis): Html | string {
  const cells = series.flatMap(({ label, points }) => points.map(({ x, cell }) => ({ label, x, cell })));
  const all = ledgerOf(cells.map(({ cell }) => cell));
  if (!all) return '';
  const rows = cells.flatMap(({ label, x, cell }) => {
    const ledger = ledgerOf([cell]);
    const isNotable =
      ledger && ledger.lost + ledger.late + ledger.reordered + ledger.duplicates + ledger.corrupted > 0;
    return isNotable ? [{ label, x, ledger }] : [];
  });
  const books =
    all.open === 0
      ? `The books of all ${number(all.trials)} windows close: sent is received and lost, and every lost one has its place.`
      : `The books of ${number(all.open)} of ${number(all.trials)} windows do not close.`;
  return html`<div class="panel"><h3>What became of the datagrams</h3>
<p>Of ${number(all.sent)} sent in counting trials ${number(all.received)} were answered and ${number(all.lost)} lost${all.lost > 0 ? ` (${causes(all)})` : ''}. ${books}</p>
${
  rows.length === 0
    ? html`<p class="soft">In no cell was one late, reordered, doubled or corrupted.</p>`
    : html`<details><summary>Table: ${rows.length} ${rows.length === 1 ? 'cell' : 'cells'} that lost some, or had late, reordered, doubled or corrupted ones</summary>${table(
        'Datagrams of all trials of a cell',
        [
          'Series',
          factorName(factor),
          'Sent',
          'Lost',
          'Late',
          'Reordered',
          'Duplicates',
          'Corrupted',
          'Lost where',
        ].map((name, i) => ({ name, figure: i > 0 && i < 8 })),
        rows.map(({ label, x, ledger }) => [
          label,
          ...[
            x,
            ledger.sent,
            ledger.lost,
            ledger.late,
            ledger.reordered,
            ledger.duplicates,
            ledger.corrupted,
          ].map((value) => number(value)),
          causes(ledger) || '–',
        ]),
      )}</details>`
}</div>`;
}
