/** How the programs are started that put versions in place, and that notice them. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { clientProgram } from './client.js';

/** @param template a file that has a place for a version */
export const updaterProgram = (template: string): Program => clientProgram('updater', [template]);

/** A reply of version 0 where the length of a datagram tells the version; one more byte for each further one. */
export const firstReplyBytes = 16;

export const updateLoadSpec = z.strictObject({
  protocol: z.enum(['http', 'udp-echo']),
  target: z.strictObject({ host: z.string(), port: count }),
  /** of HTTP */
  path: z.string().startsWith('/'),
  /** length of a datagram that asks: the longest reply that can come */
  datagramBytes: count.min(firstReplyBytes),
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
