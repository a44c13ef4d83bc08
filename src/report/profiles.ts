/** Flame graphs of the profiling trials that belong to a run, as a section of its report. */
import type { FlameProfile } from '../contract/flame.js';
import { flameHead } from '../flame/figures.js';
import { flameDetails, flameKeys } from '../flame/html.js';
import type { RecordedFlame } from '../flame/output.js';
import { encodeGraph } from '../flame/payload.js';
import { number } from '../number.js';
import { Html, html } from './html.js';

/** A flame trial under its folder's name in the run's flame/. */
export interface RunProfile extends RecordedFlame {
  name: string;
}

/** Bytes that all graphs of a page may take; the page as a whole stays below 3 MB. */
const budgetBytes = 700_000;

/** Shares of a graph below which frames may be left out, tried from the smallest. */
const thresholds = [0, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05];

function bytesOf(profiles: readonly RunProfile[], least: number): number {
  const graphs = profiles.flatMap(({ figures }) => figures.map(({ graph }) => encodeGraph(graph, least)));
  return graphs.reduce((sum, graph) => sum + JSON.stringify(graph).length, 0);
}

/** How much must be left out for the graphs to fit; null when even that does not help. */
export function threshold(profiles: readonly RunProfile[], budget = budgetBytes): number | null {
  return thresholds.find((least) => bytesOf(profiles, least) <= budget) ?? null;
}

function leftOut(profiles: readonly RunProfile[], least: number): Html | string {
  const nodes = profiles.flatMap(({ figures }) =>
    figures.flatMap(({ graph }) => graph.nodes.map(({ value }) => value >= least * graph.total)),
  );
  const gone = nodes.filter((kept) => !kept).length;
  return gone === 0
    ? ''
    : html`<p class="soft">To keep this page small, frames narrower than ${number(100 * least)} % of their graph are left out here: ${number(gone)} of ${number(nodes.length)}. The pages in the run's folder flame/ have all.</p>`;
}

function profileOf({ name, record, figures }: RunProfile, least: number | null): Html {
  const { title, facts, notes } = flameHead(record);
  return html`<article class="panel flame-trial" id="profile-${name}"><h3>${title}</h3>
<p class="soft">${facts.map(([what, value], i) => `${i > 0 ? ' · ' : ''}${what}: ${value}`)}</p>
<ul class="soft">${notes.map((note) => html`<li>${note}</li>`)}</ul>
${least === null ? html`<p>Its graphs are too large for this page: see <code>flame/${name}/${record.page}</code> in the run's folder.</p>` : new Html(flameDetails(figures, 'h4', least))}</article>`;
}

/** What was profiled, and what took most of its time. */
function linkTo({ name, record: { profiles } }: RunProfile): Html {
  const [{ title, families }] = profiles as [FlameProfile];
  const [widest] = families;
  return html`<li><a href="#profile-${name}">${title}</a>${widest ? `: ${number(100 * widest.share, 2)} % ${widest.name}` : ''}</li>`;
}

/** Nothing for a run without profiles. */
export function profileSection(profiles: readonly RunProfile[]): Html | string {
  if (profiles.length === 0) return '';
  const least = threshold(profiles);
  return html`<section aria-labelledby="profiles"><h2 id="profiles">Where the CPU time goes</h2>
<p class="soft">Flame graphs of trials that were made for profiling only: no figure above uses them. Each rectangle is a function on top of its caller, its width the CPU time of it and all it called. What the profiler itself cost stands below each graph.</p>
${profiles.length > 1 ? html`<ul>${profiles.map(linkTo)}</ul>` : ''}
${least === null ? '' : leftOut(profiles, least)}
${profiles.map((profile) => profileOf(profile, least))}${new Html(flameKeys)}</section>`;
}
