/**
 * The ramp contract: one step of an offered-load ramp, in httperf's meaning. A session is one connection that makes
 * `calls` requests one after the other; the rate is connections started per second, open loop.
 */
import { z } from 'zod';
import { amount, count } from './common.js';
import { latency } from './load.js';

/** Kinds of failure, by httperf's names, in the order httperf prints them. */
export const failureKinds = [
  'client-timo',
  'socket-timo',
  'connrefused',
  'connreset',
  'fd-unavail',
  'addrunavail',
  'ftab-full',
  'other',
] as const;
export const failureKind = z.enum(failureKinds);
export type FailureKind = z.infer<typeof failureKind>;
/** Failed sessions by kind. */
export const failures = z.record(failureKind, count);
export type Failures = z.infer<typeof failures>;

/** Replies by the first digit of their status, 1xx to 5xx. */
export const statusClasses = z.tuple([count, count, count, count, count]);

/** No control character may reach a request line or header. */
const visible = z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');

export const sessionSpec = z.object({
  host: visible,
  port: z.number().int().min(1).max(65535),
  /** path and query, absolute */
  uri: visible.refine((uri) => uri.startsWith('/'), "must start with '/'"),
  /** connections started per second */
  rate: z.number().positive().max(1_000_000),
  /** connections of the whole step */
  connections: z.number().int().min(1).max(100_000_000),
  /** requests on each connection */
  calls: z.number().int().min(1).max(1_000_000_000),
  /** longest wait for the connection or for one reply, milliseconds */
  timeoutMs: z.number().positive().max(3_600_000),
  /** length of one sample of the reply rate, milliseconds */
  sampleMs: z.number().int().min(50).max(60_000),
  arrival: z.enum(['fixed', 'exponential']),
  /** CPUs the client may run on; empty: any */
  cpus: z.array(count).max(1024),
  /** a part of a load that several clients share; left out: all of it */
  part: z
    .object({
      /** its schedule starts so long after the common start: with even gaps the parts take turns */
      offsetNs: z.number().nonnegative().max(3.6e12),
      /** its exponential gaps are its own */
      seed: count.min(1),
    })
    .optional(),
});
export type SessionSpec = z.infer<typeof sessionSpec>;

/** Reply rate over consecutive samples, replies per second. */
export const replyRate = z.object({
  min: amount,
  avg: amount,
  max: amount,
  stddev: amount,
  samples: count,
  /** length of a sample, seconds */
  intervalS: amount,
});
export type ReplyRate = z.infer<typeof replyRate>;

/** What httperf does not know and our client does. */
export const sessionDetail = z.object({
  /** request sent to first byte of its reply */
  response: latency,
  /** start of connect() to established */
  connect: latency,
  /** actual minus intended start of a connection */
  startLag: latency,
  /** replies in each sample of the reply rate; the last, incomplete one is left out */
  replySamples: z.array(count).max(100_000),
  /** first connection started, CLOCK_MONOTONIC of the client's machine, nanoseconds */
  startedAtNs: amount,
  /** the same as asked by the start signal */
  dueAtNs: amount,
  /** CPU time of the load thread over the step, spinning left out, 0..1 */
  busyShare: amount,
  /** time it spun waiting for the next start, likewise */
  spinShare: amount,
  bytesIn: count,
  bytesOut: count,
  /** why the figures may be the client's limit; empty when they are not, as far as it can see */
  saturation: z.array(z.string().max(1000)).max(100),
});
export type SessionDetail = z.infer<typeof sessionDetail>;

export const sessionResult = z.object({
  event: z.literal('result'),
  client: z.enum(['native', 'httperf']),
  /** connections started */
  connections: count,
  requests: count,
  replies: count,
  durationS: amount,
  /** most connections open at one time (several clients: the sum, an upper bound) */
  maxConcurrent: count,
  /** means, milliseconds */
  connectMs: amount,
  responseMs: amount,
  transferMs: amount,
  replyRate,
  status: statusClasses,
  /** requests and replies, headers included, 1024 bytes per second */
  netKBps: amount,
  failures,
  cpu: z.object({ userS: amount, systemS: amount }),
  /** null when httperf was the client */
  detail: sessionDetail.nullable(),
});
export type SessionResult = z.infer<typeof sessionResult>;

/** Lines of the session client before `result`: it could start at once; its last connection has ended. */
export const sessionReady = z.object({ event: z.literal('ready') });
export const sessionEnded = z.object({ event: z.literal('ended') });

export const totalFailures = (of: Failures): number => failureKinds.reduce((sum, kind) => sum + of[kind], 0);

export const noFailures = (): Failures =>
  Object.fromEntries(failureKinds.map((kind) => [kind, 0])) as Failures;

/** httperf samples every 5 s and so knows no reply rate for a shorter step; five samples at least, then. */
export function sampleMs(expectedS: number): number {
  return Math.max(50, Math.round(Math.min(5, expectedS / 5) * 1000));
}
