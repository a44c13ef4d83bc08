/** Drives the native session engine through one step, and its raw figures as a SessionResult. */

import { setTimeout as sleep } from 'node:timers/promises';
import { addon } from '../addon.js';
import type { BackendName } from '../contract/common.js';
import type { Failures, SessionDetail, SessionResult, SessionSpec } from '../contract/ramp.js';
import { clientBackend } from '../dispatch/registry.js';
import { latencyOf, type RawHistogram } from '../load/histogram.js';
import { connectionsPerProcess } from '../load/limits.js';
import { resolveTarget } from '../load/native.js';
import { counted } from '../number.js';
import { mergeResults } from './merge.js';
import { replyRate } from './reply-rate.js';
import { splitLoad } from './split.js';

interface SessionConfig {
  backend: BackendName;
  host: string;
  port: number;
  hostHeader: string;
  path: string;
  rate: number;
  exponential: boolean;
  seed: number;
  offsetNs: number;
  connections: number;
  calls: number;
  timeoutNs: number;
  sampleNs: number;
  /** open at one time at most */
  concurrent: number;
}

interface RawSession {
  dueAtNs: number;
  startedAtNs: number;
  endedAtNs: number;
  connections: number;
  requests: number;
  replies: number;
  bytesIn: number;
  bytesOut: number;
  mostOpen: number;
  status: SessionResult['status'];
  failures: Failures;
  samples: number[];
  cpuNs: number;
  spinNs: number;
  connect: RawHistogram;
  response: RawHistogram;
  transfer: RawHistogram;
  startLag: RawHistogram;
}

interface SessionExports {
  sessionStart(config: SessionConfig): number;
  sessionBegin(handle: number, atNs: number): void;
  sessionState(handle: number): {
    phase: 'preparing' | 'ready' | 'running' | 'done' | 'failed';
    errno: string | null;
  };
  sessionResult(handle: number): RawSession;
  sessionStop(handle: number): void;
}

const READY_POLL_MS = 2;
/** The main thread shares its CPU with the load thread where both are pinned. */
const END_POLL_MS = 10;

export interface SessionObserver {
  /** Called once the engine is ready; resolves with the instant to start at (CLOCK_MONOTONIC, nanoseconds). */
  begin(): Promise<number>;
  /** Called when the last connection has ended, before the result is put together. */
  ended?(): void;
}

/**
 * Several threads share the load as several clients would.
 * @throws Error in one sentence when the host is unknown or the engine breaks down
 */
export async function runSession(
  spec: SessionSpec,
  observer: SessionObserver,
  threads = 1,
): Promise<SessionResult> {
  const native = addon<SessionExports>();
  const { host, port } = await resolveTarget(spec);
  const parts =
    threads === 1 ? [spec] : splitLoad(spec, Array<number>(threads).fill(1)).filter((part) => part !== null);
  const handles: number[] = [];
  const until = async (pollMs: number, phase: 'ready' | 'done'): Promise<void> => {
    for (;;) {
      const states = handles.map((handle) => native.sessionState(handle));
      const broken = states.find((state) => state.phase === 'failed');
      if (broken) throw new Error(`the load thread broke down (${broken.errno ?? 'stopped'})`);
      if (states.every((state) => state.phase === phase)) return;
      await sleep(pollMs);
    }
  };
  try {
    for (const part of parts)
      handles.push(
        native.sessionStart({
          backend: clientBackend,
          host,
          port,
          hostHeader: `${spec.host.includes(':') ? `[${spec.host}]` : spec.host}:${spec.port}`,
          path: spec.uri,
          rate: part.rate,
          exponential: spec.arrival === 'exponential',
          // The same in every step, so that steps differ in their rate alone.
          seed: part.part?.seed ?? 1,
          offsetNs: Math.round(part.part?.offsetNs ?? 0),
          connections: part.connections,
          calls: spec.calls,
          timeoutNs: spec.timeoutMs * 1e6,
          sampleNs: spec.sampleMs * 1e6,
          concurrent: Math.min(
            part.connections,
            Math.max(1, Math.floor(connectionsPerProcess() / parts.length)),
            1 << 20,
          ),
        }),
      );
    await until(READY_POLL_MS, 'ready');
    const startNs = await observer.begin();
    const before = process.cpuUsage();
    for (const handle of handles) native.sessionBegin(handle, startNs);
    await until(END_POLL_MS, 'done');
    observer.ended?.();
    const { user, system } = process.cpuUsage(before);
    const results = parts.map((part, index) => sessionResultOf(part, native.sessionResult(handles[index]!)));
    return { ...mergeResults(results), cpu: { userS: user / 1e6, systemS: system / 1e6 } };
  } finally {
    for (const handle of handles) native.sessionStop(handle);
  }
}

