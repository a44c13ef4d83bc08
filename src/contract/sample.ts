/** A sample: what one trial measured, one line of samples.ndjson. Raw enough to rebuild every derived file from it. */
import { z } from 'zod';
import { awake } from './awake.js';
import { backendName, count, executionClass, implementation, ioMode } from './common.js';
import { loadResult } from './load.js';
import { sessionResult } from './ramp.js';
import { hello, snapshotBody } from './server.js';

/** The host a program ran on; follows every figure. */
export const hostFacts = z.object({
  name: z.string(),
  executionClass,
  hypervisor: z.string().nullable(),
  accelerator: z.string().nullable(),
  vcpus: count,
  cpuModel: z.string(),
  memoryBytes: count,
  kernel: z.string(),
  clockSource: z.string(),
  /** smallest step seen between two readings of the monotonic clock, nanoseconds */
  clockStepNs: z.number(),
  congestionControl: z.string().nullable(),
  transport: z.enum(['loopback', 'veth', 'tap', 'user-net']),
});
export type HostFacts = z.infer<typeof hostFacts>;

/**
 * Kernel counters that show overload outside the server, as differences from the moment the idle connections stand to
 * the end of the last window. Setting the idle ones up is left out: its result is verified by count.
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

/**
 * What one CPU did during a window, microseconds, whoever it did it for. Linux counts most of these in ticks of 10 ms:
 * a window of a second tells a share to about one percent of the CPU.
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
});
export type CpuTimes = z.infer<typeof cpuTimes>;

/** One measured window of a trial: the client's view and the server's two snapshots around it. */
export const window = z.object({
  load: loadResult,
  before: snapshotBody,
  after: snapshotBody,
  /** CPUs of server and client; left out where the system does not tell */
  cpus: z.array(cpuTimes).optional(),
  /** a ramp's step as httperf would tell it; `load` says the same in the shape of the other windows */
  session: sessionResult.optional(),
});
export type Window = z.infer<typeof window>;

/** Factor levels by name; the same object for all trials of a cell. */
export const cellLevels = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));

/** ok: measured; failed: server, client or host broke down (error says how); invalid: measured, but a gate says no;
 *  impossible: this machine cannot run the cell (error says why) */
export const sampleStatus = z.enum(['ok', 'failed', 'invalid', 'impossible']);

/** A doubt about a trial: one that invalidates it, or a warning. */
export const gate = z.object({ id: z.string(), invalidates: z.boolean(), message: z.string() });
export type Gate = z.infer<typeof gate>;

export const sample = z.object({
  schemaVersion: z.literal(1),
  experiment: z.string(),
  cell: cellLevels,
  block: count,
  /** position in the run's schedule */
  sequence: count,
  startedAt: z.string(),
  durationMs: z.number(),
  status: sampleStatus,
  /** one sentence for failed and impossible; includes the end of the program's stderr when it died */
  error: z.string().nullable(),
  /** gates that made the trial invalid, and warnings that did not */
  gates: z.array(gate),
  host: hostFacts,
  server: hello.nullable(),
  /** processes that the connections were spread over, measured as one; left out: 1 */
  serverProcesses: count.optional(),
  /** CPUs asked for server and client; shared = they overlap */
  pinning: z.object({ server: z.array(count), client: z.array(count), shared: z.boolean() }),
  /** the server's CPUs, kept from sleeping where the experiment asks for it; the client's are then as well */
  awake: awake.optional(),
  /** 1-minute load average and CPU pressure (some, avg10, percent) before the trial; null where the system has none */
  loadBefore: z.object({ average: z.number(), pressure: z.number().nullable() }),
  /** nanoseconds of a fixed calibration loop before the trial: drift of the machine shows here */
  calibrationNs: z.number(),
  idleConnections: z
    .object({ asked: count, standing: count, seenByServer: count, reconnects: count })
    .nullable(),
  /** measured windows by name: `closed` (peak), `open` (latency at a common rate), ... */
  windows: z.record(z.string(), window),
  network: networkCounters.nullable(),
});
export type Sample = z.infer<typeof sample>;
export type CellLevels = z.infer<typeof cellLevels>;

/**
 * Factors of the experiment `idle-connections`. `idle` connections are established and silent while `connections`
 * others are active. `io` is null for implementations without a Node-API crossing.
 */
export const idleConnectionsCell = z.object({
  backend: backendName,
  impl: implementation,
  io: ioMode.nullable(),
  idle: count,
  connections: count,
});
export type IdleConnectionsCell = z.infer<typeof idleConnectionsCell>;

/**
 * Factors of the experiment `rate-ramp`. `rate` is offered requests per second: connections started per second times
 * `calls` on each.
 */
export const rateRampCell = z.object({
  backend: backendName,
  impl: implementation,
  io: ioMode.nullable(),
  rate: z.number().positive(),
  calls: count,
  connections: count,
});
export type RateRampCell = z.infer<typeof rateRampCell>;

/** Factors of the experiment `udp-ports`. `rate` is datagrams per second over all ports; null is a closed loop. */
export const udpPortsCell = z.object({
  backend: backendName,
  impl: implementation,
  io: ioMode.nullable(),
  ports: count,
  rate: z.number().nullable(),
});
export type UdpPortsCell = z.infer<typeof udpPortsCell>;
