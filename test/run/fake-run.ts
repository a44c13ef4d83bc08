/** A run of fake programs, for tests: in this process, or as a process of its own that a test can kill. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interruption } from '../../src/cli/interruption.js';
import type { HostLook } from '../../src/contract/host.js';
import type { Plan, RunEvent } from '../../src/contract/run.js';
import { machineOf } from '../../src/experiments/experiment.js';
import type { Host, Roles } from '../../src/hosts/host.js';
import { openLocal } from '../../src/hosts/local.js';
import type { Command, Program } from '../../src/hosts/program.js';
import { RunFolder } from '../../src/results/folder.js';
import { builtInPlan } from '../../src/run/plan.js';
import { executeRun, type RunOutcome, type RunRequest } from '../../src/run/runner.js';
import { measured } from '../../src/trials/sample.js';
import { syntheticSample } from '../support/samples.js';
import type { FakeFigures } from './fake-program.js';

const fake = fileURLToPath(new URL('fake-program.js', import.meta.url));

export interface FakeHost {
  /** of the programs in trials of the backend `faulty` */
  fault?: string;
  faulty?: string;
  /** what the host says of itself, where it differs from this machine */
  look?: Partial<HostLook>;
  /** how the server is started instead */
  server?: Command;
}

let figuresFile: string | undefined;

/** What the fake programs of this process say. */
function figures(): string {
  if (figuresFile !== undefined) return figuresFile;
  const sample = syntheticSample({ cell: {}, cpuUs: 9.5 });
  const [closed, open] = (['closed', 'open'] as const).map((name) => measured(sample, name, 'load')!);
  const { before: snapshot, load } = closed!;
  const said: FakeFigures = { hello: sample.server!, snapshot, results: { closed: load, open: open!.load } };
  figuresFile = join(freshFolder(), 'figures.json');
  writeFileSync(figuresFile, JSON.stringify(said));
  return figuresFile;
}

const roles: Record<string, string> = { 'clients/idle': 'idle', 'clients/load': 'load' };

/** This machine, with fake programs on it. */
export async function fakeHost({
  fault = 'none',
  faulty = 'poll',
  look,
  server,
}: FakeHost = {}): Promise<Roles> {
  const { server: real, close } = await openLocal();
  let current = '';
  const host: Host = {
    name: real.name,
    facts: real.facts,
    look: { ...real.look, ...look },
    command(program: Program) {
      const role = ('script' in program && roles[program.script]) || 'server';
      if (role === 'server') current = program.args[program.args.indexOf('--backend') + 1]!;
      if (role === 'server' && server) return server;
      const given = current === faulty ? fault : 'none';
      return { command: process.execPath, args: [fake, role, given, figures(), ...program.args] };
    },
    spawn: (name, command) => real.spawn(name, command),
    addressFor: (peer) => real.addressFor(peer),
    sources: real.sources,
    counters: () => real.counters(),
    memory: () => real.memory(),
    state: () => real.state(),
    memoryCopy: () => real.memoryCopy(),
    clock: () => real.clock(),
  };
  return { name: real.name, server: host, client: host, close };
}

/** A look of this machine with so many descriptors for each process. */
export async function withDescriptors(hard: number): Promise<Partial<HostLook>> {
  const { server, close } = await openLocal();
  await close();
  return { environment: { ...server.look.environment, descriptorLimit: { soft: hard, hard } } };
}

/** What the plans of these tests suppose of a machine. */
const machine = machineOf({
  backends: (['select', 'poll', 'epoll'] as const).map((name) => ({
    name,
    available: true,
    reason: '',
    maxDescriptor: -1,
  })),
  engines: [],
  nodeBackend: 'epoll',
  environment: { descriptorLimit: { soft: 20_000, hard: 20_000 } },
} as unknown as HostLook);

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
      rounds: 0,
      ...settings,
    },
  };
  const plan = builtInPlan('tiny', ['idle-connections'], options, machine);
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
  changes: Partial<RunRequest> & { out?: string; host?: FakeHost } = {},
): Promise<RunOutcome & { events: RunEvent[] }> {
  const { out = freshFolder(), host, ...given } = changes;
  const events: RunEvent[] = [];
  const plan = given.plan ?? tinyPlan();
  const hosts = given.hosts ?? [await fakeHost(host)];
  try {
    const outcome = await executeRun({
      plan,
      hosts,
      openFolder: () => RunFolder.create(out, plan.name),
      resume: false,
      argv: [],
      on: (event) => events.push(event),
      writePausesMs: [],
      signal: new AbortController().signal,
      ...given,
    });
    return { ...outcome, events };
  } finally {
    for (const one of hosts) await one.close();
  }
}

/** As a process: `fake-run.js OUT [FOLDER-TO-RESUME]` prints the events. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [out, resume] = process.argv.slice(2) as [string, string?];
  const interrupt = interruption(() => {});
  const outcome = await fakeRun({
    plan: tinyPlan({}, { closed: { warmupMs: 1, durationMs: 200 } }),
    openFolder: () => (resume ? RunFolder.open(out, resume) : RunFolder.create(out, 'tiny')),
    resume: resume !== undefined,
    on: (event) => console.log(JSON.stringify(event)),
    signal: interrupt.signal,
  });
  console.log(JSON.stringify({ event: 'run-end', reason: outcome.reason }));
  process.exit(outcome.reason === 'interrupted' ? interrupt.exitCode() : 0);
}
