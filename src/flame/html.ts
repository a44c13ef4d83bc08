/** Flame graphs as HTML: a figure that any page can embed, and a page of its own. One file, no network. */
import { readFileSync } from 'node:fs';
import { frameKinds, parseFrame } from './frame.js';
import type { FlameGraph } from './graph.js';
import { encodeGraph } from './payload.js';
import type { Rank } from './rank.js';
import { changeFill, escapeText, frameFills, percent } from './render.js';

export interface FlameFigure {
  graph: FlameGraph;
  caption: string;
  /** tables under the graph; empty ones are left out */
  tables: { title: string; ranks: Rank[] }[];
}

/** Shown at most, per table. */
const tableRows = 12;

/** Style and script that the figures need, once per page. Light and dark follow the page's `color-scheme`. */
export function flameAssets(): { style: string; script: string } {
  return {
    style: `${frameFills}${figureStyle}`,
    script: joinedModules(import.meta.url, ['payload.js', 'render.js', 'viewer.js']),
  };
}

/**
 * Compiled modules joined to one for a page. They may import each other only, each after those it imports: in one scope
 * the import lines just go.
 */
export function joinedModules(folder: string, names: readonly string[]): string {
  return names
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n')
    .replace(/^import .*$/gm, '')
    .replace(/^export (?=function|const|class)/gm, '')
    .replace(/^\/\/# sourceMappingURL.*$/gm, '');
}

/** JSON inside a script element: `<` would let a name end the element. */
function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

/** @param least see encodeGraph */
export function flameFigure(figure: FlameFigure, least = 0): string {
  const { graph } = figure;
  const title = escapeText(graph.title);
  return `<figure class="flame">
<div class="flame-bar" role="group" aria-label="Controls of ${title}">
<label>Search <input type="search" placeholder="name or /regular expression/" spellcheck="false"></label>
<output></output><span class="flame-space"></span>
<button type="button" data-do="reset" disabled>Reset zoom</button>
<button type="button" data-do="flip">Flip</button>
<button type="button" data-do="save">Save SVG</button></div>
${legend(graph)}
<svg class="flame-graph" tabindex="0" role="application" aria-roledescription="flame graph" aria-label="${title}. Arrow keys move, Enter zooms, Escape resets, slash searches."></svg>
<div class="flame-status" role="status" aria-live="polite"></div>
<figcaption class="flame-caption">${escapeText(figure.caption)}</figcaption>
${figure.tables.map(table).join('')}
<script type="application/json">${embeddedJson(encodeGraph(graph, least))}</script>
</figure>`;
}

/** One below the other; the first is open. */
export function flameDetails(figures: readonly FlameFigure[], heading: 'h2' | 'h4', least = 0): string {
  return figures
    .map(
      (figure, index) =>
        `<details${index === 0 ? ' open' : ''}><summary><${heading}>${escapeText(figure.graph.title)}</${heading}></summary>${flameFigure(figure, least)}</details>`,
    )
    .join('\n');
}

export const flameKeys = `<details class="help"><summary>Keys</summary><p>Click a graph or move to it with Tab. Arrow keys: towards the leaf, the
root, or the neighbours; Enter or Space: zoom in; Backspace: zoom out one frame; Escape: whole graph; Home: the zoomed
frame; / search; n and N: next and previous match.</p></details>`;

function legend(graph: FlameGraph): string {
  const swatch = (content: string, text: string) =>
    `<span class="flame-key"><svg width="14" height="14" aria-hidden="true">${content}</svg>${escapeText(text)}</span>`;
  if (graph.differential) {
    const steps: [number, string][] = [
      [1, 'own share grew'],
      [0, 'unchanged'],
      [-1, 'own share shrank'],
    ];
    return `<div class="flame-legend">${steps
      .map(([strength, text]) =>
        swatch(`<rect width="14" height="14" fill="${changeFill(strength)}"/>`, text),
      )
      .join('')}</div>`;
  }
  const kinds = new Set(graph.nodes.map((node) => node.kind));
  return `<div class="flame-legend">${Object.entries(frameKinds)
    .filter(([kind]) => kinds.has(kind as keyof typeof frameKinds))
    .map(([kind, { label }]) => swatch(`<g class="flame-${kind}"><rect width="14" height="14"/></g>`, label))
    .join('')}</div>`;
}

function table({ title, ranks }: FlameFigure['tables'][number]): string {
  if (ranks.length === 0) return '';
  const rows = ranks.slice(0, tableRows).map((rank) => {
    const { name, kind } = parseFrame(rank.name);
    // Families are no frame names, so there is nothing in the graph that a click could find.
    const cell =
      rank.name === name
        ? escapeText(name)
        : `<button type="button" data-find="${escapeText(name)}">${escapeText(name)}</button> <small>${escapeText(frameKinds[kind].label)}</small>`;
    return `<tr><td>${cell}</td><td class="flame-number">${percent(rank.share)}</td>
<td aria-hidden="true"><div class="flame-meter" style="width:${(100 * rank.share).toFixed(1)}%"></div></td></tr>`;
  });
  return `<table class="flame-table"><caption>${escapeText(title)}</caption><thead><tr><th scope="col">name</th>
<th scope="col" class="flame-number">share</th><td></td></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

export interface FlamePage {
  title: string;
  facts: [string, string][];
  notes: string[];
  figures: FlameFigure[];
}

export function flamePage(page: FlamePage): string {
  const { style, script } = flameAssets();
  const facts = page.facts.map(
    ([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd>`,
  );
  const notes = page.notes.map((note) => `<li>${escapeText(note)}</li>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeText(page.title)}</title><link rel="icon" href="data:,"><style>${pageStyle}${style}</style></head>
<body><main><h1>${escapeText(page.title)}</h1><dl>${facts.join('')}</dl>
${notes.length > 0 ? `<ul class="notes">${notes.join('')}</ul>` : ''}
<noscript>The graphs need JavaScript; the .svg files beside this page do not.</noscript>
${flameDetails(page.figures, 'h2')}
${flameKeys}</main>
<script type="module">${script}</script></body></html>
`;
}

const figureStyle = `
.flame{margin:0;--flame-line:color-mix(in srgb,currentColor 25%,transparent)}
.flame-bar,.flame-legend{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin:.5rem 0;font-size:.9rem}
.flame-bar input{width:16rem;max-width:60vw}.flame-bar input,.flame-bar button{font:inherit;padding:.2rem .5rem}
.flame-space{flex:1}.flame-key{display:inline-flex;gap:.35rem;align-items:center;font-size:.85rem}
.flame-graph{display:block;width:100%;border:1px solid var(--flame-line);border-radius:4px;overflow:hidden}
.flame-graph:focus-visible{outline:3px solid #0072b2;outline-offset:2px}.flame-frame{cursor:pointer}
.flame-frame:hover rect{stroke:currentColor}.flame-graph:focus .flame-cursor rect{stroke:#111;stroke-width:2;stroke-dasharray:4 2}
.flame-status{min-height:1.4em;padding:.25rem 0;font:12px ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.flame-caption{font-size:.85rem;opacity:.85;max-width:75em}
.flame-table{display:inline-table;vertical-align:top;margin:1rem 2rem 0 0;border-collapse:collapse;font-size:.85rem}
.flame-table caption{text-align:left;font-weight:600;padding-bottom:.25rem}.flame-table th{text-align:left;font-weight:500}
.flame-table td,.flame-table th{padding:.1rem .6rem .1rem 0;border-bottom:1px solid var(--flame-line)}
.flame-table td:last-child{width:8rem}.flame-table .flame-number{text-align:right;font-variant-numeric:tabular-nums}
.flame-table button{all:unset;cursor:pointer;font-family:ui-monospace,Menlo,Consolas,monospace;text-decoration:underline dotted}
.flame-table button:focus-visible{outline:2px solid #0072b2}.flame-meter{height:.6rem;background:#56b4e9;border-radius:2px}
@media(prefers-color-scheme:dark){.flame-graph{filter:brightness(.92)}}
@media print{.flame-bar,.flame-status{display:none}}`;

const pageStyle = `:root{color-scheme:light dark}
body{margin:0;background:Canvas;color:CanvasText;font:15px/1.5 system-ui,sans-serif}main{padding:1rem clamp(.75rem,3vw,2.5rem);max-width:1800px;margin:auto}
h1{font-size:1.35rem;margin:.3rem 0}h2{font-size:1.05rem;display:inline}summary{cursor:pointer;padding:.4rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;font-size:.9rem;margin:.5rem 0}dt{opacity:.8}dd{margin:0}
.notes{border-left:4px solid #e69f00;padding:.3rem 0 .3rem 1.6rem;margin:.6rem 0;font-size:.9rem}
details{border-top:1px solid color-mix(in srgb,currentColor 20%,transparent);padding:.2rem 0}`;
