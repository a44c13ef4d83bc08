/** How the programs are started that put versions in place, and that notice them. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { clientProgram } from './client.js';

/** @param template a file that has a place for a version */
export const updaterProgram = (template: string): Program => clientProgram('updater', [template]);

export const updateLoadSpec = z.strictObject({
  target: z.strictObject({ host: z.string(), port: count }),
  path: z.string().startsWith('/'),
  connections: count.min(1),
  /** requests per second, whatever becomes of them */
  rate: count.min(1),
  /** a reply that takes longer is a failure */
  timeoutMs: count.min(1),
  /** an exchange is taken to last so long at least */
  windowMs: count.min(1),
  cpus: z.array(count),
});
export type UpdateLoadSpec = z.infer<typeof updateLoadSpec>;

export const updateLoadProgram = (spec: UpdateLoadSpec): Program =>
  clientProgram('update-load', [JSON.stringify(spec)]);
