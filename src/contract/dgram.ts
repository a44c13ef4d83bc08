/**
 * The result of a datagram benchmark: autocannon's names where the meaning carries over, and what only datagrams have.
 * Latencies in milliseconds (fractions kept), rates per second, sizes in bytes, shares 0..1.
 */
import { z } from 'zod';
import { count } from './common.js';
import { connected, loadFigures, windowEnd, windowStart } from './load.js';

/** autocannon's percentiles and the p95 it lacks; 'p97_5' is the 97.5th. */
export const percentileKeys = [
  'p0_001',
  'p0_01',
  'p0_1',
  'p1',
  'p2_5',
  'p10',
  'p25',
  'p50',
  'p75',
  'p90',
  'p95',
  'p97_5',
  'p99',
  'p99_9',
  'p99_99',
  'p99_999',
] as const;
export type PercentileKey = (typeof percentileKeys)[number];
export const percentileOf = (key: PercentileKey): number => Number(key.slice(1).replace('_', '.'));

const percentiles = z.object(
  Object.fromEntries(percentileKeys.map((key) => [key, z.number()])) as Record<PercentileKey, z.ZodNumber>,
);

export const spread = percentiles.extend({
  average: z.number(),
  mean: z.number(),
  stddev: z.number(),
  min: z.number(),
  max: z.number(),
});
export type Spread = z.infer<typeof spread>;

/** What a run's datagrams came to. sent = received + lost, always; every datagram is in exactly one of the two. */
export const dgramCounts = z.object({
  sent: count,
  /** answered by an intact reply, each datagram once, late ones included */
  received: count,
  /** sent and not answered when the drain ended */
  lost: count,
  /** of the received: answered after the timeout */
  late: count,
  /** of the received: answered after a later datagram of the same flow (RFC 4737); they keep their latency */
  reordered: count,
  /** replies to datagrams already answered */
  duplicates: count,
  /** replies whose checksum, length or content is wrong; they answer nothing */
  corrupted: count,
  /** replies shorter than what was sent; they answer nothing */
  truncated: count,
  /** replies older than the 65 536 newest of their flow: late or duplicate, cannot be known */
  unattributable: count,
  /** datagrams from a port that was not asked */
  foreign: count,
  /** ICMP errors that came back, as from a closed port */
  unreachable: count,
  /** datagrams the kernel refused to send; they are not sent */
  sendErrors: count,
  /** times that a full send buffer made a datagram wait */
  sendStalls: count,
});
export type DgramCounts = z.infer<typeof dgramCounts>;

/** Where the lost ones were lost. The causes add up to `lost`. */
export const dgramLoss = z.object({
  /** dropped at the client's sockets: their buffer was full when the reply came (SO_RXQ_OVFL's counter) */
  clientSocket: count,
  /** dropped at the server's sockets: their buffer was full when the datagram came (/proc/net/udp by port) */
  serverSocket: count,
  /** still in the server's sockets, unread, when the drain ended */
  serverUnread: count,
  /** nobody listens there (ICMP port unreachable) */
  unreachable: count,
  /** answered, but with a reply that is corrupt, truncated or too old to tell */
  badReply: count,
  /** none of these: lost on the way, or not answered by the server */
  unexplained: count,
  /** which counters could be read; null figures of theirs count as unexplained */
  seen: z.object({ clientSockets: z.boolean(), serverSockets: z.boolean() }),
  /** Udp lines of /proc/net/snmp over the run, whole machine; null where the system has none */
  system: z.object({ rcvbufErrors: count, sndbufErrors: count, inErrors: count }).nullable(),
});
export type DgramLoss = z.infer<typeof dgramLoss>;

/** One interval of the run, by the time of sending and of arrival. */
export const dgramInterval = z.object({
  sent: count,
  received: count,
  bytesIn: count,
  mean: z.number(),
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
});
export type DgramInterval = z.infer<typeof dgramInterval>;

export const portFigures = z.object({
  port: count,
  sent: count,
  received: count,
  /** mean from the intended send time; 0 when nothing was received */
  mean: z.number(),
  max: z.number(),
  jitter: z.number(),
});
export type PortFigures = z.infer<typeof portFigures>;

const range = z.object({ min: z.number(), median: z.number(), max: z.number() });

