/**
 * Draws a flame graph as SVG text: one renderer for the .svg files and for the interactive page. This file also runs
 * in the page: no imports but types.
 */
import type { FlameGraph, FlameNode } from './graph.js';

export const rowHeight = 18;
/** Pixels; narrower frames are left out of the drawing (they stay in the data). */
const minimumWidth = 0.4;
/** Pixels one character of the labels needs. */
const characterWidth = 6.7;

export interface View {
  /** index of the node that takes the full width */
  root: number;
  width: number;
  /** root at the top (icicle) instead of at the bottom */
  rootOnTop: boolean;
  /** node indexes found by a search; null: no search */
  matches: ReadonlySet<number> | null;
}

export interface Drawing {
  /** content of an <svg>, one <g> a frame */
  body: string;
  height: number;
  /** indexes of the nodes drawn, in preorder */
  drawn: number[];
}

/** Okabe and Ito's palette: told apart by colour-blind readers, and dark text reads on every one of them. */
export const frameFills = `.flame-thread rect{fill:#ddd}.flame-javascript rect{fill:#f0e442}
.flame-native rect{fill:#21b285}.flame-libuv rect{fill:#d99abd}.flame-runtime rect{fill:#7cc4ee}
.flame-library rect{fill:#bbb}.flame-kernel rect{fill:#eeab2b}
.flame-frame text{fill:#111;font:11px ui-monospace,Menlo,Consolas,monospace}.flame-dim{opacity:.35}
.flame-match rect{stroke:#111;stroke-width:1.5}`;

export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** One line about a frame, for titles, the status line and screen readers. */
export function describeNode(graph: FlameGraph, node: FlameNode): string {
  const amount =
    graph.unit === 'samples' ? `${node.value} samples` : `${(node.value / 1000).toFixed(1)} ms sampled`;
  const points = (change: number) => `${change > 0 ? '+' : ''}${(100 * change).toFixed(1)} points`;
  const parts = [
    `${node.name} (${node.kind})`,
    amount,
    `${percent(node.value / graph.total)} of all`,
    `${percent(node.self / graph.total)} own`,
  ];
  if (node.change !== undefined) parts.push(`${points(node.change)}, own ${points(node.selfChange ?? 0)}`);
  return parts.join(' · ');
}

/** Red grew, blue shrank, grey stayed; `strength` -1..1 is the frame's own change over the largest one. */
export function changeFill(strength: number): string {
  const grey = [228, 228, 228];
  const end = strength > 0 ? [227, 74, 51] : [67, 147, 215];
  const weight = Math.min(Math.abs(strength), 1);
  return `rgb(${grey.map((from, i) => Math.round(from + (end[i]! - from) * weight)).join(',')})`;
}

/** Nodes that overlap the root's range: its ancestors, drawn over the full width, and its descendants. */
export function draw(graph: FlameGraph, view: View): Drawing {
  const root = graph.nodes[view.root]!;
  const scale = view.width / root.value;
  const drawn: number[] = [];
  let deepest = 0;
  graph.nodes.forEach((node, index) => {
    const left = Math.max(node.start, root.start);
    const right = Math.min(node.start + node.value, root.start + root.value);
    if ((right - left) * scale < minimumWidth) return;
    drawn.push(index);
    deepest = Math.max(deepest, node.depth);
  });
  const height = (deepest + 1) * rowHeight;
  const strongest = Math.max(...graph.nodes.map((node) => Math.abs(node.selfChange ?? 0)), 1e-9);
  const body = drawn
    .map((index) => {
      const node = graph.nodes[index]!;
      const left = (Math.max(node.start, root.start) - root.start) * scale;
      const right = (Math.min(node.start + node.value, root.start + root.value) - root.start) * scale;
      const y = view.rootOnTop ? node.depth * rowHeight : height - (node.depth + 1) * rowHeight;
      const found = view.matches === null ? '' : view.matches.has(index) ? ' flame-match' : ' flame-dim';
      // An inline style, because the class of the kind would win over a fill attribute.
      const fill =
        node.selfChange === undefined ? '' : ` style="fill:${changeFill(node.selfChange / strongest)}"`;
      return (
        `<g class="flame-frame flame-${node.kind}${found}" data-node="${index}">` +
        `<title>${escapeText(describeNode(graph, node))}</title>` +
        `<rect x="${left.toFixed(2)}" y="${y}" width="${Math.max(right - left - 0.5, 0.3).toFixed(2)}" ` +
        `height="${rowHeight - 1}" rx="1.5"${fill}/>${label(node.name, left, y, right - left)}</g>`
      );
    })
    .join('');
  return { body, height, drawn };
}

function label(name: string, x: number, y: number, width: number): string {
  const room = Math.floor((width - 6) / characterWidth);
  if (room < 3) return '';
  const text = name.length <= room ? name : `${name.slice(0, room - 1)}…`;
  return `<text x="${(x + 3).toFixed(2)}" y="${y + rowHeight - 5.5}">${escapeText(text)}</text>`;
}

/** A complete .svg file on a white ground. */
export function standaloneSvg(graph: FlameGraph, view: View, subtitle: string): string {
  const { body, height } = draw(graph, view);
  const top = 46;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${view.width + 20}" height="${height + top + 10}" viewBox="-10 0 ${
    view.width + 20
  } ${height + top + 10}" role="img" aria-label="${escapeText(graph.title)}"><style>${frameFills}
.flame-head{font:600 15px system-ui,sans-serif;fill:#111}.flame-sub{font:12px system-ui,sans-serif;fill:#444}</style>
<rect x="-10" width="100%" height="100%" fill="#fff"/><text class="flame-head" y="20">${escapeText(graph.title)}</text>
<text class="flame-sub" y="37">${escapeText(subtitle)}</text><g transform="translate(0,${top})">${body}</g></svg>
`;
}
