/** What is offloaded where offloading is measured: a task that does nothing, and the travelling salesman. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { packageRoot } from '../installation.js';

const built = (name: string): string => resolve(packageRoot, 'build/gateways/modules', name);

/** The travelling salesman, as a module and as a program of this machine. */
export const salesman = { module: built('tsp-rust.wasm'), program: built('tsp-native') };

/** Why a task cannot be run by a way; null: it can. */
export function missingWorkload(task: string, native: boolean): string | null {
  if (task === 'noop') return native ? 'a process that does nothing is no task' : null;
  const path = native ? salesman.program : salesman.module;
  return existsSync(path)
    ? null
    : `the travelling salesman is not built (${path}): dispatchbench gateways setup builds it`;
}

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
