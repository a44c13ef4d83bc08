/** Known-answer servers: what one is told to do to its requests, and the line in which it tells what it really did. */
import { z } from 'zod';
import { count } from './common.js';

export const behaviour = z.strictObject({
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
