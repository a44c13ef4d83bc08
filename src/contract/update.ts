/**
 * Versions that are exchanged under load: the lines of the program that puts them in place, of the client that notices them,
 * and what the client counts.
 */
import { z } from 'zod';
import { count, spentNs } from './common.js';
import { latency } from './load.js';

/** The program that puts versions in place: where, once it is there. */
export const updaterReady = z.object({ event: z.literal('ready'), file: z.string() });

/** A version was put in place; the reading of CLOCK_MONOTONIC is from just before. */
export const placed = z.object({ event: z.literal('placed'), version: count, monotonicNs: z.number() });

/** Every connection of the client has had a reply of that version, or of a newer one. */
export const seen = z.object({ event: z.literal('seen'), version: count });

/** What the client is told at the end: when versions were put in place, on its own clock. */
export const placements = z.array(z.object({ version: count, ns: z.number() })).min(1);
export type Placements = z.infer<typeof placements>;

/** Requests that had no whole reply 200, by what came instead. */
const failures = z.object({ refused: count, broken: count, status: count, timeout: count });
export type Failures = z.infer<typeof failures>;

export const updateResult = z.object({
  event: z.literal('result'),
  requests: count,
  replies: count,
  failures,
  /** replies of an older version to requests that left after a newer one had come */
  mixed: count,
  swaps: z.array(
    z.object({
      version: count,
      /** from putting it in place to the first reply of it, and to one of it on every connection, nanoseconds */
      firstNs: spentNs,
      allNs: spentNs,
      /** requests due in that time, or in `windowNs`, that failed */
      failed: count,
    }),
  ),
  /** how long an exchange is taken to last at least, nanoseconds */
  windowNs: spentNs,
  /** from the instant a request was due, nanoseconds: of those due during an exchange, and of all others */
  during: latency,
  steady: latency,
  elapsedNs: spentNs,
});
export type UpdateResult = z.infer<typeof updateResult>;
