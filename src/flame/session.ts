/** One server under load, for profiling: fresh processes, windows that are told apart by the server's snapshots. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Hello, SnapshotBody } from '../contract/server.js';
import type { Subject } from '../contract/subject.js';
import type { Command, Program } from '../hosts/program.js';
import type { HostPort } from '../options.js';
import { onStage, type Site } from '../stage/on-stage.js';
import { answerMs } from '../stage/patience.js';
import type { ServedWindow } from './overhead.js';

/** A profiler that is switched on and off while the server runs. */
export interface WindowProfiler {
  /** the server was started */
  started(pid: number): void;
  /** it listens */
  attach(hello: Hello): void;
  /** edges of a profiled window */
  on(): Promise<void>;
  off(): Promise<void>;
  /** all windows are over */
  detach(): Promise<void>;
}

export interface ServedRequest {
  site: Site;
  subject: Subject;
  idleConnections: number;
  /** the load client, closed loop, for so many milliseconds */
  load(target: HostPort, cpus: readonly number[], durationMs: number): Program;
  /** how the server has to be started for its profiler; left out: as always */
  adapt?(command: Command): Command;
  /** true: profiled; one window after the other */
  windows: boolean[];
  windowMs: number;
  profiler: WindowProfiler | null;
}

export interface ProfiledWindow extends ServedWindow {
  profiled: boolean;
  /** edges on the clock of the server's host */
  fromNs: number;
  toNs: number;
}

export interface Served {
  hello: Hello;
  /** how the server was started */
  command: Command;
  windows: ProfiledWindow[];
}

/** Snapshots and the profiler's switching take time between the windows; the load outlasts them, milliseconds. */
const betweenMs = 2000;

/** @throws Error in one sentence when a program fails; no process is left behind */
export const serveWindows = ({ site, profiler, ...request }: ServedRequest): Promise<Served> =>
  onStage(site, async (stage) => {
    let command: Command | null = null;
    const servers = await stage.serve(request.subject, {
      adapt(plain) {
        command = request.adapt?.(plain) ?? plain;
        return command;
      },
      started: ({ pid }) => profiler?.started(pid),
    });
    const [hello] = servers.hellos as [Hello];
    profiler?.attach(hello);
    const [target] = servers.targets as [HostPort];
    if (request.idleConnections > 0) await stage.holdIdle(request.idleConnections, [target]);
    const lastsMs = request.windows.length * (request.windowMs + betweenMs);
    const load = stage.client('load client', request.load(target, stage.pinning.client, lastsMs));
    await load.expect('connected', answerMs);
    load.send('go');
    await load.expect('window-start', answerMs);
    const windows: ProfiledWindow[] = [];
    for (const profiled of request.windows) {
      if (profiled) await profiler?.on();
      const before = await servers.snapshot();
      await pause(request.windowMs, undefined, { signal: stage.signal });
      const after = await servers.snapshot();
      if (profiled) await profiler?.off();
      windows.push({ profiled, ...difference(before, after) });
    }
    await profiler?.detach();
    return { hello, command: command!, windows };
  });

function difference(before: SnapshotBody, after: SnapshotBody) {
  const cpuUs = ({ cpu }: SnapshotBody) => cpu.userUs + cpu.systemUs;
  return {
    fromNs: before.monotonicNs,
    toNs: after.monotonicNs,
    durationNs: after.monotonicNs - before.monotonicNs,
    requests: (after.requests ?? 0) - (before.requests ?? 0),
    cpuUs: cpuUs(after) - cpuUs(before),
  };
}
