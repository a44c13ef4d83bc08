/**
 * What every check of the self-test is: it drives a server whose behaviour is known with the same clients that every
 * measurement uses, and says what is true and what was reported.
 */
import { type DatagramResult, datagramResult } from '../contract/dgram.js';
import { type LoadResult, loadResult } from '../contract/load.js';
import { validated } from '../contract/validated.js';
import type { HostPort } from '../options.js';
import { type LoadSpec, loadProgram } from '../programs/load.js';
import { drive } from '../stage/drive.js';
import { share } from '../stage/merge.js';
import type { Site } from '../stage/on-stage.js';
import type { Stage } from '../stage/stage.js';
import type { Row } from './row.js';

export interface Effort {
  /** seconds of load in a check */
  seconds: number;
  /** trials on either side of a comparison: at least, and at most when the machine is unsteady */
  trials: readonly [number, number];
  /** what a deliberately slower server costs more, as a share of the CPU of a request */
  slowdown: number;
}

export const efforts = {
  quick: { seconds: 2, trials: [6, 12], slowdown: 0.5 },
  full: { seconds: 10, trials: [40, 120], slowdown: 0.02 },
} as const satisfies Record<string, Effort>;

export interface Check {
  name: string;
  /** it repeats itself as often as it needs; trying again would tell no more */
  once?: boolean;
  /** @param site the hosts that known-answer server and client run on */
  run(effort: Effort, site: Site): Promise<Row[]>;
}

/** The load client for HTTP against a known-answer server. */
export async function driveLoad(
  stage: Stage,
  target: HostPort,
  spec: Omit<LoadSpec, 'protocol' | 'target'>,
): Promise<LoadResult> {
  const line = await driveOne(stage, { ...spec, protocol: 'http', target });
  return validated(loadResult, line, "the load client's result");
}

/** The same by several clients at once, which share its connections. @returns the result of each */
export async function driveLoads(
  stage: Stage,
  target: HostPort,
  spec: Omit<LoadSpec, 'protocol' | 'target'>,
  clients: number,
): Promise<LoadResult[]> {
  const lines = await driveAll(
    stage,
    Array.from({ length: clients }, (_, index) => ({
      ...spec,
      protocol: 'http' as const,
      target,
      connections: share(spec.connections, clients, index),
    })),
  );
  return lines.map((line) => validated(loadResult, line, "the load client's result"));
}

/** The same for datagrams. */
export async function driveDatagrams(
  stage: Stage,
  target: HostPort,
  spec: Omit<LoadSpec, 'protocol' | 'target'>,
): Promise<DatagramResult> {
  const line = await driveOne(stage, { ...spec, protocol: 'udp-echo', target });
  return validated(datagramResult, line, "the load client's result");
}

const driveOne = async (stage: Stage, spec: LoadSpec): Promise<unknown> => (await driveAll(stage, [spec]))[0];

/** @param specs that begin and end together */
async function driveAll(stage: Stage, specs: readonly LoadSpec[]): Promise<unknown[]> {
  const [first] = specs as [LoadSpec];
  const { results } = await drive(stage, null, {
    name: 'the load client',
    clients: specs.map(loadProgram),
    connections: specs.reduce((sum, { connections }) => sum + connections, 0),
    warmupMs: 1000 * first.warmupS,
    durationMs: 1000 * first.durationS,
    timeoutMs: 1000 * (first.timeoutS ?? 5),
  });
  return results;
}

/** Time on the wire and in two event loops, which the server cannot see. */
export const TRANSPORT_NS = 500_000;
