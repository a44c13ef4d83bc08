/**
 * A flame graph as compact JSON: what the interactive page carries. This file also runs in the page: no imports but
 * types.
 */
import type { FrameKind } from './frame.js';
import type { FlameGraph, FlameNode } from './graph.js';

export interface Payload {
  title: string;
  unit: FlameGraph['unit'];
  differential: boolean;
  names: string[];
  kinds: FrameKind[];
  /** per node, preorder: name, kind, depth, value, self, and in differential graphs change, selfChange */
  nodes: number[][];
}

/** Shares are kept to 1e-5 of the whole: finer than a pixel, and a third of the digits. */
const round = (share: number) => Math.round(share * 1e5) / 1e5;

/** @param least share of the whole below which a frame, and so everything on it, is left out */
export function encodeGraph(graph: FlameGraph, least = 0): Payload {
  const kept = graph.nodes.filter(({ value }) => value >= least * graph.total);
  const names = [...new Set(kept.map((node) => node.name))];
  const kinds = [...new Set(kept.map((node) => node.kind))];
  const nameIndex = new Map(names.map((name, index) => [name, index]));
  const nodes = kept.map((node) => [
    nameIndex.get(node.name)!,
    kinds.indexOf(node.kind),
    node.depth,
    node.value,
    node.self,
    ...(graph.differential ? [round(node.change ?? 0), round(node.selfChange ?? 0)] : []),
  ]);
  return { title: graph.title, unit: graph.unit, differential: graph.differential, names, kinds, nodes };
}

/** Left edges are not carried: siblings abut, the first one at its parent's edge. What was left out is a gap right of them. */
export function decodeGraph(payload: Payload): FlameGraph {
  /** where the next child of the node at each depth begins */
  const next: number[] = [0];
  const nodes = payload.nodes.map((row): FlameNode => {
    const [name, kind, depth, value, self, change, selfChange] = row as [
      number,
      number,
      number,
      number,
      number,
      number?,
      number?,
    ];
    const start = next[depth]!;
    next[depth] = start + value;
    next[depth + 1] = start;
    return {
      name: payload.names[name]!,
      kind: payload.kinds[kind]!,
      depth,
      start,
      value,
      self,
      ...(change === undefined || selfChange === undefined ? {} : { change, selfChange }),
    };
  });
  const { title, unit, differential } = payload;
  return { title, unit, differential, total: nodes[0]?.value ?? 0, nodes };
}
