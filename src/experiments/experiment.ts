/**
 * An experiment: a question, its factors and what one trial does, as data. No process and no socket is touched here;
 * src/run carries a trial out.
 */
import type { z } from 'zod';
import type { BackendName, Implementation, IoMode, Protocol } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import type { CellLevels, Sample } from '../contract/sample.js';

/** A server to be measured. */
export interface ServerSpec {
  protocol: Protocol;
  impl: Implementation;
  backend: BackendName;
  io: IoMode | null;
  /** UDP: consecutive ports it listens on; 1 when left out */
  ports?: number;
}

/** One measured window: a load client of its own, after the windows before it have ended. */
export interface WindowSpec {
  name: string;
  connections: number;
  /** requests per second of an open loop; null: closed loop */
  rate: number | null;
  warmupMs: number;
  durationMs: number;
  /** payload of one request, bytes */
  size: number;
  /**
   * A ramp's step instead of standing connections: connections are started at a rate of `rate` / `calls` per second,
   * `connections` of them in all; each makes `calls` requests and is closed.
   */
  sessions?: { calls: number; timeoutMs: number; sampleMs: number };
  /** requests in flight on one connection; 1 when left out */
  pipelining?: number;
}

export interface TrialSpec {
  server: ServerSpec;
  /** processes of it that idle and active connections are spread over evenly; left out: 1 */
  servers?: number;
  /** connections that stand silent during the windows */
  idle: number;
  /** CPUs of server and client do not sleep during the windows, so that no wake-up of a CPU is measured */
  keepAwake?: boolean;
  windows: WindowSpec[];
}

/** Descriptors of a program that are no connections: standard streams, listener, poller, control channel, Node's own. */
export const reservedDescriptors = 100;

/** What an experiment may know of the machine to choose its cells. */
export interface Machine {
  /** backends that work here, in the order of the registry */
  available: BackendName[];
  /** what Node's own networking uses here */
  nodeBackend: BackendName;
  /** open descriptors a process may have */
  descriptorLimit: number;
}

export interface Experiment<Settings = unknown> {
  id: string;
  /** the question it answers, for the report and --help */
  question: string;
  /** the factor the question is about: what figures are drawn along, even where another one has more levels */
  axis: string;
  /** shape of the settings, complete */
  settings: z.ZodType<Settings>;
  /** complete settings of a built-in profile on this machine */
  profile(name: ProfileName, machine: Machine): Settings;
  /** every combination of factor levels that exists, in a fixed order */
  cells(settings: Settings, machine: Machine): CellLevels[];
  trial(cell: CellLevels, settings: Settings, machine: Machine): TrialSpec;
  /** the figure whose interval decides whether more trials are needed; null when the sample does not have it */
  primary(sample: Sample): number | null;
  /** the figures worth a glance while the run goes on */
  figures(sample: Sample): string;
}
