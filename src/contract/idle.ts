/**
 * The idle contract: the JSON lines an idle holder prints on stdout.
 *
 * standing once all connections stand; status on a control line `status`; farewell when it ends (SIGTERM, SIGINT, a
 * control line `stop`, or end of control). A holder that cannot bring all to stand prints one sentence on stderr and
 * exits with a code other than 0.
 */
import { z } from 'zod';
import { count } from './common.js';

export const idleStatus = z.object({
  /** connections asked for */
  asked: count,
  /** connections that stand now */
  standing: count,
  /** connections the server ended and the holder opened again */
  reconnects: count,
  /** attempts that failed and were made again, by kind */
  failures: z.record(z.string(), count),
  /** bytes the server sent although nothing was asked */
  unexpectedBytes: count,
  /** from the first attempt until all stood, nanoseconds; null before */
  elapsedNs: z.number().nullable(),
});
export type IdleStatus = z.infer<typeof idleStatus>;

export const idleLine = z.discriminatedUnion('event', [
  idleStatus.extend({ event: z.literal('standing') }),
  idleStatus.extend({ event: z.literal('status') }),
  idleStatus.extend({ event: z.literal('farewell') }),
]);
export type IdleLine = z.infer<typeof idleLine>;
