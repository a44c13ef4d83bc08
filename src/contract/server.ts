/**
 * The server contract: JSON lines every server under test prints on stdout, whatever its language.
 *
 * hello once it listens; snapshot on request; farewell when it stops (SIGTERM, SIGINT, `stop`, or end of control).
 * With `--control` the server reads its stdin as a control channel: a line `snapshot <id>` asks for a snapshot, `stop`
 * ends it, and end of file ends it too, so that no server outlives the process that started it.
 */
import { z } from 'zod';
import { backendName, count, implementation, ioMode, protocol } from './common.js';

export const capabilities = z.object({
  trigger: z.enum(['level', 'edge', 'oneshot']),
  waitComplexity: z.enum(['active', 'registered', 'highest_descriptor']),
  timeoutResolutionNs: z.number(),
  /** highest descriptor number the backend can watch; -1: limited only by the process */
  maxDescriptor: z.number().int(),
  needsRearm: z.boolean(),
  reportsReadClosed: z.boolean(),
  batchedChanges: z.boolean(),
  waitCall: z.string(),
});
export type Capabilities = z.infer<typeof capabilities>;

/** Fairness budgets: server policy, the same in every implementation. */
export const budgets = z.object({
  /** connections accepted per readiness event of the listener */
  accept: count,
  /** bytes read per readiness event of a connection */
  readBytes: count,
  /** reads per readiness event of a connection */
  reads: count,
  /** datagrams received per readiness event of a UDP socket */
  datagrams: count,
  /** rows of the result array of one wait */
  maxEvents: count,
});

export const hello = z.object({
  event: z.literal('hello'),
  protocol,
  impl: implementation,
  backend: backendName,
  /** null for implementations that have no Node-API crossing */
  io: ioMode.nullable(),
  /** null where the implementation does not expose them (libuv) */
  capabilities: capabilities.nullable(),
  address: z.string(),
  port: count,
  /** UDP: number of consecutive ports from `port` on; TCP: 1 */
  ports: count,
  pid: count,
  kernel: z.string(),
  descriptorLimit: z.object({ soft: count, hard: count }),
  /** CPUs the process may run on */
  cpuAffinity: z.array(count),
  /** node, v8, libuv, compiler, dispatchbench ... whichever apply */
  versions: z.record(z.string(), z.string()),
  compilerFlags: z.string(),
  budgets: budgets.nullable(),
  listenBacklog: count,
  nodelay: z.boolean(),
  /** digest (sha256, hex, first 16 characters) of the program or addon binary */
  digest: z.string(),
});
export type Hello = z.infer<typeof hello>;

/** Poller counters by name, see native/dispatch/backend.h; null where the implementation has no poller of ours. */
export const counters = z.object({
  waits: count,
  emptyWaits: count,
  saturatedWaits: count,
  events: count,
  rawEvents: count,
  changeCalls: count,
  changes: count,
  stale: count,
  spurious: count,
  rearms: count,
  interrupted: count,
});
export type Counters = z.infer<typeof counters>;

/** Sums since the server started; a window's figures are differences of two snapshots. */
export const snapshotBody = z.object({
  /** CLOCK_MONOTONIC, nanoseconds */
  monotonicNs: z.number(),
  requests: count,
  /** connections open now, idle ones included (UDP: sockets) */
  connections: count,
  accepted: count,
  closed: count,
  bytesIn: count,
  bytesOut: count,
  /** requests the server refused (bad HTTP, not allowed sources) */
  rejected: count,
  /** UDP: replies that the kernel did not take at once */
  unsent: count.optional(),
  cpu: z.object({ userUs: z.number(), systemUs: z.number() }),
  contextSwitches: z.object({ voluntary: count, involuntary: count }),
  rssBytes: count,
  peakRssBytes: count,
  counters: counters.nullable(),
  /** histogram of events per wait: element i counts waits that brought [2^(i-1), 2^i) events, element 0 none */
  eventsPerWait: z.array(count).nullable(),
});

export type SnapshotBody = z.infer<typeof snapshotBody>;

export const snapshot = snapshotBody.extend({ event: z.literal('snapshot'), id: z.string() });
export type Snapshot = z.infer<typeof snapshot>;

export const farewell = snapshotBody.extend({
  event: z.literal('farewell'),
  wallNs: z.number(),
  reason: z.enum(['signal', 'stop', 'end-of-control', 'error']),
});
export type Farewell = z.infer<typeof farewell>;
