/** Parts of the native load engine that need no sockets, from the addon that only tests use. */
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { addonPath } from '../../src/addon.js';
import type { RawHistogram } from '../../src/load/histogram.js';

interface LoadParts {
  /** the values of both arrays, counted in two histograms that are then merged */
  recordValues(a: Float64Array, b: Float64Array): RawHistogram;
  /** first intended times of a schedule that starts at 0, nanoseconds */
  dueTimes(exponential: boolean, rate: number, seed: number, count: number): Float64Array;
  /** verdicts on the HTTP replies of one connection, given in these pieces */
  readReplies(chunks: Uint8Array[], ended: boolean): string[];
}

export const parts = createRequire(import.meta.url)(
  resolve(dirname(addonPath), 'dispatchbench_testing.node'),
) as LoadParts;
