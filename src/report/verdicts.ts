/** Verdicts on published claims, each with its evidence and the place that states it. */
import type { Analysis } from '../analysis/analyse.js';
import type { Evidence } from '../analysis/evidence.js';
import type { Verdict } from '../analysis/verdicts.js';
import { cited } from '../claims/bibliography.js';
import type { Claim } from '../claims/claim.js';
import { evenRows } from './chart.js';
import { decidingInterval } from './format.js';
import { type Html, html, table } from './html.js';
import { worded } from './words.js';

const marks = { supported: '✓', contradicted: '✗', inconclusive: '≈', 'not tested': '○' };

function evidenceRow(row: Evidence, experiment: string, known: ReadonlySet<string>): Html {
  const of = row.experiment ?? experiment;
  const target = `figure-${of}-${row.metric}`;
  const words = worded(of, row.measure);
  const measure = known.has(target) ? html`<a href="#${target}">${words}</a>` : words;
  return html`<li><strong>${row.subject}</strong>: ${decidingInterval(row)}, n = ${row.n}
<span class="${row.outcome}"><span class="verdict">${marks[row.outcome]} ${row.outcome}</span></span>${row.beside ? ' (shown beside: the claim is not about it)' : ''}<br>
<span class="soft">${measure}${row.note ? `. ${row.note}` : ''}</span></li>`;
}

/** The rows that decide stand open; a long list folds the ones that merely agree with the verdict. */
function evidenceList(rows: readonly Html[]): Html {
  if (rows.length <= 3) return html`<ul class="evidence">${rows}</ul>`;
  return html`<ul class="evidence">${rows.slice(0, 2)}</ul><details><summary>${rows.length - 2} more rows of evidence</summary>
<ul class="evidence">${rows.slice(2)}</ul></details>`;
}

const standingOf = ({ standing }: Claim): Html | string =>
  standing ? html`The source's own figures are ${standing.is}: ${standing.because}.` : '';

/** The command that supplies what is missing (nothing is recommended that does not exist), or what is known without one. */
const supplied = (claim: Claim): Html | string =>
  'planned' in claim ? standingOf(claim) : html`Supplied by <code>${claim.supply}</code>.`;

function verdictCard(verdict: Verdict, known: ReadonlySet<string>): Html {
  const { claim, evidence, missing, reference } = verdict;
  const worstFirst = ['contradicted', 'inconclusive', 'supported'];
  const sorted = [...evidence].sort((a, b) => worstFirst.indexOf(a.outcome) - worstFirst.indexOf(b.outcome));
  const experiment = 'planned' in claim ? '' : claim.experiment;
  const rows = sorted.map((row) => evidenceRow(row, experiment, known));
  const need = missing ? html`<p class="soft">Missing: ${missing}. ${supplied(claim)}</p>` : '';
  const own = claim.standing ? html`<p class="soft">${standingOf(claim)}</p>` : '';
  const theirs = reference
    ? html`<p class="soft">The source's own table (${reference.testbed}):
<span class="${reference.verdict}"><span class="verdict">${marks[reference.verdict]} ${reference.verdict}</span></span></p>
${evidenceList(reference.evidence.map((row) => evidenceRow(row, experiment, known)))}`
    : '';
  return html`<article class="card ${verdict.verdict.replace(' ', '-')}" id="claim-${claim.id}">
<h3><span class="verdict">${marks[verdict.verdict]} ${verdict.verdict}</span> · ${claim.id}</h3>
<p>${claim.statement}</p>
<p class="source">${cited(claim.source)}</p>
${evidence.length > 0 ? evidenceList(rows) : ''}${need}${own}${theirs}</article>`;
}

/** Cards that fill their rows, none alone in one. */
function cardRows(cards: readonly Html[]): Html[] {
  let from = 0;
  return evenRows(cards.length, 3).map((count) => {
    from += count;
    return html`<div class="cards">${cards.slice(from - count, from)}</div>`;
  });
}

const orderOf = ({ verdict }: Verdict) => ['supported', 'contradicted', 'inconclusive'].indexOf(verdict);

export function verdictSection({ verdicts }: Analysis, known: ReadonlySet<string>): Html {
  const tested = verdicts
    .filter(({ verdict }) => verdict !== 'not tested')
    .sort((a, b) => orderOf(a) - orderOf(b));
  const rest = verdicts.filter((verdict) => !tested.includes(verdict));
  const cards = (some: readonly Verdict[]) => cardRows(some.map((verdict) => verdictCard(verdict, known)));
  return html`<section aria-labelledby="verdicts"><h2 id="verdicts">Verdicts on published claims</h2>
<p class="soft">A verdict needs the whole 95 % interval on one side of the published bound, or for equality the 90 % interval within both (two one-sided tests at 5 %); otherwise it is inconclusive.</p>
${cards(tested)}
<details><summary>${rest.length} claims this run does not test, and what would</summary>
${cards(rest.filter(({ reference, evidence }) => reference || evidence.length > 0))}
${table(
  'Claims not tested by this run',
  [
    { name: 'Claim' },
    { name: 'Statement' },
    { name: 'Missing' },
    { name: 'Supplied by, or known of it' },
    { name: 'Source' },
  ],
  rest.map(({ claim, missing }) => [
    claim.id,
    claim.statement,
    missing,
    supplied(claim),
    cited(claim.source),
  ]),
)}</details></section>`;
}
