/** Stacks -> the rectangles of a flame graph, plain and differential. */
import { type Frame, type FrameKind, frameText } from './frame.js';
import type { WeightUnit } from './speedscope.js';
import { type Stack, totalWeight } from './stacks.js';

/** A rectangle. Nodes are in preorder, so a node's parent is the last one before it with a smaller depth. */
export interface FlameNode {
  name: string;
  kind: FrameKind;
  depth: number;
  /** left edge and width, in the unit of the graph */
  start: number;
  value: number;
  /** part of `value` in which this frame was the leaf */
  self: number;
  /** differential graphs: second minus first profile, as a share of the whole (1 = all), of value and of self */
  change?: number;
  selfChange?: number;
}

export interface FlameGraph {
  title: string;
  unit: WeightUnit;
  /** weight of all stacks of the profile that gives the widths */
  total: number;
  differential: boolean;
  nodes: FlameNode[];
}

interface Branch {
  frame: Frame;
  /** weight of the profile that gives the widths, and of the other one scaled to the same total */
  value: number;
  self: number;
  other: number;
  otherSelf: number;
  children: Map<string, Branch>;
}

const branch = (frame: Frame): Branch => ({
  frame,
  value: 0,
  self: 0,
  other: 0,
  otherSelf: 0,
  children: new Map(),
});

function grow(
  root: Branch,
  stacks: Stack[],
  value: 'value' | 'other',
  self: 'self' | 'otherSelf',
  scale: number,
) {
  for (const { frames, weight } of stacks) {
    let at = root;
    at[value] += weight * scale;
    for (const frame of frames) {
      const key = frameText(frame);
      let next = at.children.get(key);
      if (!next) {
        next = branch(frame);
        at.children.set(key, next);
      }
      next[value] += weight * scale;
      at = next;
    }
    at[self] += weight * scale;
  }
}

/** Children stand in the order of their names: a flame graph's x axis is not time, and equal trees must look equal. */
function flatten(root: Branch, change: ((branch: Branch) => Partial<FlameNode>) | null): FlameNode[] {
  const nodes: FlameNode[] = [];
  const visit = (at: Branch, depth: number, start: number) => {
    const { name, kind } = at.frame;
    nodes.push({ name, kind, depth, start, value: at.value, self: at.self, ...change?.(at) });
    let x = start;
    for (const [, child] of [...at.children].sort(([a], [b]) => (a < b ? -1 : 1))) {
      // A stack that only the other profile has takes no width here; the mirror shows it.
      if (child.value === 0) continue;
      visit(child, depth + 1, x);
      x += child.value;
    }
  };
  visit(root, 0, 0);
  return nodes;
}

const all: Frame = { name: 'all', kind: 'thread' };

export function flameGraph(title: string, unit: WeightUnit, stacks: Stack[]): FlameGraph {
  const root = branch(all);
  grow(root, stacks, 'value', 'self', 1);
  return { title, unit, total: totalWeight(stacks), differential: false, nodes: flatten(root, null) };
}

/**
 * The differential graph from `first` to `second`: widths are the second profile's, or the first's in the mirror, in
 * which frames that vanished stay visible. A positive change grew from first to second in both. The profiles are
 * normalised to the same total, so the change is one of shares.
 * @throws Error when a profile is empty
 */
export function differentialGraph(
  title: string,
  unit: WeightUnit,
  first: Stack[],
  second: Stack[],
  widths: 'second' | 'first' = 'second',
): FlameGraph {
  const totals = { first: totalWeight(first), second: totalWeight(second) };
  if (totals.first === 0 || totals.second === 0) {
    throw new Error(
      `${title}: the ${totals.first === 0 ? 'first' : 'second'} profile is empty, nothing to compare`,
    );
  }
  const [shown, other] = widths === 'second' ? [second, first] : [first, second];
  const total = totals[widths];
  const grown = (value: number, before: number) =>
    (widths === 'second' ? value - before : before - value) / total;
  const root = branch(all);
  grow(root, shown, 'value', 'self', 1);
  grow(root, other, 'other', 'otherSelf', total / totalWeight(other));
  const nodes = flatten(root, (at) => ({
    change: grown(at.value, at.other),
    selfChange: grown(at.self, at.otherSelf),
  }));
  return { title, unit, total, differential: true, nodes };
}

/** FlameGraph's two-column folded form, `stack first second`, the first column scaled to the second's total. */
export function foldedDifference(first: Stack[], second: Stack[]): string {
  const scale = totalWeight(second) / totalWeight(first);
  const rows = new Map<string, [number, number]>();
  const add = (stacks: Stack[], column: 0 | 1, factor: number) => {
    for (const { frames, weight } of stacks) {
      const key = frames.map(frameText).join(';');
      const row = rows.get(key) ?? [0, 0];
      row[column] += weight * factor;
      rows.set(key, row);
    }
  };
  add(first, 0, scale);
  add(second, 1, 1);
  return [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, [before, after]]) => `${key} ${Math.round(before)} ${Math.round(after)}\n`)
    .join('');
}
