/**
 * A host and what is known of it. The lines of the observer, the small program that runs on a host and tells about it:
 * it answers a line `look`, `counters`, `memory`, `state`, `memory-copy` or `ping` on its stdin with the line of that
 * event, and ends when its stdin does.
 */
import { z } from 'zod';
import { backendName, count, engineName, executionClass, identifier } from './common.js';
import { foundRuntime } from './device.js';
import { foundGateway } from './gateway.js';
import { emulatedLink } from './link.js';

/** The host a program ran on; follows every figure. */
export const hostFacts = z.object({
  name: identifier,
  executionClass,
  hypervisor: z.string().nullable(),
  accelerator: z.string().nullable(),
  vcpus: count,
  cpuModel: z.string(),
  memoryBytes: count,
  /** name and release of the system, as `uname -sr` prints them: 'Linux 6.1.0' */
  kernel: z.string(),
  clockSource: z.string(),
  /** smallest step seen between two readings of the monotonic clock, nanoseconds */
  clockStepNs: z.number(),
  congestionControl: z.string().nullable(),
  /** how the kernel divides CPU time into user and system: at each change of mode, or by what runs at its ticks; null: unknown */
  cpuAccounting: z.enum(['precise', 'ticks']).nullable().default(null),
  /** what lies between server and client */
  transport: z.enum(['loopback', 'veth', 'tap', 'tun', 'user-net', 'network']),
  /** emulated between server and client; left out: none */
  link: emulatedLink.optional(),
});
export type HostFacts = z.infer<typeof hostFacts>;

/** What a host alone cannot know of itself: how the run calls it, and what it is next to the others. */
export const hostIdentity = hostFacts.pick({ name: true, executionClass: true, transport: true, link: true });
export type HostIdentity = z.infer<typeof hostIdentity>;

export const hostEnvironment = z.object({
  os: z.string(),
  arch: z.string(),
  descriptorLimit: z.object({ soft: count, hard: count }),
  ephemeralPorts: z.object({ first: count, last: count }).nullable(),
  /** CPU vulnerabilities and how the kernel mitigates them, by name */
  mitigations: z.record(z.string(), z.string()),
  /** other settings of the system that change what a request costs, by name; empty: recorded before they were read */
  settings: z.record(z.string(), z.string()).default({}),
});
export type HostEnvironment = z.infer<typeof hostEnvironment>;

/** Everything about a host that does not change during a run. */
export const hostLook = z.object({
  event: z.literal('look'),
  facts: hostFacts.omit({ name: true, executionClass: true, transport: true, link: true }),
  environment: hostEnvironment,
  /** hosts with the same one share clock and CPUs; null where the system has none */
  bootId: z.string().nullable(),
  /** CPUs that programs may use, and of each those that share its core, itself included */
  cpus: z.array(z.object({ cpu: count, siblings: z.array(count) })).min(1),
  memoryAvailableBytes: count,
  backends: z.array(
    z.object({
      name: backendName,
      available: z.boolean(),
      /** why not, in words */
      reason: z.string(),
      /** highest descriptor it can watch; -1: as many as the process has */
      maxDescriptor: z.number().int(),
    }),
  ),
  /** completion engines; empty: it tells of none */
  engines: z.array(z.object({ name: engineName, available: z.boolean(), reason: z.string() })).default([]),
  /** what Node's own networking uses there */
  nodeBackend: backendName,
  /** gateways; empty: it tells of none */
  gateways: z.array(foundGateway).default([]),
  /** ways to have the works of a device done; empty: it tells of none */
  runtimes: z.array(foundRuntime).default([]),
  versions: z.record(z.string(), z.string()),
  /** sha256 (hex, first 16 characters) of the addon there */
  addonDigest: z.string(),
});
export type HostLook = z.infer<typeof hostLook>;

/**
 * Kernel counters that show overload outside the server; sums since boot, or the difference over a trial. Setting the
 * idle connections up is left out of a trial's: its result is verified by count.
 */
export const networkCounters = z.object({
  listenOverflows: count,
  listenDrops: count,
  reqQFullDrop: count,
  reqQFullDoCookies: count,
  synRetransmits: count,
  delayedAcks: count,
  udpRcvbufErrors: count,
  udpSndbufErrors: count,
  udpInErrors: count,
});
export type NetworkCounters = z.infer<typeof networkCounters>;

