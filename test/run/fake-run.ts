/** A run of fake programs, for tests: in this process, or as a process of its own that a test can kill. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interruption } from '../../src/cli/interruption.js';
import type { Plan, RunEvent } from '../../src/contract/run.js';
import { LocalHost } from '../../src/hosts/local.js';
import { localLimits } from '../../src/run/environment.js';
import { RunFolder } from '../../src/run/folder.js';
import { machineOf } from '../../src/run/limits.js';
import { pinning } from '../../src/run/pinning.js';
import { builtInPlan } from '../../src/run/plan.js';
import type { Programs } from '../../src/run/programs.js';
import { executeRun, type RunOutcome, type RunRequest } from '../../src/run/runner.js';

const program = fileURLToPath(new URL('fake-program.js', import.meta.url));

/** The fake programs; `faulty` names the backend whose trials get the fault. */
export function fakePrograms(fault = 'none', faulty = 'poll'): Programs {
  const command = (role: string, spec: object, withFault: boolean) => ({
    command: process.execPath,
    args: [
      program,
      role,
      ...Object.entries({ ...spec, fault: withFault ? fault : 'none' }).map(
        ([name, value]) => `${name}=${value}`,
      ),
    ],
  });
  let current = '';
  return {
    server(spec) {
      current = spec.backend;
      return command('server', spec, current === faulty);
    },
    idle: (spec) => [command('idle', { ...spec, ...spec.target }, current === faulty)],
    load: (spec) => command('load', { ...spec, ...spec.target }, current === faulty),
  };
}

/** 2 backends x 2 idle counts, windows as short as the clock allows. */
export function tinyPlan(changes: Partial<Plan> = {}, settings: Record<string, unknown> = {}): Plan {
  const options = {
    seed: 7,
    settings: {
      backends: ['poll', 'epoll'],
      references: [],
      idle: [0, 3],
      connections: 1,
      closed: { warmupMs: 1, durationMs: 20 },
      open: { rate: 500, warmupMs: 1, durationMs: 20 },
      ...settings,
    },
  };
  const plan = builtInPlan('tiny', ['idle-connections'], options, machineOf(localLimits()));
  return { ...plan, blocks: { min: 2, max: 2 }, precision: 1e-9, ...changes };
}

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Gone with this process: what it needs of a run it has read by then. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-run-'));
  folders.push(folder);
  return folder;
}

/** Runs a plan to its end and returns what happened. */
export async function fakeRun(
  changes: Partial<RunRequest> & { out?: string } = {},
): Promise<RunOutcome & { events: RunEvent[] }> {
  const { out = freshFolder(), ...given } = changes;
  const events: RunEvent[] = [];
  const host = new LocalHost();
  const plan = given.plan ?? tinyPlan();
  const outcome = await executeRun({
    plan,
    limits: localLimits(),
    host,
    programs: fakePrograms(),
    pinning: pinning(host.cpus()),
    openFolder: () => RunFolder.create(out, plan.name),
    resume: false,
    argv: [],
    on: (event) => events.push(event),
    signal: new AbortController().signal,
    ...given,
  });
  return { ...outcome, events };
}

/** As a process: `fake-run.js OUT [FOLDER-TO-RESUME]` prints the events. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [out, resume] = process.argv.slice(2) as [string, string?];
  const interrupt = interruption(() => {});
  const outcome = await fakeRun({
    plan: tinyPlan({}, { closed: { warmupMs: 1, durationMs: 400 } }),
    openFolder: () => (resume ? RunFolder.open(out, resume) : RunFolder.create(out, 'tiny')),
    resume: resume !== undefined,
    on: (event) => console.log(JSON.stringify(event)),
    signal: interrupt.signal,
  });
  console.log(JSON.stringify({ event: 'run-end', reason: outcome.reason }));
  process.exit(outcome.reason === 'interrupted' ? interrupt.exitCode() : 0);
}
