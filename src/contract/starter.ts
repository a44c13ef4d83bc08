/**
 * How programs are started on another machine: JSON lines over any byte stream, here ssh. The starter there says where its
 * programs lie, starts what it is asked for, and passes lines on in both directions. Commands are arrays of words; no shell
 * reads them. When the stream ends, it ends all that it started, and itself. A machine that has no starter yet says what it
 * is (`bare`), gets our programs, and the starter among them goes on.
 */
import { z } from 'zod';
import { count } from './common.js';

const id = count;
const text = z.string().max(1 << 20);

/** What a runner asks. */
export const starterRequest = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), id, command: z.string().min(1), args: z.array(z.string()).max(1000) }),
  /** a line for the program's stdin */
  z.object({ type: z.literal('line'), id, text }),
  /** the program's stdin is closed; signals follow, each after this time */
  z.object({ type: z.literal('end'), id, graceMs: count.max(600_000) }),
]);
export type StarterRequest = z.infer<typeof starterRequest>;

/** What a starter says. */
export const starterReport = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('bare'),
    /** as `uname -s` and `uname -m` print them */
    system: z.string().max(100),
    machine: z.string().max(100),
    /** addresses and ports of both ends of the connection, as sshd tells them to a session */
    connection: z.string().max(200),
  }),
  z.object({
    type: z.literal('ready'),
    version: z.string().max(100),
    /** empty: there is none */
    node: z.string(),
    scripts: z.string(),
    cli: z.string(),
    /** folder of the native programs */
    native: z.string(),
  }),
  z.object({ type: z.literal('started'), id, pid: count }),
  z.object({ type: z.enum(['out', 'err']), id, text }),
  z.object({ type: z.literal('ended'), id, how: z.string().max(1000) }),
]);
export type StarterReport = z.infer<typeof starterReport>;