/**
 * What one CPU did, microseconds, whoever it did it for: since boot, or during a window. Linux counts most of these in
 * ticks of 10 ms: a window of a second tells a share to about one percent of the CPU.
 */
export const cpuTimes = z.object({
  cpu: count,
  userUs: count,
  niceUs: count,
  systemUs: count,
  idleUs: count,
  iowaitUs: count,
  /** null: the kernel does not account interrupts apart, their time is in the other states */
  irqUs: count.nullable(),
  softirqUs: count.nullable(),
  stealUs: count,
  /** by the monotonic clock */
  elapsedUs: count.nullable().optional(),
  /** time in sleeping states, which the kernel counts by the microsecond; null: it does not count it */
  sleepUs: count.nullable().optional(),
});
export type CpuTimes = z.infer<typeof cpuTimes>;

/** Sums since boot; null where the system does not tell. */
export const hostCounters = z.object({
  event: z.literal('counters'),
  network: networkCounters.nullable(),
  cpus: z.array(cpuTimes).nullable(),
  /** time in which somebody waited for a CPU, microseconds */
  waitedUs: count.nullable(),
});
export type HostCounters = z.infer<typeof hostCounters>;

/** What memory holds at this moment, whoever it is for, bytes; null where the system does not tell. */
export const memoryUse = z.object({
  /** neither free nor a copy of files */
  usedBytes: count,
  /** what the kernel keeps for itself: its objects, its large tables, the tables of pages */
  kernelBytes: count.nullable(),
  /** pages that hold data of TCP, sent or received */
  tcpBufferPages: count.nullable(),
});
export type MemoryUse = z.infer<typeof memoryUse>;
export const hostMemory = memoryUse.extend({ event: z.literal('memory') });

/** What fixed pieces of work take, each the best of a few: when one changes, the machine did. */
export const calibration = z.object({
  /** arithmetic in one chain: the clock rate of a CPU */
  spinNs: z.number(),
  /** one load of a walk in random order through more memory than the second cache holds; null: no memory for it */
  memoryWalkNs: z.number().nullable(),
  /** a message to and fro over loopback between the CPUs of server and client; null: there is no loopback */
  pingPong: z
    .object({
      roundTripNs: z.number(),
      /** CPU time of both sides for one round trip */
      cpuNs: z.number(),
    })
    .nullable(),
  /**
   * CPU time of arithmetic beside the same on the client's CPU, over that of it alone: 1 on cores of their own. null: there
   * is one CPU, or threads cannot be given theirs
   */
  pairedSpin: z.number().nullable(),
});
export type Calibration = z.infer<typeof calibration>;

/** What a machine is like around a trial. */
export const machineState = z.object({
  calibration,
  /** both clocks at one instant, nanoseconds: they run alike until somebody sets the time */
  clock: z.object({ monotonicNs: z.number(), realtimeNs: z.number() }),
  /** connections that the firewall tracks; null: it tracks none */
  conntrack: z.object({ count, max: count }).nullable(),
  /** periods in which a CPU quota stopped the control group of the programs, since it was made; null: none is told of */
  throttledPeriods: count.nullable(),
});
export type MachineState = z.infer<typeof machineState>;

/** How steady and how busy a host is right now. */
export const hostState = machineState.extend({
  event: z.literal('state'),
  /** 1-minute load average and CPU pressure (some, avg10, percent); null where the system has none */
  load: z.object({ average: z.number(), pressure: z.number().nullable() }),
});
export type HostState = z.infer<typeof hostState>;

/** How fast one thread copies memory on a host: no figure that moves bytes can be beyond it. */
export const memoryCopy = z.object({
  /** bytes copied per second by one thread, the best of `copies`; a byte counts once */
  bytesPerSecond: z.number().positive(),
  copies: count.min(1),
  blockBytes: count.min(1),
  /** where the block fits into it, the rate is the cache's and so only the higher; null: unknown */
  lastLevelCacheBytes: count.nullable(),
});
export type MemoryCopy = z.infer<typeof memoryCopy>;
export const memoryCopyLine = memoryCopy.extend({ event: z.literal('memory-copy') });

/** Instants of the host's CLOCK_MONOTONIC, nanoseconds. */
export const pong = z.object({ event: z.literal('pong'), receivedNs: z.number(), sentNs: z.number() });

export const observerLine = z.discriminatedUnion('event', [
  hostLook,
  hostCounters,
  hostMemory,
  hostState,
  memoryCopyLine,
  pong,
]);
