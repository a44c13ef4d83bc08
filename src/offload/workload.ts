/** What is offloaded where offloading is measured: a task that does nothing, the travelling salesman, and edges of an image. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { OffloadTask } from '../contract/offload.js';
import { packageRoot } from '../installation.js';

const name = (text: string) => [text.length, ...Buffer.from(text)];

/** `(module (memory (export "memory") 1) (func (export "_start")))` */
export const noop = Buffer.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[3, 2, 1, 0],
  ...[5, 3, 1, 0, 1],
  ...[7, 19, 2, ...name('memory'), 2, 0, ...name('_start'), 0, 0],
  ...[10, 4, 1, 2, 0, 0x0b],
]);

/** A module, and the same as a program of this machine. */
interface Tool {
  name: string;
  module: string;
  program: string;
}

const tool = (called: string, kind: string): Tool => ({
  name: called,
  module: resolve(packageRoot, 'build/gateways/modules', `${kind}-rust.wasm`),
  program: resolve(packageRoot, 'build/gateways/modules', `${kind}-native`),
});

export const salesman = tool('the travelling salesman', 'tsp');
export const edgeFinder = tool('the finder of edges', 'edges');

const side = 512;
/** A binary PGM of rings, which are steep everywhere but at their middle. */
function rings(): Buffer {
  const pixels = Buffer.alloc(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) pixels[y * side + x] = ((x - side / 2) ** 2 + (y - side / 2) ** 2) >> 6;
  return Buffer.concat([Buffer.from(`P5\n${side} ${side}\n255\n`), pixels]);
}

/** What a task is made of; its answer is what it writes to stdout. */
export interface Workload {
  args: readonly string[];
  /** in its folder */
  files: Readonly<Record<string, Buffer>>;
  /** null: the module that does nothing, for which a process would be no task */
  tool: Tool | null;
}

const tour = (cities: number): (() => Workload) => {
  return () => ({ args: [`${cities}`], files: {}, tool: salesman });
};
const workloads: Record<OffloadTask, () => Workload> = {
  noop: () => ({ args: [], files: {}, tool: null }),
  'tsp-8': tour(8),
  'tsp-10': tour(10),
  edges: () => ({ args: ['rings.pgm'], files: { 'rings.pgm': rings() }, tool: edgeFinder }),
};

export const workloadOf = (task: OffloadTask): Workload => workloads[task]();

export const moduleOf = ({ tool }: Workload): Buffer<ArrayBuffer> =>
  (tool ? readFileSync(tool.module) : noop) as Buffer<ArrayBuffer>;

/** Why a task cannot be run by a way; null: it can. */
export function missingWorkload(task: OffloadTask, native: boolean): string | null {
  const { tool } = workloadOf(task);
  if (!tool) return native ? 'a process that does nothing is no task' : null;
  const path = native ? tool.program : tool.module;
  return existsSync(path)
    ? null
    : `${tool.name} is not built (${path}): dispatchbench gateways setup builds it`;
}
