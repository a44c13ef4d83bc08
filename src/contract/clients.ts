/**
 * Results of clients that are not ours, each by a program of ours that drives it: wrk, and a curl for each request. Around
 * them stand the lines of the load contract (src/contract/load.ts); and what starting a command alone comes to.
 */
import { z } from 'zod';
import { amount, count, spentNs } from './common.js';
import { latency } from './load.js';

/** What wrk prints at its end. */
export const wrkFigures = z.object({
  requests: count,
  durationNs: spentNs,
  bytesRead: amount,
  /** milliseconds */
  latencyMs: z.object({ mean: amount, stddev: amount, max: amount, p50: amount, p90: amount, p99: amount }),
  errors: z.object({ connect: count, read: count, write: count, timeout: count, status: count }),
});
export type WrkFigures = z.infer<typeof wrkFigures>;

export const wrkResult = wrkFigures.extend({
  event: z.literal('result'),
  connections: count,
  threads: count,
  version: z.string(),
  /** CPU time of wrk over the duration, of one CPU; by ticks of 10 ms */
  busyShare: amount,
});
export type WrkResult = z.infer<typeof wrkResult>;

export const curlResult = z.object({
  event: z.literal('result'),
  /** requests that succeeded, one process each */
  requests: count,
  failures: count,
  version: z.string(),
  windowNs: spentNs,
  /** from asking for the process until it has ended */
  whole: latency,
  /** what curl says of the same: from its own start of the transfer to its end */
  transfer: latency,
});
export type CurlResult = z.infer<typeof curlResult>;

/** Processes started one after the other, each given the input of a request and waited for. */
export const spawnResult = z.object({
  event: z.literal('spawned'),
  spawns: count.min(1),
  elapsedNs: spentNs,
  /** of all of them, and of starting them */
  cpuUs: z.number().nonnegative(),
  bytesOut: count,
});
export type SpawnResult = z.infer<typeof spawnResult>;
