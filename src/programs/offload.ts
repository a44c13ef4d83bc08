/** How the program is started that has tasks run, by a broker's providers or by what stands beside it. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { clientProgram } from './client.js';

/** Who runs the tasks: pages of a browser or processes behind a broker, Node's own WASI in worker threads, or a process each. */
export const offloadWays = ['browser', 'process', 'wasi-pool', 'native'] as const;
export const offloadTasks = ['noop', 'tsp-8', 'tsp-10'] as const;

export const offloadSpec = z.strictObject({
  way: z.enum(offloadWays),
  task: z.enum(offloadTasks),
  providers: count.min(1),
  /** of each provider */
  workers: count.min(1),
  /** tasks that are asked for at the same time */
  inFlight: count.min(1),
  warmupMs: count,
  durationMs: count.min(1),
});
export type OffloadSpec = z.infer<typeof offloadSpec>;

export const offloadProgram = (spec: OffloadSpec): Program =>
  clientProgram('offload', [JSON.stringify(spec)]);
