/** Windows of load on standing connections: what is asked, what stands, and what one window measures. */
import { z } from 'zod';
import { count, type Protocol } from '../contract/common.js';
import { type LoadResult, loadResult } from '../contract/load.js';
import { span } from '../contract/sample.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import type { HostPort } from '../options.js';
import type { LoadSpec } from '../programs/load.js';
import type { Driven, Window } from '../stage/drive.js';
import { mergeLoads, share } from '../stage/merge.js';
import type { Servers } from '../stage/servers.js';
import type { IdleHolders, Stage } from '../stage/stage.js';

/** One measured window: a load client of its own, after the windows before it have ended. */
export interface LoadWindow {
  name: string;
  connections: number;
  /** requests per second of an open loop; null: closed loop */
  rate: number | null;
  warmupMs: number;
  durationMs: number;
  /** payload of one request, bytes */
  size: number;
}

export interface LoadTrial {
  kind: 'load';
  subject: Subject & { protocol: Exclude<Protocol, 'udp-echo'> };
  /** processes of it that idle and active connections are spread over evenly */
  processes: number;
  /** connections that stand silent during the windows */
  idle: number;
  /** HTTP: what is asked for; left out: / */
  path?: string;
  windows: readonly LoadWindow[];
  /** in rotation: rounds of its windows; left out or 0: alone */
  rounds?: number;
}

const idleConnections = z.object({
  asked: count,
  /** at the end of the window, as the client knows */
  standing: count,
  /** before the first window; null: the server does not tell */
  seenByServer: count.nullable(),
  /** broken and opened again since they stood */
  reconnects: count,
});
export type IdleConnections = z.infer<typeof idleConnections>;

export const loadMeasurement = z.object({
  kind: z.literal('load'),
  load: loadResult,
  /** null: none were asked for */
  idle: idleConnections.nullable(),
  /** measured one after another, of which these are the sums */
  windows: count.min(1).default(1),
  /** of those, taken again because a gate made them invalid, and left out */
  retaken: count.default(0),
  /** the open rate that was asked, where the server could not have held it at ease and was offered less; else null */
  askedRate: z.number().positive().nullable().default(null),
  ...span.shape,
});
export type LoadMeasurement = z.infer<typeof loadMeasurement>;

/** Of less than was asked no latency and no cost compares with those of others. */
export const asAsked = ({ askedRate }: Pick<LoadMeasurement, 'askedRate'>): boolean => askedRate === null;

/** Nobody else's connections, and none of an earlier window, while one is measured. */
async function requireCount(servers: Servers, expected: number): Promise<void> {
  const seen = (await servers.count(expected)) ?? expected;
  if (seen !== expected)
    throw new Error(`the server counts ${seen} connections where ${expected} should stand`);
}

/** A foreign server may send what it likes, as long as every reply is whole. */
const clientOf = (
  spec: LoadTrial,
  stage: Stage,
  window: LoadWindow,
  target: HostPort,
  index: number,
): LoadSpec => {
  const connections = share(window.connections, spec.processes, index);
  return {
    protocol: spec.subject.protocol,
    target,
    connections,
    rate: window.rate === null ? null : (window.rate * connections) / window.connections,
    size: window.size,
    warmupS: window.warmupMs / 1000,
    durationS: window.durationMs / 1000,
    anyBody: spec.subject.kind === 'foreign',
    ...(spec.path === undefined ? {} : { path: spec.path }),
    cpus: stage.pinning.client,
  };
};

/** What stands while windows are measured. */
export interface Standing {
  servers: Servers;
  holders: IdleHolders | null;
  /** idle connections as the server counts them; null: none, or it does not tell */
  seenByServer: number | null;
}

/** Starts the server and opens its idle connections. @throws Error in one sentence */
export async function stand({ subject, processes, idle }: LoadTrial, stage: Stage): Promise<Standing> {
  const servers = await stage.serve(subject, { processes });
  const holders = idle > 0 ? await stage.holdIdle(idle, servers.targets) : null;
  return { servers, holders, seenByServer: holders && (await servers.count(idle)) };
}

/** Carries out the loads of one window, one for each process of the server. */
export type Drive = (
  servers: Servers,
  loads: readonly LoadSpec[],
  window: Window,
) => Promise<Driven<Servers>>;

/** @param driven by clients of its own, or by one that stands */
export async function measure(
  spec: LoadTrial,
  stage: Stage,
  { servers, holders, seenByServer }: Standing,
  window: LoadWindow,
  driven: Drive,
): Promise<LoadMeasurement> {
  const idle = holders?.asked ?? 0;
  const loads = servers.targets.map((target, index) => clientOf(spec, stage, window, target, index));
  const { results, span: around } = await driven(servers, loads, {
    ...window,
    standing: () => requireCount(servers, idle + window.connections),
  });
  const lines = results.map((line): LoadResult => validated(loadResult, line, "the client's result"));
  await requireCount(servers, idle);
  const status = holders && (await holders.status());
  return {
    kind: 'load',
    load: mergeLoads(lines),
    idle: status && { asked: idle, seenByServer, ...status },
    windows: 1,
    retaken: 0,
    askedRate: null,
    ...around,
  };
}
