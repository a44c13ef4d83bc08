/**
 * The server contract: JSON lines every server under test prints on stdout, whatever its language.
 *
 * hello once it listens; snapshot on request; farewell when it stops (SIGTERM, SIGINT, `stop`, or end of control).
 * With `--control` the server reads its stdin as a control channel: a line `snapshot <id>` asks for a snapshot, `stop`
 * ends it, and end of file ends it too, so that no server outlives the process that started it.
 */
import { z } from 'zod';
import {
  acceptSharing,
  count,
  engineName,
  implementation,
  ioMode,
  mechanismName,
  protocol,
} from './common.js';
import { type capabilityNames, counterNames } from './names.js';

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
} satisfies Record<(typeof capabilityNames)[number], z.ZodType>);
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

/** What every server says of itself, whoever wrote it. */
const announcement = z.object({
  event: z.literal('hello'),
  protocol,
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
  /** digest (sha256, hex, first 16 characters) of the program or addon binary */
  digest: z.string(),
});

/** What a completion engine got of the kernel, and how it was asked to use it. */
export const engineFacts = z.object({
  name: engineName,
  /** flags of the ring that are in force, as the kernel's manual names them */
  setup: z.array(z.string()),
  registeredRing: z.boolean(),
  directDescriptors: z.boolean(),
  incrementalBuffers: z.boolean(),
  /** a receive fills as many buffers as there are bytes for */
  bundles: z.boolean().default(false),
  buffers: count,
  bufferBytes: count,
  /** completions to wait for, at most `waitUs` microseconds */
  batch: count,
  waitUs: count,
  /** replies of so many bytes and more are sent without copying; 0: none are */
  zeroCopyBytes: count.default(0),
  /** microseconds that a wait polls the network device before it sleeps; 0: it does not */
  napiUs: count.default(0),
  /** what runs beside the server, in words; null: nothing does */
  burns: z.string().nullable(),
});
export type EngineFacts = z.infer<typeof engineFacts>;

/** Waits that ask the network card for packets before they sleep, as far as the system took it. */
export const busyPollFacts = z.object({
  /** as it was asked for, microseconds */
  us: count,
  /** the listening socket, and by it those that it accepts (SO_BUSY_POLL) */
  sockets: z.boolean(),
  /** the mechanism's own waits (EPIOCSPARAMS) */
  waits: z.boolean(),
  whyNotWaits: z.string().nullable(),
  /** in words */
  burns: z.string(),
});

/** A server of ours: it is one process, knows its mechanism and accounts for itself. */
export const dispatchHello = announcement.extend({
  subject: z.literal('dispatch'),
  impl: implementation,
  /** a backend, or the name of its engine */
  backend: mechanismName,
  /** left out: it waits for readiness */
  engine: engineFacts.optional(),
  /** threads that serve, and how they share what is to be accepted; left out: one */
  workers: z.object({ count: count.min(2), accept: acceptSharing }).optional(),
  /** left out: nobody asked */
  busyPoll: busyPollFacts.optional(),
  /** microseconds that each wait for readiness lasts at least; left out: it looks at once */
  leastWaitUs: count.optional(),
  /** null for implementations that have no Node-API crossing */
  io: ioMode.nullable(),
  /** null where the implementation does not expose them (libuv), and on an engine, which has other ones */
  capabilities: capabilities.nullable(),
  compilerFlags: z.string(),
  budgets: budgets.nullable(),
  /** connections that may wait to be accepted: what --backlog asked for, as far as the system took it */
  listenBacklog: count,
  nodelay: z.boolean(),
  /** of its TCP sockets, by the system's name; null: UDP, or the system does not tell */
  congestionControl: z.string().nullable().default(null),
});
export type DispatchHello = z.infer<typeof dispatchHello>;

/** Somebody else's server: a wrapper speaks for it, and accounts for all the processes that it starts. */
export const foreignHello = announcement.extend({
  subject: z.literal('foreign'),
  command: z.array(z.string()),
  /** where the figures of the process tree come from */
  accounting: z.enum(['cgroup2', 'cgroup1', 'rusage']),
  /** when the command was run, CLOCK_MONOTONIC of its machine, nanoseconds; left out: recorded before it was told */
  startedNs: z.number().optional(),
  /** from the start of the command until it served */
  readyAfterMs: z.number(),
});
export type ForeignHello = z.infer<typeof foreignHello>;

export const hello = z.discriminatedUnion('subject', [dispatchHello, foreignHello]);
export type Hello = z.infer<typeof hello>;

