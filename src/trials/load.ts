/**
 * Standing connections under load: idle ones are opened and stand silent, then each window drives active ones, closed
 * loop or by a schedule, while the server is asked for its counters where the window begins and ends.
 */
import { z } from 'zod';
import { count, type Protocol } from '../contract/common.js';
import { type LoadResult, loadResult } from '../contract/load.js';
import { type Gate, span } from '../contract/sample.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import type { HostPort } from '../options.js';
import { loadProgram } from '../programs/load.js';
import { drive } from '../stage/drive.js';
import { mergeLoads, share } from '../stage/merge.js';
import type { Servers } from '../stage/servers.js';
import type { IdleHolders, Stage } from '../stage/stage.js';
import {
  delayedAcks,
  errors,
  invalid,
  nobodysLimit,
  offerOf,
  repeatedConnects,
  saturation,
  zeroLatencies,
} from './gates.js';
import { trialKind } from './kind.js';
import { loadMetrics, servedMetrics } from './served.js';

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
  windows: readonly LoadWindow[];
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
type IdleConnections = z.infer<typeof idleConnections>;

const loadMeasurement = z.object({
  kind: z.literal('load'),
  load: loadResult,
  /** null: none were asked for */
  idle: idleConnections.nullable(),
  ...span.shape,
});
type LoadMeasurement = z.infer<typeof loadMeasurement>;

function idleCount(idle: IdleConnections | null): Gate[] {
  if (!idle) return [];
  const { asked, standing, seenByServer, reconnects } = idle;
  const seen = seenByServer ?? asked;
  return [
    ...(standing !== asked || seen !== asked
      ? [
          invalid(
            'idle-count',
            `${asked} idle connections were asked, ${standing} stand, the server counts ${seen}`,
          ),
        ]
      : []),
    ...(reconnects > 0
      ? [invalid('idle-reconnects', `${reconnects} idle connections broke and were opened again`)]
      : []),
  ];
}

/** Nobody else's connections, and none of an earlier window, while one is measured. */
async function requireCount(servers: Servers, expected: number): Promise<void> {
  const seen = (await servers.count(expected)) ?? expected;
  if (seen !== expected)
    throw new Error(`the server counts ${seen} connections where ${expected} should stand`);
}

/** A foreign server may send what it likes, as long as every reply is whole. */
const clientOf = (spec: LoadTrial, stage: Stage, window: LoadWindow, target: HostPort, index: number) => {
  const connections = share(window.connections, spec.processes, index);
  return loadProgram({
    protocol: spec.subject.protocol,
    target,
    connections,
    rate: window.rate === null ? null : (window.rate * connections) / window.connections,
    size: window.size,
    warmupS: window.warmupMs / 1000,
    durationS: window.durationMs / 1000,
    anyBody: spec.subject.kind === 'foreign',
    cpus: stage.pinning.client,
  });
};

async function measure(
  spec: LoadTrial,
  stage: Stage,
  servers: Servers,
  window: LoadWindow,
  holders: IdleHolders | null,
  seenByServer: number | null,
): Promise<LoadMeasurement> {
  const idle = holders?.asked ?? 0;
  const { results, span: around } = await drive(stage, servers, {
    ...window,
    name: `client of window '${window.name}'`,
    clients: servers.targets.map((target, index) => clientOf(spec, stage, window, target, index)),
    standing: () => requireCount(servers, idle + window.connections),
  });
  const loads = results.map((line): LoadResult => validated(loadResult, line, "the client's result"));
  await requireCount(servers, idle);
  const status = holders && (await holders.status());
  return {
    kind: 'load',
    load: mergeLoads(loads),
    idle: status && { asked: idle, seenByServer, ...status },
    ...around,
  };
}

export const load = trialKind({
  id: 'load',
  measurement: loadMeasurement,
  connects: true,

  needs({ subject, processes, idle, windows }: LoadTrial) {
    const active = Math.max(0, ...windows.map(({ connections }) => connections));
    return {
      backend: subject.kind === 'dispatch' ? subject.backend : null,
      perProcess: Math.ceil((idle + active) / processes),
      what: 'connections',
      connections: idle + active,
      active,
    };
  },

  async carryOut(spec, stage, done) {
    const { subject, processes, idle, windows } = spec;
    const servers = await stage.serve(subject, { processes });
    const holders = idle > 0 ? await stage.holdIdle(idle, servers.targets) : null;
    const seen = holders && (await servers.count(idle));
    if (holders) await stage.settle();
    await stage.watchNetwork();
    for (const window of windows)
      done(window.name, await measure(spec, stage, servers, window, holders, seen));
  },

  gates(name, measurement) {
    const { load: figures, idle } = measurement;
    const { timeout, ...others } = figures.errors;
    return [
      ...errors(name, measurement, {
        open: figures.mode === 'open',
        timeouts: timeout,
        others,
        replies: figures.replies,
      }),
      ...saturation(name, measurement, offerOf(figures)),
      ...(figures.mode === 'closed' ? nobodysLimit(name, measurement, figures.client.busyShare) : []),
      ...delayedAcks(name, figures.latencyUncorrected.histogram),
      ...zeroLatencies(name, figures.latencyUncorrected.histogram),
      ...repeatedConnects(name, figures.connect.histogram),
      ...idleCount(idle),
    ];
  },

  metrics: [
    ...loadMetrics(({ load: figures }: LoadMeasurement) => figures),
    ...servedMetrics(({ load: { replies, client } }: LoadMeasurement) => ({
      replies,
      busyShare: client.busyShare,
    })),
  ],

  served: (measurement) => ({
    span: measurement,
    bytes: measurement.load.bytesIn + measurement.load.bytesOut,
    durationNs: measurement.load.windowNs,
    clientUs: measurement.load.client.cpuUs,
  }),
  distributions: ({ load: { latency, latencyUncorrected, sendLag, connect } }) => ({
    latency,
    latencyUncorrected,
    sendLag,
    connect,
  }),
  durationNs: ({ load: { windowNs } }) => windowNs,
});
