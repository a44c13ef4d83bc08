/** Published figures beside ours, what no machine can do, and the works they come from. */
import type { Analysis } from '../analysis/analyse.js';
import { besidePublished, dividedBy } from '../analysis/beside.js';
import { besideOffload, publishedOffload } from '../analysis/beside-offload.js';
import { gatewayTestbed } from '../analysis/reference/gateways-2026.js';
import { memory2025 } from '../analysis/reference/memory-2025.js';
import { type PublishedFigure, plausibilityNames, verdictOn } from '../analysis/reference/published.js';
import { published2025, transferTestbed } from '../analysis/reference/transfers-2025.js';
import { wasimoffTestbed } from '../analysis/reference/wasimoff-2023.js';
import { bibliography, citedWork } from '../claims/bibliography.js';
import { number } from '../number.js';
import { withInterval } from './format.js';
import { type Html, html, table } from './html.js';

/** Bytes per second of the run's fastest host; null: the run has no record. */
function fastestCopy(run: Analysis['run']): number | null {
  const rates = Object.values(run?.hosts ?? {}).map(({ memoryCopy }) => memoryCopy.bytesPerSecond);
  return rates.length > 0 ? Math.max(...rates) : null;
}

const reference = ({ authors, title, where, year }: (typeof bibliography)[keyof typeof bibliography]): Html =>
  html`<li>${authors.length > 0 ? `${authors.join('; ')}: ` : ''}<cite>${title}</cite>. ${where}${year === null ? '' : `, ${year}`}.</li>`;

/** The report's own tables on gateways: what they had, what we have, and both over the native gateway. */
function gatewaysBeside(experiments: Analysis['experiments']): Html[] {
  const tables = besidePublished(experiments);
  if (tables.length === 0) return [];
  const several = new Set(tables.map(({ host }) => host)).size > 1;
  return [
    html`<h3>Gateways: their tables beside ours</h3>
<p class="soft">${citedWork('gateway-report')}, ${gatewayTestbed}; ours on the host of this run. Ratios are over ${dividedBy} of the same table, ours within blocks: they may be compared, absolute figures of two machines not.</p>
${tables.map(({ what, host, metric: { unit, digits }, rows }) => {
  const round = (value: number) => number(Number(value.toFixed(digits)));
  return table(
    `${what[0]!.toUpperCase()}${what.slice(1)}${several ? `, ${host}` : ''}`,
    [
      { name: 'Gateway' },
      { name: `Theirs (${unit})`, figure: true },
      { name: `Ours (${unit})`, figure: true },
      { name: 'Theirs, ratio', figure: true },
      { name: 'Ours, ratio', figure: true },
    ],
    rows.map(({ variant, theirs, ours }) => [
      variant,
      round(theirs.value),
      ours ? withInterval(ours.value) : 'not measured',
      theirs.overNative.toPrecision(3),
      ours ? (variant === dividedBy ? '1' : withInterval(ours.overNative)) : '',
    ]),
  );
})}`,
  ];
}

/** Published rows in grey above our own. */
function offloadBeside(experiments: Analysis['experiments']): Html[] {
  const tables = besideOffload(experiments);
  if (tables.length === 0) return [];
  const grey = (text: string | number) => html`<span class="soft">${text}</span>`;
  const tasks = ['tsp-8', 'tsp-10'] as const;
  const published = publishedOffload.map(({ who, on, rates, p50Ms, failures, ratio }) =>
    [
      who,
      on,
      ...tasks.flatMap((task) => [number(rates[task]!), number(p50Ms[task]!)]),
      failures,
      ratio!.toPrecision(3),
    ].map(grey),
  );
  return [
    html`<h3>Offloading: their table beside ours</h3>
<p class="soft">${citedWork('wasimoff')}, in grey: ${wasimoffTestbed}. Ours on the host of this run, which client, broker and providers share. A task of tsp-10 is some 90 times the work of one of tsp-8, so the ratio of their rates says what a system adds to a short task; it may be compared, absolute figures of two machines not.</p>
${tables.map(({ host, ours }) =>
  table(
    `Tasks a second, published and ${tables.length > 1 ? `on ${host}` : 'here'}`,
    [
      { name: 'System' },
      { name: 'On' },
      ...tasks.flatMap((task) => [
        { name: `${task} (/s)`, figure: true },
        { name: `${task} p50 (ms)`, figure: true },
      ]),
      { name: 'Failed', figure: true },
      { name: 'tsp-8 / tsp-10', figure: true },
    ],
    [
      ...published,
      ...ours.map(({ who, on, rates, p50Ms, ratio }) => [
        who,
        on,
        ...tasks.flatMap((task) =>
          [rates[task], p50Ms[task]].map((one) => (one ? withInterval(one) : 'not measured')),
        ),
        '0',
        ratio ? withInterval(ratio) : '',
      ]),
    ],
  ),
)}`,
  ];
}

/** @param of what they are: 'parallel streams' */
function figuresJudged(
  of: string,
  how: string,
  figures: readonly PublishedFigure[],
  run: Analysis['run'],
): Html {
  const copyBytesPerSecond = fastestCopy(run);
  const rows = figures.map((one) => {
    const { plausibility, why } = verdictOn(one, copyBytesPerSecond);
    const figure = one.rate ? `${number(one.rate.bytesPerSecond / 1e9)} GB/s` : one.figure;
    return [one.claim ?? '', one.what, figure, plausibilityNames[plausibility], why];
  });
  return html`<details><summary>Published figures of ${of}, held against ${how}</summary><p class="soft">${citedWork('dwcp-results')}, ${transferTestbed}.</p>${table(
    `Published figures of ${of}, and whether they can be`,
    [
      { name: 'Claim' },
      { name: 'Figure' },
      { name: 'Published', figure: true },
      { name: 'Verdict' },
      { name: 'Why' },
    ],
    rows,
  )}</details>`;
}

export function referenceSection({ run, experiments }: Analysis): Html {
  return html`<section aria-labelledby="published"><h2 id="published">Published figures</h2>
<p class="soft">Tables of the works below stand beside ours as grey marks where the axes agree, with their testbed named. They were taken on other machines: shapes may be compared, absolute values not. A rule marks what no machine can do.</p>
${figuresJudged('parallel streams', 'what a CPU can move and what their source does', published2025, run)}
${figuresJudged('the compression of memory', 'the same pages here and what their source does', memory2025, run)}
${gatewaysBeside(experiments)}
${offloadBeside(experiments)}
<h3>References</h3><ul>${Object.values(bibliography).map(reference)}</ul></section>`;
}
