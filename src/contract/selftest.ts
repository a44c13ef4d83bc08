/** Known-answer servers: what one is told to do to its requests, and the line in which it tells what it really did. */
import { z } from 'zod';
import { count } from './common.js';

/** How a server breaks its replies; each decides by itself what it speaks. */
export const replyFault = z.enum([
  'flip-one-bit',
  'swap-replies',
  'one-byte-at-a-time',
  'close-early',
  'reset-early',
  'silent',
  'silent-later',
  'chatty',
  'http-503-every-second',
  'http-other-body',
  'http-garbage',
  'http-close',
  'hang-up-idle',
]);
export type ReplyFault = z.infer<typeof replyFault>;

export const behaviour = z.strictObject({
  /** bytes: every piece that comes is a request, and its reply the same bytes */
  speaks: z.enum(['http', 'bytes']).default('http'),
  /** every reply so long after its request, milliseconds */
  delayMs: z.number().nonnegative().default(0),
  /** after so many requests it does nothing at all for a while, once; 0: never */
  stallAfter: count.default(0),
  stallMs: z.number().nonnegative().default(0),
  /** every n-th request is never answered; 0: none */
  loseEvery: count.default(0),
  /** a new connection is left alone so long, milliseconds */
  acceptDelayMs: z.number().nonnegative().default(0),
  /** rounds of an empty loop that every request costs in addition */
  spinRounds: count.default(0),
  /** record when requests came; bounded by the number of them */
  recordArrivals: count.max(100_000).default(0),
  /** instead of all that: replies that are broken in this way. Such a server tells nothing of itself. */
  fault: replyFault.nullable().default(null),
});
export type Behaviour = z.input<typeof behaviour>;

export const listening = z.object({ event: z.literal('listening'), port: count });

/** Printed on the control line `truth`. All times in nanoseconds. */
export const truth = z.object({
  event: z.literal('truth'),
  requests: count,
  answered: count,
  lost: count,
  /** request read to reply written, of answered requests: median and greatest */
  delayP50Ns: z.number(),
  delayMaxNs: z.number(),
  /** how long it really stood still */
  stallNs: z.number(),
  /** median time a new connection was really left alone */
  acceptDelayP50Ns: z.number(),
  /** user and system time of the process since it listened, microseconds */
  cpuUs: z.number(),
  /** arrival of each recorded request, relative to the first */
  arrivalsNs: z.array(z.number()),
});
export type Truth = z.infer<typeof truth>;

const share = z.number().min(0).max(1).optional();

/** What a relay does to datagrams: shares of them, one fault per datagram at most, so that the answer is exact. */
export const relayFaults = z.strictObject({
  drop: share,
  duplicate: share,
  /** sent after the next datagram of the same port */
  hold: share,
  corrupt: share,
  truncate: share,
  /** sent `delayMs` later */
  delay: share,
  delayMs: z.number().nonnegative().optional(),
  /** only so many of the first datagrams may be delayed; left out: all */
  delayed: count.optional(),
});
export type RelayFaults = z.infer<typeof relayFaults>;

/** How often it really did. */
export const relayTruth = z.object({
  event: z.literal('truth'),
  seen: count,
  dropped: count,
  duplicates: count,
  corrupted: count,
  truncated: count,
  late: count,
  /** how much later those were really sent, nanoseconds */
  delaysNs: z.array(z.number()),
  /** replies sent for the first time after one with a higher sequence number */
  reordered: count,
});
export type RelayTruth = z.infer<typeof relayTruth>;
