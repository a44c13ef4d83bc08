/** The flame trial: which programs, which profiler, which files. */
import { join } from 'node:path';
import type { BackendName, Implementation, IoMode, Protocol } from '../contract/common.js';
import type { FlameProfile, FlameRecord } from '../contract/flame.js';
import type { DispatchSubject, Subject } from '../contract/subject.js';
import { usableFolder } from '../files.js';
import type { Host } from '../hosts/host.js';
import { ownBootId } from '../hosts/linux-facts.js';
import { loadProgram } from '../programs/load.js';
import { impossible, ofSubject } from '../stage/limits.js';
import type { Site } from '../stage/on-stage.js';
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

/** Who is profiled, and how graphs call it. */
export interface Profiled {
  subject: Subject;
  title: string;
}

export interface FlameOptions {
  profile: Profiled;
  /** whom to compare with; null: nobody */
  base: Profiled | null;
  idle: number;
  connections: number;
  durationMs: number;
  /** before the first window, in which V8 compiles what is hot; a second when left out */
  warmupMs?: number;
  frequencyHz: number;
  /** auto: perf where it may record, else V8's profiler */
  profiler: 'auto' | 'perf' | 'v8';
  folder: string;
}

export function subjectOf({ impl, backend, io, protocol, ports = 1 }: ServerChoice): DispatchSubject {
  const subject = { kind: 'dispatch', impl, backend, protocol, io: impl === 'ts' ? io : null } as const;
  return protocol === 'udp-echo' ? { ...subject, ports } : subject;
}

/** Bytes of a request. */
const load = { rate: null, size: 64 };

/** @throws Error when the options contradict each other, or the host cannot hold so many connections or lacks the server */
function requestOf(
  subject: Subject,
  options: FlameOptions,
  site: Site,
  role: FlameProfile['role'],
): ProfileRequest {
  const { connections, idle, durationMs, warmupMs = 1000, frequencyHz, folder } = options;
  const { protocol, ports = 1 } = subject;
  const datagrams = protocol === 'udp-echo';
  if (datagrams && idle > 0)
    throw new Error('a udp-echo server has no connections that could idle: give it ports (--ports)');
  const standing = datagrams ? 0 : idle + connections;
  const reason = impossible(
    {
      ...ofSubject(subject),
      perProcess: datagrams ? ports : standing,
      what: datagrams ? 'ports' : 'connections',
      connections: standing,
      active: datagrams ? 0 : connections,
    },
    { server: site.roles.server.look, client: site.roles.client.look },
  );
  if (reason) throw new Error(reason);
  return {
    site,
    subject,
    idleConnections: idle,
    load: (target, cpus, durationMs) =>
      loadProgram({
        ...load,
        warmupS: warmupMs / 1000,
        protocol,
        ...(subject.ports === undefined ? {} : { ports }),
        ...(subject.kind === 'foreign' ? { anyBody: true } : {}),
        target,
        connections,
        durationS: durationMs / 1000,
        cpus: [...cpus],
      }),
    durationMs,
    frequencyHz,
    perfMapFile: join(folder, `${fileStems[role]}.perf.map`),
  };
}

/** Profilers attach to a process by its id and leave files beside it: on this machine, in whatever namespace. */
export function requireReachable({ name, look }: Host): void {
  if (look.bootId !== ownBootId())
    throw new Error(
      `profiles are not available on host '${name}': profilers attach to processes of this machine`,
    );
}

/** One of our servers: `poll, ts batch, 10000 idle` or `poll, native, 5000 ports`. @throws Error in one sentence */
export function ourServer(choice: ServerChoice, idle: number): Profiled {
  const { impl, backend, io, protocol, ports } = choice;
  if (protocol !== 'udp-echo' && ports !== undefined)
    throw new Error(`a ${protocol} server listens on one port: --ports is for udp-echo`);
  const detail = impl === 'ts' ? `${impl} ${io}` : impl;
  const title = `${backend}, ${detail}, ${protocol === 'udp-echo' ? `${ports ?? 1} ports` : `${idle} idle`}`;
  return { subject: subjectOf(choice), title };
}

/**
 * @param say progress, one line at a time
 * @throws Error with one sentence when nothing can be profiled
 */
export async function runFlame(
  options: FlameOptions,
  site: Site,
  say: (line: string) => void,
): Promise<FlameRecord> {
  requireReachable(site.roles.server);
  const startedAt = new Date().toISOString();
  const support = options.profiler === 'v8' ? "V8's profiler was asked for" : probePerf();
  if (typeof support === 'string' && options.profiler === 'perf') throw new Error(support);
  const asked = (['profile', 'base'] as const).flatMap((role) => {
    const server = options[role];
    return server
      ? [{ role, title: server.title, request: requestOf(server.subject, options, site, role) }]
      : [];
  });
  usableFolder(options.folder);
  const named: NamedProfile[] = [];
  for (const { role, title, request } of asked) {
    say(
      `${title}: ${typeof support === 'string' ? "V8's profiler" : 'perf'}, ${options.durationMs / 1000} s profiled ...`,
    );
    const profile =
      typeof support === 'string'
        ? await profileWithV8(request, support)
        : await profileWithPerf(request, support);
    const { idle, connections } = options;
    named.push({
      role,
      title,
      idleConnections: idle,
      activeConnections: connections,
      profile,
    });
  }
  return writeFlame(options.folder, site.roles.server.facts, startedAt, named);
}
