/**
 * Flame graphs of any profile: V8's, the text of `perf script`, or folded stacks; plain and differential, as SVG, as one
 * page that can be searched and zoomed, and as speedscope's format.
 *
 *     import { readFileSync, writeFileSync } from 'node:fs';
 *     import { flameGraph, flamePage, parseCpuProfile } from 'dispatchbench/flame';
 *
 *     const { stacks } = parseCpuProfile(readFileSync('CPU.cpuprofile', 'utf8'));
 *     const graph = flameGraph('my server', 'microseconds', stacks);
 *     writeFileSync('flame.html', flamePage({ title: 'my server', facts: [], notes: [], figures: [{ graph, caption: '', tables: [] }] }));
 *
 * Nothing here needs the native part, and only `readFlame` touches files beside the package's own.
 */
import type { FlameGraph } from '../flame/graph.js';
import { standaloneSvg } from '../flame/render.js';

export type { FlameProfile, FlameRecord } from '../contract/flame.js';
export { parseCpuProfile, type Ranges, type V8Profile } from '../flame/cpuprofile.js';
export type { NamedFigure } from '../flame/figures.js';
export { type Frame, type FrameKind, frameKinds, frameText, parseFrame } from '../flame/frame.js';
export {
  differentialGraph,
  type FlameGraph,
  type FlameNode,
  flameGraph,
  foldedDifference,
} from '../flame/graph.js';
export {
  type FlameFigure,
  type FlamePage,
  flameAssets,
  flameDetails,
  flameFigure,
  flamePage,
} from '../flame/html.js';
export { type RecordedFlame, readFlame } from '../flame/output.js';
export { type PerfProfile, parsePerfScript, perfScriptArguments } from '../flame/perf-script.js';
export { type Rank, rankFamilies, rankLeaves } from '../flame/rank.js';
export { speedscope, type WeightUnit } from '../flame/speedscope.js';
export { formatFolded, mergeStacks, parseFolded, type Stack, totalWeight } from '../flame/stacks.js';

/**
 * The text of an .svg file.
 * @param caption one line under the graph's title
 * @param width pixels
 */
export const flameSvg = (graph: FlameGraph, caption = '', width = 1400): string =>
  standaloneSvg(graph, { root: 0, width, rootOnTop: false, matches: null }, caption);
