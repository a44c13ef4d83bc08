/** How a load client is started, wherever it runs. */
import type { Protocol } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { type HostPort, targetText } from '../options.js';
import { clientProgram, flag, seconds } from './client.js';

export interface LoadSpec {
  protocol: Protocol;
  target: HostPort;
  connections: number;
  /** requests per second; null: closed loop */
  rate: number | null;
  durationS: number;
  warmupS: number;
  timeoutS?: number;
  connectTimeoutS?: number;
  size?: number;
  pipelining?: number | undefined;
  /** udp-echo: consecutive ports from the target's on, and which is next */
  ports?: number | undefined;
  portOrder?: 'random' | 'round-robin' | 'zipf' | undefined;
  arrival?: 'fixed' | 'exponential';
  seed?: number;
  path?: string;
  anyBody?: boolean;
  /** CPUs of the client; empty: wherever the system lets it run */
  cpus?: number[];
  /** stdin is the control channel (default) */
  control?: boolean;
}

/** A client that carries out one load after another; each is asked by the line of `standingLoad`. */
export const standingLoadProgram = (cpus: readonly number[]): Program =>
  clientProgram('loads', flag('cpu', cpus.length > 0 ? cpus.join(',') : undefined));

/** What a standing client is sent for one load; it then prints the lines of a client of its own. */
export const standingLoad = (spec: LoadSpec): string => JSON.stringify(loadArguments(spec));

export const loadProgram = (spec: LoadSpec): Program => clientProgram('load', loadArguments(spec));

function loadArguments(spec: LoadSpec): string[] {
  return [
    ...flag('protocol', spec.protocol),
    ...flag('target', targetText(spec.target)),
    ...flag('connections', spec.connections),
    ...(spec.rate === null ? ['--closed'] : flag('rate', spec.rate)),
    ...flag('duration', seconds(spec.durationS)),
    ...flag('warmup', seconds(spec.warmupS)),
    ...flag('timeout', seconds(spec.timeoutS)),
    ...flag('connect-timeout', seconds(spec.connectTimeoutS)),
    ...flag('size', spec.size),
    ...flag('pipelining', spec.pipelining),
    ...flag('ports', spec.ports),
    ...flag('port-order', spec.portOrder),
    ...flag('arrival', spec.arrival),
    ...flag('seed', spec.seed),
    ...flag('path', spec.path),
    ...(spec.anyBody ? ['--any-body'] : []),
    ...flag('cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined),
    ...(spec.control === false ? [] : ['--control']),
  ];
}
