/** The flame trial: which programs, which profiler, which files. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendName, Implementation, IoMode, Protocol } from '../contract/common.js';
import type { FlameProfile, FlameRecord } from '../contract/flame.js';
import type { ServerSpec } from '../experiments/experiment.js';
import type { Host } from '../hosts/host.js';
import { localLimits } from '../run/environment.js';
import { impossible } from '../run/limits.js';
import { pinning } from '../run/pinning.js';
import { programs } from '../run/programs.js';
import { fileStems } from './figures.js';
import { type NamedProfile, writeFlame } from './output.js';
import { probePerf } from './perf.js';
import { type ProfileRequest, profileWithPerf, profileWithV8 } from './profile.js';

export interface ServerChoice {
  impl: Implementation;
  backend: BackendName;
  /** `ts` servers only */
  io: IoMode;
  protocol: Protocol;
  /** `udp-echo` only */
  ports?: number;
}

export interface FlameOptions extends ServerChoice {
  idle: number;
  connections: number;
  durationMs: number;
  frequencyHz: number;
  /** auto: perf where it may record, else V8's profiler */
  profiler: 'auto' | 'perf' | 'v8';
  /** backend to compare with */
  diff: BackendName | null;
  folder: string;
}

export function specOf({ impl, backend, io, protocol, ports = 1 }: ServerChoice): ServerSpec {
  const spec = { impl, backend, protocol, io: impl === 'ts' ? io : null };
  return protocol === 'udp-echo' ? { ...spec, ports } : spec;
}

/** Bytes of a request, and time before the first window in which V8 compiles what is hot. */
const load = { name: 'profile', rate: null, size: 64, warmupMs: 1000 };

/** @throws Error when the options contradict each other, or this machine cannot hold so many connections or lacks the backend */
function requestOf(options: FlameOptions, host: Host, role: FlameProfile['role']): ProfileRequest {
  const { protocol, ports, connections, idle, durationMs, frequencyHz, folder } = options;
  if (protocol === 'udp-echo' && idle > 0)
    throw new Error('a udp-echo server has no connections that could idle: give it ports (--ports)');
  if (protocol !== 'udp-echo' && ports !== undefined)
    throw new Error(`a ${protocol} server listens on one port: --ports is for udp-echo`);
  const cpus = pinning(host.cpus());
  const server = specOf(options);
  const reason = impossible({ server, idle, windows: [{ ...load, connections, durationMs }] }, localLimits());
  if (reason) throw new Error(reason);
  return {
    host,
    programs: {
      server: programs.server({ ...server, cpus: cpus.server }),
      idle: (target) => programs.idle({ target, connections: idle, cpus: cpus.client }),
      load: (target, duration) =>
        programs.load({ ...load, ...server, target, connections, durationMs: duration, cpus: cpus.client }),
    },
    asked: { server, cpus: cpus.server },
    idleConnections: idle,
    durationMs,
    frequencyHz,
    perfMapFile: join(folder, `${fileStems[role]}.perf.map`),
  };
}

/** `poll, ts batch, 10000 idle` or `poll, native, 5000 ports` */
export function titleOf({ impl, backend, io, idle, protocol, ports = 1 }: FlameOptions): string {
  const detail = impl === 'ts' ? `${impl} ${io}` : impl;
  return `${backend}, ${detail}, ${protocol === 'udp-echo' ? `${ports} ports` : `${idle} idle`}`;
}

/**
 * @param say progress, one line at a time
 * @throws Error with one sentence when nothing can be profiled
 */
export async function runFlame(
  options: FlameOptions,
  host: Host,
  say: (line: string) => void,
): Promise<FlameRecord> {
  const startedAt = new Date().toISOString();
  const support = options.profiler === 'v8' ? "V8's profiler was asked for" : probePerf();
  if (typeof support === 'string' && options.profiler === 'perf') throw new Error(support);
  const roles: FlameProfile['role'][] = options.diff === null ? ['profile'] : ['profile', 'base'];
  const asked = roles.map((role) => (role === 'base' ? { ...options, backend: options.diff! } : options));
  const requests = asked.map((one, index) => requestOf(one, host, roles[index]!));
  mkdirSync(options.folder, { recursive: true });
  const named: NamedProfile[] = [];
  for (const [index, request] of requests.entries()) {
    const title = titleOf(asked[index]!);
    say(
      `${title}: ${typeof support === 'string' ? "V8's profiler" : 'perf'}, ${options.durationMs / 1000} s profiled ...`,
    );
    const profile =
      typeof support === 'string'
        ? await profileWithV8(request, support)
        : await profileWithPerf(request, support);
    const { idle, connections } = options;
    named.push({
      role: roles[index]!,
      title,
      idleConnections: idle,
      activeConnections: connections,
      profile,
    });
  }
  return writeFlame(options.folder, host.facts(), startedAt, named);
}
