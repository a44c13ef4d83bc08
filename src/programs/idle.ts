/** How idle holders are started, wherever they run: as many as the descriptor limit makes necessary. */
import type { Program } from '../hosts/program.js';
import { type HolderShare, planHolders } from '../load/limits.js';
import { type HostPort, targetText } from '../options.js';
import { clientProgram, flag, seconds } from './client.js';

export interface IdleSpec {
  target: HostPort;
  connections: number;
  connectTimeoutS?: number;
  /** CPUs of the holders; empty: wherever the system lets them run */
  cpus?: number[];
}

/** One holder process with all connections; see idlePrograms() for more than a process can hold. */
export function idleProgram(spec: IdleSpec, sources: string[] = []): Program {
  return clientProgram('idle', [
    ...flag('target', targetText(spec.target)),
    ...flag('connections', spec.connections),
    ...sources.flatMap((source) => flag('source', source)),
    ...flag('connect-timeout', seconds(spec.connectTimeoutS)),
    ...flag('cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined),
    '--control',
  ]);
}

/**
 * The holder processes for so many connections; `limits` are those of this machine unless given.
 * @throws Error naming limit, need and cure when ports do not suffice
 */
export function idlePrograms(
  spec: IdleSpec,
  plan: (target: string, connections: number) => HolderShare[] = planHolders,
): (HolderShare & { program: Program })[] {
  return plan(spec.target.host, spec.connections).map((share) => ({
    ...share,
    program: idleProgram({ ...spec, connections: share.connections }, share.sources),
  }));
}
