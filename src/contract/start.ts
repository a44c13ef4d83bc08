/**
 * The lines of the client that waits for a server to come up: it asks again and again until the first valid reply, and
 * prints `ready` when its first request is over, which so was there before the server, and `first-reply`.
 */
import { z } from 'zod';
import { count } from './common.js';

export const firstReplyReady = z.object({ event: z.literal('ready') });

export const firstReply = z.object({
  event: z.literal('first-reply'),
  /** when the reply was whole, CLOCK_MONOTONIC of the client's machine, nanoseconds */
  monotonicNs: z.number(),
  /** requests that were tried until then, the one that was answered included */
  attempts: count.min(1),
});
export type FirstReply = z.infer<typeof firstReply>;
