/**
 * An emulated link between server and client: what was asked of it, what it did meanwhile, and the lines of the program
 * that is one (dispatchbench-link): `ready` once, and `link` for every line `report` on its stdin and at the end.
 */
import { z } from 'zod';
import { count } from './common.js';

/** One direction as it was asked for. */
export const linkShape = z.object({
  /** a packet arrives this much later than over a wire */
  delayNs: count.max(10e9),
  /** chance of a packet to be lost, 0..1 */
  lossShare: z.number().min(0).max(1),
  /** of IP packets, headers included; null: as fast as they come */
  bitsPerSecond: count.min(1).nullable(),
  /** packets held at one time, those that travel included: what comes then is dropped */
  limitPackets: count.min(1),
});
export type LinkShape = z.infer<typeof linkShape>;

/** netem: the kernel's queueing discipline (tc-netem(8)); relay: our program between two TUN devices. */
export const linkMeans = z.enum(['netem', 'relay']);
export type LinkMeans = z.infer<typeof linkMeans>;

export const linkDirections = ['up', 'down'] as const;
export type LinkDirection = (typeof linkDirections)[number];

/**
 * How the rate of a link goes on while something is measured: it stays, or follows what predictors are judged on
 * (src/planner/prediction/series.ts).
 */
export const linkCourses = ['steady', 'periodic', 'volatile', 'regime'] as const;
export const linkCourse = z.enum(linkCourses);
export type LinkCourse = z.infer<typeof linkCourse>;

export const emulatedLink = z.object({
  /** from the client to the server */
  up: linkShape,
  /** from the server to the client */
  down: linkShape,
  means: linkMeans,
  /** of the generator that draws what is lost; null: the kernel seeds its own */
  seed: count.nullable(),
  /** CPUs of the relay; empty: the kernel does it where packets are sent */
  cpus: z.array(count),
  /** the relay comes before all programs on its CPU; null: there is none */
  realtime: z.boolean().nullable(),
});
export type EmulatedLink = z.infer<typeof emulatedLink>;

/** Actual minus asked time of leaving, by the relay's own clock, nanoseconds; never below 0. */
export const linkLateness = z.object({
  meanNs: z.number().nonnegative(),
  p50Ns: count,
  p99Ns: count,
  maxNs: count,
});

/** One direction, since the report before. */
export const linkPassage = z.object({
  /** offered to it, whatever became of them; bytes are those of IP packets */
  packets: count,
  bytes: count.nullable(),
  passed: count,
  passedBytes: count,
  /** dropped by chance, and for want of room; null: netem counts both in one */
  lost: count.nullable(),
  overflowed: count.nullable(),
  /** by both */
  dropped: count,
  /** null: nothing passed, or netem, which does not tell */
  lateness: linkLateness.nullable(),
});
export type LinkPassage = z.infer<typeof linkPassage>;

export const linkReport = z.object({ up: linkPassage, down: linkPassage });
export type LinkReport = z.infer<typeof linkReport>;

export const relayReady = z.object({
  event: z.literal('ready'),
  realtime: z.boolean(),
  cpus: z.array(count),
});

const relayPassage = linkPassage.omit({ dropped: true }).extend({
  bytes: count,
  lost: count,
  overflowed: count,
});
export const relayReport = z.object({
  event: z.literal('link'),
  up: relayPassage,
  down: relayPassage,
  /** CPU time of the relay since it was started */
  cpuUs: count,
});