export const dgramResult = z.object({
  schemaVersion: z.literal(1),
  title: z.string().optional(),
  url: z.string(),
  engine: z.enum(['native', 'js']),
  connections: count,
  ports: count,
  portOrder: z.enum(['random', 'round-robin', 'zipf']),
  /** bytes of a datagram, header included */
  size: count,
  /** what a datagram can carry of sequence number, times and checksum; see docs/dgram-benchmark.md */
  identity: z.enum(['full', 'compact', 'none']),
  /** counts that such datagrams cannot tell; they read 0 */
  unknown: z.array(z.string()),
  mode: z.enum(['open', 'closed']),
  arrival: z.enum(['fixed', 'exponential']).nullable(),
  sampleInt: z.number(),
  pipelining: count,
  workers: count,
  seed: count,
  /** seconds of sending */
  duration: z.number(),
  samples: count,
  start: z.string(),
  finish: z.string(),
  /** send errors and ICMP errors */
  errors: count,
  /** datagrams not answered within the timeout: lost and late */
  timeouts: count,
  /** corrupted, truncated and foreign replies */
  mismatches: count,
  /** ICMP errors: the datagrams' counterpart of a reset */
  resets: count,
  /** from the intended send time (open loop) or the actual one (closed loop) */
  latency: spread.extend({ totalCount: count }),
  /** from the actual send time */
  latencyUncorrected: spread.extend({ totalCount: count }),
  requests: spread.extend({ total: count, sent: count }),
  throughput: spread.extend({ total: count }),
  ...dgramCounts.shape,
  /** lost / sent; 0 when nothing was sent */
  lossRate: z.number(),
  loss: dgramLoss,
  /** RFC 3550, over round trips, mean of the flows */
  jitter: z.number(),
  schedule: z.object({
    /** datagrams per second asked for; null in closed loop */
    offered: z.number().nullable(),
    /** datagrams per second sent */
    achieved: z.number(),
    /** actual minus intended send time */
    lagP50: z.number(),
    lagP99: z.number(),
    lagMax: z.number(),
    /** lateness of the client's timed waits, measured at the start; null in closed loop */
    resolution: z.object({ p50: z.number(), p99: z.number() }).nullable(),
  }),
  client: z.object({
    /** what the client waits with */
    poller: z.string(),
    /** largest share of its time that a worker was busy, spinning left out */
    busyShare: z.number(),
    spinShare: z.number(),
    cpuUs: z.number(),
    sendCalls: count,
    receiveCalls: count,
  }),
  clientSaturated: z.boolean(),
  /** why the figures may be the client's limit instead of the server's */
  reasons: z.array(z.string()),
  /** how far the ports differ */
  portSpread: z.object({ mean: range, received: range, lossRate: range }),
  /** every port, when asked for */
  perPort: z.array(portFigures).optional(),
  series: z.array(dgramInterval),
  /** HdrHistogram V2, compressed, base64; values in nanoseconds */
  histograms: z.object({ latency: z.string(), latencyUncorrected: z.string(), sendLag: z.string() }),
  /** result of the warm-up, in the same shape */
  warmup: z.unknown().optional(),
});
export type DgramResult = z.infer<typeof dgramResult>;

/** A line of `dgram-benchmark --json-lines`: sending begins, a sample interval is over, the result. */
export const dgramStreamLine = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('start'),
    url: z.string(),
    connections: count,
    ports: count,
    /** datagrams per second over all; null in closed loop */
    rate: z.number().nullable(),
  }),
  dgramInterval.extend({ event: z.literal('tick') }),
  dgramResult.extend({ event: z.literal('result') }),
]);
export type DgramStreamLine = z.infer<typeof dgramStreamLine>;

/** The result of a datagram load under the load contract: its figures, its ledger, and the response time by second. */
export const datagramResult = loadFigures.extend({
  protocol: z.literal('udp-echo'),
  ports: count,
  portOrder: z.enum(['random', 'round-robin', 'zipf']),
  ...dgramCounts.shape,
  lossRate: z.number(),
  loss: dgramLoss,
  jitterNs: z.number(),
  /** per second of the window, times in nanoseconds */
  series: z.array(dgramInterval),
});
export type DatagramResult = z.infer<typeof datagramResult>;

export const datagramLine = z.discriminatedUnion('event', [
  connected,
  windowStart,
  windowEnd,
  datagramResult,
]);