/** Without the CPU time, which is known of the whole process only. */
function sessionResultOf(spec: SessionSpec, raw: RawSession): SessionResult {
  const durationNs = raw.endedAtNs - raw.dueAtNs;
  const response = latencyOf(raw.response);
  const connect = latencyOf(raw.connect);
  const startLag = latencyOf(raw.startLag);
  // The last sample is not whole; one without a reply is a sample, too.
  const whole = Math.floor(durationNs / (spec.sampleMs * 1e6));
  const replySamples = Array.from({ length: whole }, (_, sample) => raw.samples[sample] ?? 0);
  const busyShare = Math.max(0, (raw.cpuNs - raw.spinNs) / durationNs);
  return {
    event: 'result',
    client: 'native',
    connections: raw.connections,
    requests: raw.requests,
    replies: raw.replies,
    durationS: durationNs / 1e9,
    maxConcurrent: raw.mostOpen,
    connectMs: connect.mean / 1e6,
    responseMs: response.mean / 1e6,
    transferMs: latencyOf(raw.transfer).mean / 1e6,
    replyRate: replyRate(replySamples, spec.sampleMs / 1000),
    status: raw.status,
    netKBps: (raw.bytesIn + raw.bytesOut) / 1024 / (durationNs / 1e9),
    failures: raw.failures,
    cpu: { userS: 0, systemS: 0 },
    detail: {
      response,
      connect,
      startLag,
      replySamples,
      startedAtNs: raw.startedAtNs,
      dueAtNs: raw.dueAtNs,
      busyShare,
      spinShare: raw.spinNs / durationNs,
      bytesIn: raw.bytesIn,
      bytesOut: raw.bytesOut,
      saturation: saturation(spec, raw.failures, busyShare, startLag),
    },
  };
}

const BUSY_LIMIT = 0.85;
const LAG_LIMIT_NS = 5e6;

/** Why the step may show the client's limit. Starts wait for nothing but the client, so any lag is its own. */
export function saturation(
  spec: Pick<SessionSpec, 'rate'>,
  failures: Failures,
  busyShare: number,
  startLag: SessionDetail['startLag'],
): string[] {
  const reasons: string[] = [];
  if (busyShare > BUSY_LIMIT)
    reasons.push(`the load thread was busy ${(100 * busyShare).toFixed(0)} % of the step`);
  if (startLag.p99 > Math.max(LAG_LIMIT_NS, 1e9 / spec.rate))
    reasons.push(`connections started ${(startLag.p99 / 1e6).toFixed(1)} ms late (99th percentile)`);
  const short = {
    'fd-unavail': 'descriptors: raise the limit (ulimit -n)',
    addrunavail: 'local ports: widen net.ipv4.ip_local_port_range, or use more clients',
    'ftab-full': 'file table entries: raise fs.file-max',
  } as const;
  for (const [kind, what] of Object.entries(short)) {
    const count = failures[kind as keyof typeof short];
    if (count > 0) reasons.push(`${counted(count, 'connection')} found no ${what}`);
  }
  return reasons;
}