/** A line that a foreign server printed, one JSON object with an `event`, as its wrapper passes it on. */
export const told = z.object({ event: z.literal('told'), text: z.string().max(4096) });

/** The line of a server on somebody else's loop, in the text of what its wrapper passes on. */
export const peerListening = z.object({
  event: z.literal('listening'),
  /** what the library says that it waits with */
  backend: mechanismName,
  versions: z.record(z.string(), z.string()),
});
export type PeerListening = z.infer<typeof peerListening>;

/** Poller counters by name; null where the implementation has no poller of ours. Runs of earlier versions lack one. */
export const counters = z.object({
  ...(Object.fromEntries(counterNames.map((name) => [name, count])) as Record<
    (typeof counterNames)[number],
    typeof count
  >),
  submissions: count.default(0),
});
export type Counters = z.infer<typeof counters>;

/** What a server of ours always tells of its work, and a foreign one may not. */
const counted = z.object({
  requests: count,
  /** connections open now, idle ones included (UDP: sockets) */
  connections: count,
  accepted: count,
  closed: count,
  bytesIn: count,
  bytesOut: count,
  /** requests the server refused (bad HTTP, not allowed sources) */
  rejected: count,
  contextSwitches: z.object({ voluntary: count, involuntary: count }),
});

function eachNullable<Shape extends z.ZodRawShape>(shape: Shape) {
  const entries = Object.entries(shape).map(([name, schema]) => [name, z.nullable(schema)]);
  return Object.fromEntries(entries) as { [Name in keyof Shape]: z.ZodNullable<Shape[Name]> };
}

/**
 * Sums since the server started; a window's figures are differences of two snapshots. null stands for what the server
 * does not tell.
 */
export const snapshotBody = z.object({
  /** CLOCK_MONOTONIC, nanoseconds */
  monotonicNs: z.number(),
  ...eachNullable(counted.shape),
  /** UDP: replies that the kernel did not take at once */
  unsent: count.optional(),
  cpu: z.object({ userUs: z.number(), systemUs: z.number() }),
  /** of what carries the server's host, the process of a virtual machine, counted outside; left out: nothing does */
  carrierCpu: z.object({ userUs: z.number(), systemUs: z.number() }).optional(),
  rssBytes: count,
  peakRssBytes: count,
  counters: counters.nullable(),
  /** histogram of events per wait: element i counts waits that brought [2^(i-1), 2^i) events, element 0 none */
  eventsPerWait: z.array(count).nullable(),
  /** what each of several workers did, of which the figures above are the sums; left out: there is one */
  workers: z
    .array(
      z.object({
        accepted: count,
        /** the listening socket woke it, and another one had the connection */
        emptyAccepts: count,
        /** open now */
        connections: count,
        requests: count,
      }),
    )
    .optional(),
  /** garbage collections and the time they stopped the program for; left out: it has no collector that tells */
  collections: z.object({ count, pauseUs: z.number().nonnegative() }).optional(),
  /** a server of many processes; null for servers of ours, which are one process that accounts for itself */
  tree: z
    .object({
      /** since the start, short-lived ones included; null where the system does not tell */
      processesStarted: count.nullable(),
      processesNow: count,
      /** proportional set size, summed over the processes there now; null where the system does not tell */
      pssBytes: count.nullable(),
      /** most memory that the whole tree held at once; null where the system does not tell */
      peakBytes: count.nullable(),
    })
    .nullable(),
});

export type SnapshotBody = z.infer<typeof snapshotBody>;

const asSnapshot = { event: z.literal('snapshot'), id: z.string() };
const asFarewell = {
  event: z.literal('farewell'),
  wallNs: z.number(),
  reason: z.enum(['signal', 'stop', 'end-of-control', 'error']),
};

export const snapshot = snapshotBody.extend(asSnapshot);
export type Snapshot = z.infer<typeof snapshot>;

export const farewell = snapshotBody.extend(asFarewell);
export type Farewell = z.infer<typeof farewell>;

/** The same of a server of ours. */
export const dispatchSnapshotBody = snapshotBody.extend({ ...counted.shape, tree: z.null() });
export type DispatchSnapshotBody = z.infer<typeof dispatchSnapshotBody>;

export const dispatchSnapshot = dispatchSnapshotBody.extend(asSnapshot);
export type DispatchSnapshot = z.infer<typeof dispatchSnapshot>;

export const dispatchFarewell = dispatchSnapshotBody.extend(asFarewell);
export type DispatchFarewell = z.infer<typeof dispatchFarewell>;
