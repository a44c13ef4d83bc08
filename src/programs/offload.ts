/** How the program is started that has tasks run, by a broker's providers or by what stands beside it. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { offloadSchedulers, offloadTasks, offloadTransports, offloadWays } from '../contract/offload.js';
import type { Program } from '../hosts/program.js';
import { clientProgram } from './client.js';

export const offloadSpec = z.strictObject({
  way: z.enum(offloadWays),
  task: z.enum(offloadTasks),
  providers: count.min(1),
  /** of each provider */
  workers: count.min(1),
  /** tasks that are asked for at the same time */
  inFlight: count.min(1),
  /** of pages; left out: WebSocket */
  transport: z.enum(offloadTransports).optional(),
  /** of the broker; left out: its usual one */
  scheduler: z.enum(offloadSchedulers).optional(),
  /** percent of the tasks that the broker has run twice and compares; left out: none */
  verify: z.number().min(0).max(100).optional(),
  warmupMs: count,
  durationMs: count.min(1),
});
export type OffloadSpec = z.infer<typeof offloadSpec>;

export const offloadProgram = (spec: OffloadSpec): Program =>
  clientProgram('offload', [JSON.stringify(spec)]);
