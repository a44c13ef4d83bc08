/** The flame trial: which programs, which profiler, which files. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendName, Implementation, IoMode } from '../contract/common.js';
import type { FlameRecord } from '../contract/flame.js';
import type { Host } from '../hosts/host.js';
import { idleCommands } from '../programs/idle.js';
import { loadCommand } from '../programs/load.js';
import { serverCommand } from '../programs/server.js';
import { fileStems } from './figures.js';
import { type NamedProfile, writeFlame } from './output.js';
import { probePerf } from './perf.js';
import { type ProfileRequest, profileWithPerf, profileWithV8 } from './profile.js';
import type { SessionPrograms } from './session.js';

export interface ServerChoice {
  impl: Implementation;
  backend: BackendName;
  /** `ts` servers only */
  io: IoMode;
  protocol: 'tcp-echo' | 'http';
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

/** CPUs apart where there are two: the graph is of the server, not of the load pressing it off its CPU. */
function cpusOf(host: Host): { server: number[]; client: number[] } {
  const cpus = host.cpus();
  return { server: cpus.slice(-1), client: cpus.length > 1 ? cpus.slice(0, -1) : cpus };
}

export function serverOf({ impl, backend, io, protocol }: ServerChoice, host: Host) {
  return serverCommand({
    impl,
    backend,
    protocol,
    io: impl === 'ts' ? io : undefined,
    cpus: cpusOf(host).server,
    control: true,
  });
}

function programsOf(options: FlameOptions, host: Host): SessionPrograms {
  const { protocol, connections, idle } = options;
  const cpus = cpusOf(host).client;
  return {
    server: serverOf(options, host),
    idle: (target) => idleCommands({ target, connections: idle, cpus }).map(({ command }) => command),
    load: (target, durationMs) =>
      loadCommand({
        protocol,
        target,
        connections,
        rate: null,
        durationS: durationMs / 1000,
        warmupS: 1,
        cpus,
      }),
  };
}

/** `poll, ts batch, 10000 idle` */
export function titleOf({ impl, backend, io, idle }: FlameOptions): string {
  const detail = impl === 'ts' ? `${impl} ${io}` : impl;
  return `${backend}, ${detail}, ${idle} idle`;
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
  mkdirSync(options.folder, { recursive: true });
  const named: NamedProfile[] = [];
  for (const role of ['profile', 'base'] as const) {
    const asked = role === 'profile' ? options : { ...options, backend: options.diff ?? options.backend };
    if (role === 'base' && options.diff === null) break;
    const title = titleOf(asked);
    say(
      `${title}: ${typeof support === 'string' ? "V8's profiler" : 'perf'}, ${options.durationMs / 1000} s profiled ...`,
    );
    const request: ProfileRequest = {
      host,
      programs: programsOf(asked, host),
      idleConnections: asked.idle,
      durationMs: asked.durationMs,
      frequencyHz: asked.frequencyHz,
      perfMapFile: join(asked.folder, `${fileStems[role]}.perf.map`),
    };
    const profile =
      typeof support === 'string'
        ? await profileWithV8(request, support)
        : await profileWithPerf(request, support);
    named.push({ role, title, idleConnections: asked.idle, activeConnections: asked.connections, profile });
  }
  return writeFlame(options.folder, host.facts(), startedAt, named);
}
