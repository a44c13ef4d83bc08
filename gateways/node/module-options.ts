/** What gateways in Node with a module take besides, and the bound on memory that the engine itself has to be told. */
import { setFlagsFromString } from 'node:v8';
import { numberOf, UsageError } from './options.js';

export const moduleOptions = { module: '', 'memory-mb': '64', 'deadline-ms': '0' };

const PAGES_PER_MIB = 16;

/**
 * To be called before anything is compiled.
 * @returns deadlineMs 0: none
 * @throws UsageError
 */
export function readModuleOptions(given: Record<keyof typeof moduleOptions, string>): {
  file: string;
  deadlineMs: number;
} {
  const pages = numberOf('memory-mb', given['memory-mb'], 1, 4096) * PAGES_PER_MIB;
  const deadlineMs = numberOf('deadline-ms', given['deadline-ms'], 0, 3_600_000);
  if (given.module === '') throw new UsageError('--module is missing: the file of a WebAssembly module');
  setFlagsFromString(`--wasm-max-mem-pages=${pages}`);
  return { file: given.module, deadlineMs };
}
