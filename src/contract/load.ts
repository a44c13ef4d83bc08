/**
 * The load contract: what a load client is asked and the JSON lines it prints on stdout.
 *
 * Lines, in order: connected (all connections stand), window-start and window-end (the measured window, so that the
 * runner can take the server's snapshots at the same instants), result. With `--control` the client ends when its
 * stdin ends, waits for a line `go` after `connected`, and keeps its connections after `window-end` until a line `close`,
 * so that closing them is no work of the window.
 */
import { z } from 'zod';
import { amount, count, spentNs } from './common.js';

/** All connections stand. */
export const connected = z.object({
  event: z.literal('connected'),
  connections: count,
  /** from the first attempt until the last connection stood */
  elapsedNs: z.number(),
});

/** The measured window begins; printed at that instant. `monotonicNs` is the machine's CLOCK_MONOTONIC. */
export const windowStart = z.object({ event: z.literal('window-start'), monotonicNs: z.number() });
export const windowEnd = z.object({ event: z.literal('window-end'), monotonicNs: z.number() });

/** Latency distribution. All values in nanoseconds; the histogram is a HdrHistogram V2 payload, compressed, base64. */
export const latency = z.object({
  count,
  min: amount,
  mean: amount,
  stddev: amount,
  p50: amount,
  p90: amount,
  p95: amount,
  p99: amount,
  p999: amount,
  p9999: amount,
  max: amount,
  histogram: z.string(),
});
export type Latency = z.infer<typeof latency>;

export const loadErrors = z.object({
  refused: count,
  reset: count,
  timeout: count,
  /** no local address or port left (EADDRNOTAVAIL) */
  addressUnavailable: count,
  /** no descriptor left (EMFILE, ENFILE) */
  descriptorUnavailable: count,
  /** a reply that is not what was sent or is not valid HTTP */
  mismatch: count,
  /** HTTP status outside 2xx */
  status: count,
  /** the server closed a connection in the middle of a reply or before one */
  closed: count,
  other: count,
});

/** What every load client tells of its window, whatever it speaks. */
export const loadFigures = z.object({
  event: z.literal('result'),
  /** closed: next request when the reply is there; open: by a schedule that does not wait */
  mode: z.enum(['closed', 'open']),
  arrival: z.enum(['fixed', 'exponential']).nullable(),
  target: z.string(),
  /** connections, or sockets of a datagram client */
  connections: count,
  /** payload of one request, bytes */
  size: count,
  pipelining: count,
  windowNs: spentNs,
  warmupNs: z.number().nonnegative(),
  /** requests due in the window by the schedule, per second; null in closed loop */
  offeredRate: z.number().nullable(),
  /** requests of the window: due in it (open loop), sent in it (closed loop) */
  requests: count,
  /** replies that arrived in the window (datagrams: intact ones, late ones included) */
  replies: count,
  /** replies per second of window */
  achievedRate: z.number(),
  bytesIn: count,
  bytesOut: count,
  /** from the intended send time (open loop) or the actual one (closed loop) */
  latency,
  /** from the actual send time */
  latencyUncorrected: latency,
  /** actual minus intended send time; null in closed loop */
  sendLag: latency.nullable(),
  client: z.object({
    cpuAffinity: z.array(count),
    /** CPU time of the load thread in the window over the window, spinning of the pacer left out, 0..1 */
    busyShare: z.number(),
    /** time the pacer spun waiting for the next due time, over the window */
    spinShare: z.number(),
    cpuUs: z.number(),
    /** measured resolution of the pacer at start, nanoseconds: p50 and p99 of lateness after a timed sleep */
    pacer: z.object({ p50: z.number(), p99: z.number() }).nullable(),
  }),
  /** why the figures may be the client's limit instead of the server's; empty when they are not, as far as it can see */
  saturation: z.array(z.string()),
});
export type LoadFigures = z.infer<typeof loadFigures>;

/** Of connections. Each request ends as one value of `latency` or as one error of kind timeout, reset, closed or
 *  mismatch (status counts beside the latency), also after the window. */
export const loadResult = loadFigures.extend({
  protocol: z.enum(['tcp-echo', 'http']),
  errors: loadErrors,
  /** connections opened again because they had ended, in the window */
  reconnects: count,
  /** open loop: requests of the window that had to wait for a free connection (the server's delay, not the client's) */
  backlogged: count,
  /** time to establish the connections */
  connect: latency,
});
export type LoadResult = z.infer<typeof loadResult>;

export const loadLine = z.discriminatedUnion('event', [connected, windowStart, windowEnd, loadResult]);
export type LoadLine = z.infer<typeof loadLine>;

/** A line of `dispatchbench load --json-lines`: those of a client, and how far it has come, about twice a second. */
export const loadStreamLine = z.discriminatedUnion('event', [
  connected,
  windowStart,
  windowEnd,
  z.object({
    event: z.literal('progress'),
    /** replies and errors until now, those of the warm-up included */
    replies: count,
    errors: count,
    /** replies per second since the last such line */
    rate: z.number(),
  }),
  loadResult,
]);
export type LoadStreamLine = z.infer<typeof loadStreamLine>;
