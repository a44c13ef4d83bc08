/**
 * The profile of one mode of the micro-set: the program that measures itself, run with perf beside it, of which the stacks
 * within the measured rounds are kept. What lies between rounds, the warm-up and the opening of pairs are no part of it.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../addon.js';
import { type Cost, cost } from '../contract/cost.js';
import { type FlameRecord, profiledCost } from '../contract/flame.js';
import type { HostFacts } from '../contract/host.js';
import { validated } from '../contract/validated.js';
import { usableFolder } from '../files.js';
import { Child } from '../hosts/child.js';
import { type Command, commandOf } from '../hosts/program.js';
import { getAffinity } from '../process.js';
import { type CostSpec, costProgram, missingPeer } from '../programs/cost.js';
import { answerMs } from '../stage/patience.js';
import { fileStems } from './figures.js';
import { writeFlame } from './output.js';
import { type ServedWindow, type WindowPair, windowOrder } from './overhead.js';
import { PerfRecording, type PerfSupport, perfMapPath, probePerf } from './perf.js';
import { parsePerfScript } from './perf-script.js';
import { commandLine, readableByPerf, scopeOf, wholeStacks } from './profile.js';
import { mergeStacks, type Stack, totalWeight } from './stacks.js';

/** native/cost/measure.h has it as a function of its own. */
const measuredRound = /\bcost::measured_round</;

/** What is sampled begins at the rounds. @returns those stacks, and the weight of all others */
export function withinRounds(stacks: readonly Stack[]): { stacks: Stack[]; outside: number } {
  const kept = stacks.flatMap((stack) => {
    const from = stack.frames.findIndex(({ name }) => measuredRound.test(name));
    return from < 0 ? [] : [{ ...stack, frames: [stack.frames[0]!, ...stack.frames.slice(from)] }];
  });
  const merged = mergeStacks(kept);
  return { stacks: merged, outside: totalWeight([...stacks]) - totalWeight(merged) };
}

export interface CostProfileOptions {
  spec: CostSpec & { length: { durationMs: number; warmupMs?: number | undefined } };
  title: string;
  folder: string;
  host: HostFacts;
  frequencyHz: number;
  /** runs with the profiler; as many are made without it, to know what it costs */
  pairs: number;
}

const graceMs = 2000;

const windowOf = ({ wallNs, events, cpu }: Cost): ServedWindow => ({
  durationNs: wallNs,
  requests: events,
  cpuUs: cpu.userUs + cpu.systemUs,
});

/** @throws Error in one sentence when nothing can be profiled */
export async function profileCost(options: CostProfileOptions): Promise<FlameRecord> {
  const { title, folder, host, frequencyHz, pairs } = options;
  const support = probePerf();
  if (typeof support === 'string') throw new Error(`modes are profiled with perf only: ${support}`);
  const missing = missingPeer(options.spec.impl);
  if (missing !== undefined) throw new Error(missing);
  usableFolder(folder);
  const { spec } = options;
  const node = spec.impl === 'ts';
  const command = (node ? readableByPerf : wholeStacks)(
    commandOf(costProgram({ ...spec, control: true, hold: true })),
  );
  const startedAt = new Date().toISOString();
  const runs: { profiled: boolean; line: Cost; recorded: Recorded | null }[] = [];
  const perfMap = join(folder, `${fileStems.profile}.perf.map`);
  for (const profiled of windowOrder(pairs)) {
    const perf = profiled ? { support, frequencyHz, perfMap } : null;
    runs.push({ profiled, ...(await run(command, spec, perf)) });
  }
  const { stacks, outside } = withinRounds(runs.flatMap(({ recorded }) => recorded?.stacks ?? []));
  const samples = totalWeight(stacks);
  if (samples === 0)
    throw new Error(
      'perf took no sample within the measured rounds: the program was built without its symbols (take a build of a checkout), or --duration is too short',
    );
  const { line } = runs.at(-1)!;
  return writeFlame(folder, host, startedAt, [
    {
      role: 'profile',
      title,
      idleConnections: 0,
      activeConnections: 0,
      cost: profiledCost.parse(line),
      profile: {
        profiler: 'perf',
        hello: null,
        command: commandLine(command),
        events: [...new Set(runs.flatMap(({ recorded }) => recorded?.events ?? []))].sort(),
        frequencyHz,
        samples,
        unit: 'samples',
        stacks,
        pairs: pairsOf(runs),
        scope: `${scopeOf(node, support.kernelFrames)}, within the measured rounds`,
        notes: [
          ...support.notes,
          `${outside} further samples lie outside the measured rounds (start, warm-up, between rounds), or have lost their callers`,
        ],
        perfMap: existsSync(perfMap) ? perfMap : null,
      },
    },
  ]);
}

interface Recorded {
  stacks: Stack[];
  events: string[];
}

/** One run of the program; `perf` records beside it. */
async function run(
  command: Command,
  { length, cpus }: CostProfileOptions['spec'],
  perf: { support: PerfSupport; frequencyHz: number; perfMap: string } | null,
): Promise<{ line: Cost; recorded: Recorded | null }> {
  const scratch = mkdtempSync(join(tmpdir(), 'dispatchbench-flame-'));
  const child = new Child('the program that measures itself', command);
  const map = perfMapPath(child.pid);
  let recording: PerfRecording | undefined;
  try {
    // By then its libraries are mapped, as perf has to find them.
    await child.expect('held', answerMs);
    if (perf) {
      const sampled = cpus?.length ? [...cpus] : getAffinity();
      const file = join(scratch, 'perf.data');
      recording = new PerfRecording(child.pid, sampled, file, perf.support, perf.frequencyHz);
      await recording.enable();
    }
    child.send('snapshot begin');
    const lasts = length.durationMs + (length.warmupMs ?? 0);
    const line = validated(cost, await child.expect('cost', lasts + answerMs), 'what the program measured');
    await recording?.stop();
    if (!perf || !recording) return { line, recorded: null };
    const recorded = parsePerfScript(recording.script(), packageRoot);
    if (existsSync(map)) copyFileSync(map, perf.perfMap);
    return { line, recorded };
  } finally {
    await recording?.stop();
    await child.end(graceMs);
    rmSync(map, { force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}

function pairsOf(runs: readonly { profiled: boolean; line: Cost }[]): WindowPair[] {
  const of = (wanted: boolean) =>
    runs.filter(({ profiled }) => profiled === wanted).map(({ line }) => windowOf(line));
  const [profiled, unprofiled] = [of(true), of(false)];
  return profiled.map((window, index) => ({ profiled: window, unprofiled: unprofiled[index]! }));
}
