/**
 * A sample: what one trial measured, one line of samples.ndjson, raw enough to rebuild every derived file from it. Here
 * is what all samples have; the measurements are a union over the kinds of trials, see src/trials/sample.ts.
 */
import { z } from 'zod';
import { awake } from './awake.js';
import { count, identifier } from './common.js';
import { cpuTimes, hostFacts, machineState, networkCounters } from './host.js';
import { linkReport } from './link.js';
import { hello, snapshotBody } from './server.js';

/** Version of run.json and samples.ndjson; a reader refuses others. */
export const SCHEMA_VERSION = 2;

export { identifier };

/** A level in words may be several: 'all active'. */
const words = z
  .string()
  .regex(/^[A-Za-z0-9][\w. -]{0,99}$/, 'must be words of letters, digits, . _ -, with blanks between them');

/** Factor levels by name; the same object for all trials of a cell. */
export const cellLevels = z.record(
  identifier,
  z.union([words, z.number().nonnegative().max(1e12), z.null()]),
);
export type CellLevels = z.infer<typeof cellLevels>;

/** Text identity of a combination of factor levels, independent of the order they were written in. */
export function levelsKey(levels: CellLevels): string {
  return Object.keys(levels)
    .sort()
    .map((name) => `${name}=${levels[name]}`)
    .join(' ');
}

/** ok: measured; failed: server, client or host broke down (error says how); invalid: measured, but a gate says no;
 *  impossible: this machine cannot run the cell (error says why) */
export const sampleStatus = z.enum(['ok', 'failed', 'invalid', 'impossible']);
export type SampleStatus = z.infer<typeof sampleStatus>;

/** A doubt about a trial: one that invalidates it, or a warning. */
export const gate = z.object({ id: z.string(), invalidates: z.boolean(), message: z.string() });
export type Gate = z.infer<typeof gate>;

/**
 * What the server and the CPUs counted around a measurement: two snapshots and what happened on the CPUs of either side
 * between them (null where the system does not tell).
 */
export const span = z.object({
  before: snapshotBody,
  after: snapshotBody,
  cpus: z.object({ server: z.array(cpuTimes), client: z.array(cpuTimes) }).nullable(),
  /** microseconds in which somebody on the server's host waited for a CPU; null: not told, left out: not recorded */
  waitedUs: count.nullable().optional(),
  /** CPU time of the program that emulates the link, and where it was spent; left out: there is none */
  link: z.object({ cpus: z.array(count), cpuUs: count }).optional(),
});
export type Span = z.infer<typeof span>;

/** CPUs asked for either side; shared: both use one CPU; siblings: two CPUs of one core. */
export const pinning = z.object({
  server: z.array(count),
  client: z.array(count),
  shared: z.boolean(),
  siblings: z.boolean(),
});
export type Pinning = z.infer<typeof pinning>;

/** Kernel counters of server's and client's network; client null: both are one. */
const networkChange = z.object({ server: networkCounters, client: networkCounters.nullable() });
export type NetworkChange = z.infer<typeof networkChange>;

/** All of a sample but its measurements. */
export const envelope = z.object({
  schemaVersion: z.literal(SCHEMA_VERSION),
  experiment: identifier,
  cell: cellLevels,
  block: count,
  /** position in the run's schedule */
  sequence: count,
  startedAt: z.string(),
  durationMs: z.number().nonnegative().max(8.64e9),
  status: sampleStatus,
  /** one sentence for failed and impossible; includes the end of the program's stderr when it died */
  error: z.string().nullable(),
  /** gates that made the trial invalid, and warnings that did not */
  gates: z.array(gate),
  /** where the server ran: the host that a figure belongs to */
  host: hostFacts,
  /** where its client ran */
  clientHost: hostFacts,
  /** null: the trial has no server, or it never listened */
  server: hello.nullable(),
  /** processes of the server that the connections were spread over, measured as one */
  serverProcesses: count,
  pinning,
  /** the server's CPUs, kept from sleeping; the client's are then as well. null: nobody asked for it */
  awake: awake.nullable(),
  /** 1-minute load average and CPU pressure (some, avg10, percent) before the trial; null where the system has none */
  loadBefore: z.object({ average: z.number(), pressure: z.number().nullable() }),
  /** nanoseconds of a fixed calibration loop before the trial: drift of the machine shows here */
  calibrationNs: z.number(),
  /** the server's host around the trial; after null: it was not finished. null: recorded before it was looked at */
  machine: z.object({ before: machineState, after: machineState.nullable() }).nullable().default(null),
  /** null: the system has none */
  network: networkChange.nullable(),
  /** what the emulated link did during the whole of the trial, its preparations included; left out: there is none */
  link: linkReport.optional(),
});
