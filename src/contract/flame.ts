/** flame.json: what a flamegraph trial was, and where its time went. One file in each results/flame-* folder. */
import { z } from 'zod';
import { count, identifier } from './common.js';
import { cost } from './cost.js';
import { hostFacts } from './host.js';
import { hello } from './server.js';

const rank = z.object({ name: z.string(), weight: z.number(), /** of all weight, 0..1 */ share: z.number() });

/**
 * What the profiler cost the server. Profiled and unprofiled windows alternate on the same server; `change` is the
 * median over the pairs of profiled / unprofiled - 1. The range of the pairs covers the median's true value with
 * probability `coverage` (order statistics: 1 - 2^(1-n)).
 */
export const profilerOverhead = z.object({
  pairs: count,
  coverage: z.number(),
  windowMs: z.number(),
  /** replies per second; null when the windows had none */
  rate: z.object({ change: z.number(), low: z.number(), high: z.number() }).nullable(),
  /** CPU time per request */
  cpuPerRequest: z.object({ change: z.number(), low: z.number(), high: z.number() }).nullable(),
});
export type ProfilerOverhead = z.infer<typeof profilerOverhead>;

export const profiledCost = cost.pick({
  mode: true,
  impl: true,
  backend: true,
  pairs: true,
  stride: true,
  active: true,
  writes: true,
  budget: true,
  maxEvents: true,
  versions: true,
  digest: true,
});
export type ProfiledCost = z.infer<typeof profiledCost>;

export const flameProfile = z.object({
  /** profile: the server asked for; base: the one it is compared with */
  role: z.enum(['profile', 'base']),
  title: z.string(),
  /** null: a program that measures the cost of a dispatch, whose requests are events */
  server: hello.nullable(),
  /** that program, of which the measured rounds alone are in the stacks */
  cost: profiledCost.optional(),
  command: z.array(z.string()),
  idleConnections: count,
  activeConnections: count,
  /** perf: frames of every kind; v8: JavaScript only */
  profiler: z.enum(['perf', 'v8']),
  /** events sampled, as the profiler itself reported them */
  events: z.array(z.string()),
  frequencyHz: z.number(),
  /** profiled time, the sum of its windows */
  profiledMs: z.number(),
  samples: count,
  /** unit of the weights of ranks and stacks */
  unit: z.enum(['samples', 'microseconds']),
  /** what the stacks can and cannot show, with the reason */
  scope: z.string(),
  notes: z.array(z.string()),
  requests: z.object({ profiled: count, unprofiled: count }),
  /** CPU time of the server per request in the windows without the profiler: cheapest and dearest window */
  cpuPerRequestUs: z.object({ low: z.number(), high: z.number() }).nullable(),
  overhead: profilerOverhead,
  /** partition of all weight by what the code at the leaf was doing */
  families: z.array(rank),
  /** widest leaf functions */
  leaves: z.array(rank),
  files: z.object({
    folded: identifier,
    speedscope: identifier,
    svg: identifier,
    perfMap: identifier.nullable(),
  }),
});
export type FlameProfile = z.infer<typeof flameProfile>;

export const flameRecord = z.object({
  schemaVersion: z.literal(1),
  startedAt: z.string(),
  /** includes the execution class */
  host: hostFacts,
  profiles: z.array(flameProfile).min(1).max(2),
  difference: z
    .object({
      first: z.string(),
      second: z.string(),
      files: z.object({ svg: identifier, mirror: identifier, folded: identifier }),
    })
    .nullable(),
  page: identifier,
});
export type FlameRecord = z.infer<typeof flameRecord>;
