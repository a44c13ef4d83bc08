/** One server under load, for profiling: fresh processes, windows that are told apart by the server's snapshots. */
import type { Hello, Snapshot } from '../contract/server.js';
import { hello, snapshot } from '../contract/server.js';
import type { ServerSpec } from '../experiments/experiment.js';
import type { Command, Host, HostProcess } from '../hosts/host.js';
import type { HostPort } from '../options.js';
import { mismatch } from '../run/servers.js';
import type { ServedWindow } from './overhead.js';

/** The programs of a session; tests put others in their place. */
export interface SessionPrograms {
  server: Command;
  /** as many holders as the descriptor limit makes necessary */
  idle(target: HostPort): Command[];
  load(target: HostPort, durationMs: number): Command;
}

export interface SessionRequest {
  host: Host;
  programs: SessionPrograms;
  /** what the server must say it is */
  asked: { server: ServerSpec; cpus: number[] };
  idleConnections: number;
  /** true: profiled; one window after the other */
  windows: boolean[];
  windowMs: number;
  /** called when the server was started and when it listens, at each edge of a profiled window, and when all windows are over */
  profiler: {
    started(pid: number): void;
    attach(hello: Hello): void;
    on(): Promise<void>;
    off(): Promise<void>;
    detach(): Promise<void>;
  } | null;
}

export interface SessionResult {
  hello: Hello;
  windows: (ServedWindow & { profiled: boolean; fromNs: number; toNs: number })[];
}

/** For a program to start or to answer, far above what a loaded machine needs. */
const answerMs = 20_000;
const graceMs = 5000;

/** @throws Error in one sentence when a program fails; no process is left behind */
export async function runSession(request: SessionRequest): Promise<SessionResult> {
  const { host, programs, profiler } = request;
  const started: HostProcess[] = [];
  const start = (name: string, command: Command): HostProcess => {
    const one = host.spawn(name, command);
    started.push(one);
    return one;
  };
  try {
    const server = start('server', programs.server);
    profiler?.started(server.pid);
    const line = hello.parse(await server.expect('hello', answerMs));
    const different = mismatch(request.asked.server, request.asked.cpus, line);
    if (different) throw new Error(`refused to profile: ${different}`);
    profiler?.attach(line);
    const target = { host: line.address, port: line.port };
    if (request.idleConnections > 0) {
      const holders = programs.idle(target).map((command) => start('idle holder', command));
      for (const holder of holders) await holder.expect('standing', answerMs + 2 * request.idleConnections);
    }
    // Snapshots and the profiler's switching take time between the windows; the load outlasts them.
    const load = start(
      'load client',
      programs.load(target, request.windows.length * (request.windowMs + 2000)),
    );
    await load.expect('connected', answerMs);
    load.send('go');
    await load.expect('window-start', answerMs);
    const result: SessionResult = { hello: line, windows: [] };
    for (const profiled of request.windows) {
      if (profiled) await profiler?.on();
      const before = await snapshotOf(server, `${result.windows.length} begins`);
      await new Promise((resolve) => setTimeout(resolve, request.windowMs));
      const after = await snapshotOf(server, `${result.windows.length} ends`);
      if (profiled) await profiler?.off();
      result.windows.push({ profiled, ...difference(before, after) });
    }
    await profiler?.detach();
    return result;
  } finally {
    for (const one of started.toReversed()) await one.end(graceMs);
  }
}

async function snapshotOf(server: HostProcess, id: string): Promise<Snapshot> {
  server.send(`snapshot ${id}`);
  return snapshot.parse(await server.expect('snapshot', answerMs));
}

function difference(before: Snapshot, after: Snapshot) {
  const cpuUs = ({ cpu }: Snapshot) => cpu.userUs + cpu.systemUs;
  return {
    fromNs: before.monotonicNs,
    toNs: after.monotonicNs,
    durationNs: after.monotonicNs - before.monotonicNs,
    requests: after.requests - before.requests,
    cpuUs: cpuUs(after) - cpuUs(before),
  };
}
