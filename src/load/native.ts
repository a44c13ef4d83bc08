/** The load part of the addon, and what is the same for every client that opens connections. */
import { lookup } from 'node:dns/promises';
import { addon } from '../addon.js';
import type { BackendName } from '../contract/common.js';
import type { LoadResult } from '../contract/load.js';
import { type HostPort, targetText } from '../options.js';
import type { RawHistogram } from './histogram.js';

export interface DialConfig {
  backend: BackendName;
  host: string;
  port: number;
  sources: string[];
  connections: number;
  connectTimeoutNs: number;
}

export interface LoadConfig extends DialConfig {
  http: boolean;
  size: number;
  hostHeader: string;
  path: string;
  anyBody: boolean;
  /** 0: closed loop */
  rate: number;
  exponential: boolean;
  seed: number;
  pipelining: number;
  warmupNs: number;
  windowNs: number;
  timeoutNs: number;
}

export interface LoadState {
  phase: 'connecting' | 'connected' | 'running' | 'draining' | 'done' | 'failed';
  standing: number;
  replies: number;
  errors: number;
  windowStartNs: number;
  windowEndNs: number;
  errno: string | null;
}

export interface RawResult {
  requests: number;
  replies: number;
  reconnects: number;
  backlogged: number;
  errors: LoadResult['errors'];
  cpuNs: number;
  spinNs: number;
  bytesIn: number;
  bytesOut: number;
  connectNs: number;
  resolutionP50Ns: number;
  resolutionP99Ns: number;
  meanLagFirstHalfNs: number;
  meanLagSecondHalfNs: number;
  latency: RawHistogram;
  uncorrected: RawHistogram;
  sendLag: RawHistogram;
  connect: RawHistogram;
}

export interface IdleState {
  phase: 'connecting' | 'standing' | 'failed';
  standing: number;
  reconnects: number;
  unexpectedBytes: number;
  failures: Record<string, number>;
  elapsedNs: number;
  errno: string | null;
}

export interface LoadExports {
  loadStart(config: LoadConfig): number;
  loadBegin(handle: number): void;
  /** connections stand until then, also after the window */
  loadEnd(handle: number): void;
  loadState(handle: number): LoadState;
  loadResult(handle: number): RawResult;
  loadStop(handle: number): void;
  idleStart(config: DialConfig): number;
  idleState(handle: number): IdleState;
  idleStop(handle: number): void;
}

export const native = (): LoadExports => addon<LoadExports>();

/** @throws Error in one sentence when the name cannot be resolved */
export async function resolveTarget({ host, port }: HostPort): Promise<HostPort> {
  try {
    return { host: (await lookup(host)).address, port };
  } catch (error) {
    throw new Error(`the host '${host}' cannot be resolved (${(error as NodeJS.ErrnoException).code})`);
  }
}

const causes: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there: start the server first, or check address and port',
  EMFILE: 'this process has no descriptor left: raise the limit (ulimit -n), or use fewer connections',
  ENFILE: 'the system has no descriptor left: raise fs.file-max, or use fewer connections',
  EADDRNOTAVAIL: 'no local port is left: widen net.ipv4.ip_local_port_range, or wait until TIME_WAIT is over',
  ETIMEDOUT: 'the server does not take them in time, or drops them',
};

/** Why connections do not stand, and what to do. */
export function connectFailure(
  target: HostPort,
  state: { standing: number; errno: string | null },
  connections: number,
): Error {
  const cause = causes[state.errno ?? ''] ?? 'the connection failed';
  return new Error(
    `${state.standing} of ${connections} connections to ${targetText(target)} stand (${state.errno}): ${cause}`,
  );
}
