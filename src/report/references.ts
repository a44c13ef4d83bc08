/** Published figures beside ours, what no machine can do, and the works they come from. */
import type { Analysis } from '../analysis/analyse.js';
import { besidePublished, dividedBy } from '../analysis/beside.js';
import { gatewayTestbed } from '../analysis/reference/gateways-2026.js';
import {
  plausibilityNames,
  published2025,
  transferTestbed,
  verdictOn,
} from '../analysis/reference/transfers-2025.js';
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

export function referenceSection({ run, experiments }: Analysis): Html {
  const copyBytesPerSecond = fastestCopy(run);
  const rows = published2025.map((one) => {
    const { plausibility, why } = verdictOn(one, copyBytesPerSecond);
    const figure = one.rate ? `${number(one.rate.bytesPerSecond / 1e9)} GB/s` : one.figure;
    return [one.claim ?? '', one.what, figure, plausibilityNames[plausibility], why];
  });
  return html`<section aria-labelledby="published"><h2 id="published">Published figures</h2>
<p class="soft">Tables of the works below stand beside ours as grey marks where the axes agree, with their testbed named. They were taken on other machines: shapes may be compared, absolute values not. A rule marks what no machine can do.</p>
<details><summary>Published figures of parallel streams, held against what a CPU can move and what their source does</summary><p class="soft">${citedWork('dwcp-results')}, ${transferTestbed}.</p>${table(
    'Published figures of parallel streams, and whether they can be',
    [
      { name: 'Claim' },
      { name: 'Figure' },
      { name: 'Published', figure: true },
      { name: 'Verdict' },
      { name: 'Why' },
    ],
    rows,
  )}</details>
${gatewaysBeside(experiments)}
<h3>References</h3><ul>${Object.values(bibliography).map(reference)}</ul></section>`;
}
