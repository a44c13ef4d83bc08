/**
 * The lines of the observer on a machine without Node (native/bare/observer.cc). It answers a question on its stdin with one
 * line, and ends when its stdin does: `system`, `texts PATTERN...`, `clocks`, `ping`, and pieces of work with their sizes.
 * What its answers mean for a host is worked out by whoever asks.
 */
import { z } from 'zod';
import { backendName, count } from './common.js';
import { hostLook } from './host.js';

export const bareSystem = z.object({
  event: z.literal('system'),
  /** name and release, as `uname -sr` prints them */
  os: z.string(),
  release: z.string(),
  /** as `uname -m` prints it */
  arch: z.string(),
  vcpus: count,
  /** CPUs that it may use */
  cpus: z.array(count),
  clockStepNs: z.number(),
  descriptorLimit: z.object({ soft: count, hard: count }),
  memoryBytes: count,
  memoryFreeBytes: count,
  backends: hostLook.shape.backends,
  nodeBackend: backendName,
  compiler: z.string(),
  /** of the observer's own program: sha256, hex, first 16 characters */
  digest: z.string(),
});
export type BareSystem = z.infer<typeof bareSystem>;

/** Texts of files by path, of all that the patterns match; null: it is there and is no text that can be read. */
export const bareTexts = z.object({
  event: z.literal('texts'),
  texts: z.record(z.string(), z.string().nullable()),
});

export const bareClocks = z.object({
  event: z.literal('clocks'),
  monotonicNs: z.number(),
  realtimeNs: z.number(),
  /** average of the last minute */
  load: z.number(),
});

/** What a piece of work took. */
export const bareFigure = z.object({ ns: z.number().nonnegative() });

export const barePingPong = z.object({
  /** 0: there are figures */
  errno: count,
  roundTripNs: z.number(),
  cpuNs: z.number(),
});
