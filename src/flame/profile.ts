/**
 * Profiles one server: with perf where it may record, else with V8's own profiler, which knows JavaScript only.
 * Always a trial of its own; its figures never mix with measured ones.
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot, programPath } from '../addon.js';
import type { Hello } from '../contract/server.js';
import type { Command } from '../hosts/program.js';
import { parseCpuProfile } from './cpuprofile.js';
import { type WindowPair, windowOrder } from './overhead.js';
import { PerfRecording, type PerfSupport, perfMapPath, perfNodeOptions } from './perf.js';
import { parsePerfScript } from './perf-script.js';
import { type ProfiledWindow, type Served, type ServedRequest, serveWindows } from './session.js';
import type { WeightUnit } from './speedscope.js';
import { mergeStacks, type Stack } from './stacks.js';

export type ProfileRequest = Omit<ServedRequest, 'adapt' | 'windows' | 'windowMs' | 'profiler'> & {
  /** profiled time, ms; as much again is served without the profiler to know what it costs */
  durationMs: number;
  frequencyHz: number;
  /** where the names of JavaScript functions that perf used are kept */
  perfMapFile: string;
};

export interface Profile {
  profiler: 'perf' | 'v8';
  /** null: no server (src/flame/cost.ts) */
  hello: Hello | null;
  command: string[];
  events: string[];
  frequencyHz: number;
  samples: number;
  unit: WeightUnit;
  stacks: Stack[];
  pairs: WindowPair[];
  scope: string;
  notes: string[];
  perfMap: string | null;
}

/** Windows of about a second, at least five of each kind: fewer pairs say little about the overhead. */
function pairsFor(durationMs: number): number {
  return Math.min(Math.max(Math.round(durationMs / 1000), 5), 20);
}

/** Whether the server is a program of Node: V8's profiler knows no other, and perf needs more to read one. */
const onNode = (subject: ProfileRequest['subject']) =>
  subject.kind === 'dispatch' && (subject.impl === 'ts' || subject.impl === 'libuv');

const withNodeOptions = ({ command, args }: Command, options: string[]): Command => ({
  command,
  args: [...options, ...args],
});

/** Keeps the callers of system calls in perf's stacks, see native/flame/frames.cc. */
const framesLibrary = programPath('dispatchbench_frames.node');

/** A program as perf can read it: whole stacks, and of a Node server names for JavaScript frames. */
export const wholeStacks = (command: Command): Command => ({
  command: 'env',
  args: [`LD_PRELOAD=${framesLibrary}`, ...commandLine(command)],
});
export const readableByPerf = (command: Command): Command =>
  wholeStacks(withNodeOptions(command, perfNodeOptions));

export const commandLine = ({ command, args }: Command) => [command, ...args];

/** @throws Error when a program or perf fails, or nothing was sampled */
export async function profileWithPerf(request: ProfileRequest, support: PerfSupport): Promise<Profile> {
  const { durationMs, frequencyHz, perfMapFile } = request;
  const pairs = pairsFor(durationMs);
  const scratch = mkdtempSync(join(tmpdir(), 'dispatchbench-flame-'));
  let recording: PerfRecording | undefined;
  let map = '';
  try {
    const served = await serveWindows({
      ...request,
      ...(onNode(request.subject) ? { adapt: readableByPerf } : {}),
      windows: windowOrder(pairs),
      windowMs: durationMs / pairs,
      profiler: {
        started(pid) {
          map = perfMapPath(pid);
        },
        attach({ pid, cpuAffinity }) {
          recording = new PerfRecording(pid, cpuAffinity, join(scratch, 'perf.data'), support, frequencyHz);
        },
        on: () => recording!.enable(),
        off: () => recording!.disable(),
        detach: () => recording!.stop(),
      },
    });
    const { stacks, samples, events } = parsePerfScript(recording!.script(), packageRoot);
    if (samples === 0)
      throw new Error('perf took no sample: the server used no CPU time in the profiled windows');
    const perfMap = existsSync(map) ? perfMapFile : null;
    if (perfMap) copyFileSync(map, perfMap);
    return {
      profiler: 'perf',
      hello: served.hello,
      command: commandLine(served.command),
      events,
      frequencyHz,
      samples,
      unit: 'samples',
      stacks,
      pairs: pairsOf(served.windows),
      scope: scopeOf(onNode(request.subject), support.kernelFrames),
      notes: support.notes,
      perfMap,
    };
  } finally {
    await recording?.stop();
    // V8 leaves its map in /tmp for ever.
    rmSync(map, { force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}

export function scopeOf(node: boolean, kernelFrames: boolean): string {
  const userSpace = node ? 'JavaScript, Node.js, libuv, addon, library' : 'server, library';
  return kernelFrames
    ? `${userSpace} and kernel frames in one stack`
    : `${userSpace} frames, none of the kernel`;
}

/** Microseconds between two samples of V8's profiler. */
const v8IntervalUs = 500;
/** V8's profiler runs as long as its server, so each window needs a server of its own. */
const v8Pairs = 5;

/** @param reason why perf was not used, for the notes */
export async function profileWithV8(request: ProfileRequest, reason: string): Promise<Profile> {
  if (!onNode(request.subject)) throw new Error(`a native server can be profiled with perf only: ${reason}`);
  const scratch = mkdtempSync(join(tmpdir(), 'dispatchbench-flame-'));
  const options = ['--cpu-prof', `--cpu-prof-dir=${scratch}`, `--cpu-prof-interval=${v8IntervalUs}`];
  try {
    const sessions: Served[] = [];
    const stacks: Stack[] = [];
    let samples = 0;
    for (const profiled of windowOrder(v8Pairs)) {
      const served = await serveWindows({
        ...request,
        ...(profiled ? { adapt: (command: Command) => withNodeOptions(command, options) } : {}),
        windows: [profiled],
        windowMs: request.durationMs / v8Pairs,
        profiler: null,
      });
      sessions.push(served);
      if (!profiled) continue;
      const [file] = readdirSync(scratch);
      if (!file) throw new Error('the server left no CPU profile (node --cpu-prof)');
      // V8's clock is the monotonic one, as the snapshots' is.
      const ranges = served.windows.map(({ fromNs, toNs }) => ({ from: fromNs / 1000, to: toNs / 1000 }));
      const profile = parseCpuProfile(readFileSync(join(scratch, file), 'utf8'), packageRoot, ranges);
      stacks.push(...profile.stacks);
      samples += profile.samples;
      rmSync(join(scratch, file));
    }
    if (samples === 0) throw new Error("V8's profiler took no sample in the profiled windows");
    const { hello, command } = sessions.findLast(({ windows }) => windows[0]!.profiled)!;
    return {
      profiler: 'v8',
      hello,
      command: commandLine(command),
      events: ['v8-cpu-profiler'],
      frequencyHz: 1e6 / v8IntervalUs,
      samples,
      unit: 'microseconds',
      stacks: mergeStacks(stacks),
      pairs: pairsOf(sessions.flatMap(({ windows }) => windows)),
      scope:
        'JS only: time in system calls, libuv and the addon appears inside the JavaScript function that called it',
      notes: [`perf was not used: ${reason}`],
      perfMap: null,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Windows come in the order of windowOrder: two and two are a pair. */
function pairsOf(windows: readonly ProfiledWindow[]): WindowPair[] {
  return Array.from({ length: Math.floor(windows.length / 2) }, (_, index) => {
    const pair = windows.slice(2 * index, 2 * index + 2);
    return {
      profiled: pair.find((window) => window.profiled)!,
      unprofiled: pair.find((window) => !window.profiled)!,
    };
  });
}
