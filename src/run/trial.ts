/**
 * Carries one trial out in fresh processes: server, idle connections, then each window, with the server's snapshots
 * taken when the client says that its window begins and ends. Whatever goes wrong becomes a failed sample that says how.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { idleStatus } from '../contract/idle.js';
import { loadResult } from '../contract/load.js';
import { type SessionSpec, sessionResult } from '../contract/ramp.js';
import type { Sample, Window } from '../contract/sample.js';
import { type Hello, hello, type Snapshot, snapshot } from '../contract/server.js';
import type { ServerSpec, TrialSpec, WindowSpec } from '../experiments/experiment.js';
import type { Command, Host, HostProcess } from '../hosts/host.js';
import { networkDifference } from '../hosts/network-counters.js';
import type { HostPort } from '../options.js';
import { asLoadResult } from '../ramp/as-load.js';
import { longestMs, monotonicNs } from '../ramp/client.js';
import { gates } from './gates.js';
import type { Pinning } from './pinning.js';
import { validated } from './plan.js';
import { type Programs, sessionSpecOf } from './programs.js';

/** What a trial adds to its cell and place in the schedule. */
export type Measured = Omit<Sample, 'schemaVersion' | 'experiment' | 'cell' | 'block' | 'sequence'>;

export interface TrialContext {
  host: Host;
  programs: Programs;
  pinning: Pinning;
  /** fastest calibration so far; null before the first trial */
  bestCalibrationNs: number | null;
  /** aborted: the trial is given up, its processes are ended and nothing is reported */
  signal: AbortSignal;
}

/** Time for a program to start or to answer, far above what a loaded machine needs. */
const answerMs = 20_000;
/** After its control channel has closed a program gets this long before it is told by signal. */
const graceMs = 3000;
/** Slowest rate at which idle connections may be set up, per millisecond. */
const idlePerMs = 0.5;

/**
 * @returns what differs between what was asked and what the server says it is, or null
 */
export function mismatch(asked: ServerSpec, cpus: number[], line: Hello): string | null {
  const pairs: [string, unknown, unknown][] = [
    ['protocol', asked.protocol, line.protocol],
    ['implementation', asked.impl, line.impl],
    ['backend', asked.backend, line.backend],
    ['io', asked.io, line.io],
    ['cpus', cpus.join(), line.cpuAffinity.join()],
  ];
  const different = pairs.filter(([, wanted, got]) => wanted !== got);
  return different.length === 0
    ? null
    : different.map(([what, wanted, got]) => `${what} '${wanted}' was asked, '${got}' runs`).join('; ');
}

/** The processes of one trial; every one is ended when the trial is over. */
class Cast {
  private readonly processes: HostProcess[] = [];

  constructor(private readonly context: TrialContext) {}

  start(name: string, command: Command): HostProcess {
    this.context.signal.throwIfAborted();
    const started = this.context.host.spawn(name, command);
    this.processes.push(started);
    return started;
  }

  async end(started: HostProcess): Promise<void> {
    this.processes.splice(this.processes.indexOf(started), 1);
    await started.end(graceMs);
  }

  async endAll(): Promise<void> {
    await Promise.all(this.processes.splice(0).map((one) => one.end(graceMs)));
  }
}

/** Rejects when the run is interrupted, so that nothing waits for a program any longer. */
function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

class Trial {
  private readonly cast: Cast;
  private server!: HostProcess;
  private target!: HostPort;
  private snapshots = 0;
  readonly measured: Pick<Measured, 'server' | 'idleConnections' | 'windows' | 'network'> = {
    server: null,
    idleConnections: null,
    windows: {},
    network: null,
  };

  constructor(
    private readonly spec: TrialSpec,
    private readonly context: TrialContext,
  ) {
    this.cast = new Cast(context);
  }

  /** @throws Error when the trial cannot be finished; `measured` then holds what was learned before */
  async run(): Promise<void> {
    try {
      await interruptible(this.context.signal, this.steps());
    } finally {
      await this.cast.endAll();
    }
  }

  private async steps(): Promise<void> {
    await this.startServer();
    const holders = await this.holdIdle();
    const before = this.context.host.networkCounters();
    for (const window of this.spec.windows) this.measured.windows[window.name] = await this.window(window);
    const after = this.context.host.networkCounters();
    if (before && after) this.measured.network = networkDifference(before, after);
    if (this.measured.idleConnections) {
      for (const holder of holders) holder.send('status');
      Object.assign(this.measured.idleConnections, await this.idleTotal(holders, 'status', answerMs));
    }
  }

  private async startServer(): Promise<void> {
    const { host, programs, pinning } = this.context;
    const cpus = pinning.server;
    this.server = this.cast.start('server', programs.server({ ...this.spec.server, cpus }));
    const line = validated(hello, await this.server.expect('hello', answerMs), "the server's hello");
    this.measured.server = line;
    const different = mismatch(this.spec.server, cpus, line);
    if (different) throw new Error(`refused to measure: ${different} (host ${host.name})`);
    this.target = { host: line.address, port: line.port };
  }

  private async holdIdle(): Promise<HostProcess[]> {
    const { idle } = this.spec;
    if (idle === 0) return [];
    const { programs, pinning } = this.context;
    const commands = programs.idle({ target: this.target, connections: idle, cpus: pinning.client });
    const holders = commands.map((command) => this.cast.start('idle holder', command));
    const total = await this.idleTotal(holders, 'standing', answerMs + idle / idlePerMs);
    this.measured.idleConnections = { asked: idle, seenByServer: await this.accepted(idle), ...total };
    return holders;
  }

  /** A connection stands for its client before the server has accepted it: asks until all are there, or for long. */
  private async accepted(asked: number): Promise<number> {
    const deadline = performance.now() + answerMs;
    for (;;) {
      const { connections } = await this.snapshot();
      if (connections >= asked || performance.now() > deadline) return connections;
      await pause(20);
    }
  }

  private async idleTotal(holders: HostProcess[], event: string, timeoutMs: number) {
    const lines = await Promise.all(holders.map((holder) => holder.expect(event, timeoutMs)));
    const all = lines.map((line) => validated(idleStatus, line, 'the idle holder'));
    const sum = (of: 'standing' | 'reconnects') => all.reduce((total, one) => total + one[of], 0);
    return { standing: sum('standing'), reconnects: sum('reconnects') };
  }

  private async window(spec: WindowSpec): Promise<Window> {
    const { programs, pinning } = this.context;
    const { protocol } = this.spec.server;
    const placed = { ...spec, protocol, target: this.target, cpus: pinning.client };
    const client = this.cast.start(`client of window '${spec.name}'`, programs.load(placed));
    if (spec.sessions) return this.step(client, sessionSpecOf(placed));
    await client.expect('connected', answerMs + spec.connections / idlePerMs);
    client.send('go');
    await client.expect('window-start', answerMs + spec.warmupMs);
    const before = await this.snapshot();
    await client.expect('window-end', answerMs + spec.durationMs);
    const after = await this.snapshot();
    const load = validated(loadResult, await client.expect('result', answerMs), "the client's result");
    await this.cast.end(client);
    return { load, before, after };
  }

  /** A ramp's step: no connection stands before it, and it ends when its last connection has. */
  private async step(client: HostProcess, spec: SessionSpec): Promise<Window> {
    await client.expect('ready', answerMs);
    const before = await this.snapshot();
    client.send(`start ${monotonicNs()}`);
    await client.expect('ended', longestMs(spec));
    const after = await this.snapshot();
    const line = await client.expect('result', answerMs);
    await this.cast.end(client);
    const session = validated(sessionResult, line, "the client's result");
    return { load: asLoadResult(spec, session), before, after, session };
  }

  private async snapshot(): Promise<z.infer<typeof snapshotOnly>> {
    const id = String(++this.snapshots);
    this.server.send(`snapshot ${id}`);
    const line: Snapshot = validated(
      snapshot,
      await this.server.expect('snapshot', answerMs),
      "the server's snapshot",
    );
    if (line.id !== id) throw new Error(`the server answered snapshot ${line.id} when ${id} was asked`);
    return snapshotOnly.parse(line);
  }
}

const snapshotOnly = snapshot.omit({ event: true, id: true });

/** What is known of the machine before a trial; also all that an impossible cell's sample holds. */
export function unmeasured(context: Pick<TrialContext, 'host' | 'pinning'>): Measured {
  const { server, client, shared } = context.pinning;
  return {
    startedAt: new Date().toISOString(),
    durationMs: 0,
    status: 'failed',
    error: null,
    gates: [],
    host: context.host.facts(),
    server: null,
    pinning: { server, client, shared },
    loadBefore: context.host.load(),
    calibrationNs: context.host.calibrationNs(),
    idleConnections: null,
    windows: {},
    network: null,
  };
}

/** @throws the signal's reason when it was aborted; anything else that goes wrong is in the sample */
export async function runTrial(spec: TrialSpec, context: TrialContext): Promise<Measured> {
  const started = performance.now();
  const base = unmeasured(context);
  const trial = new Trial(spec, context);
  let error: string | null = null;
  try {
    await trial.run();
  } catch (failure) {
    context.signal.throwIfAborted();
    error = (failure as Error).message;
  }
  const result = { ...base, ...trial.measured, error, durationMs: performance.now() - started };
  if (error !== null) return result;
  const doubts = gates({
    ...result,
    siblings: context.pinning.siblings,
    vcpus: base.host.vcpus,
    clockStepNs: base.host.clockStepNs,
    bestCalibrationNs: context.bestCalibrationNs ?? base.calibrationNs,
  });
  const status = doubts.some(({ invalidates }) => invalidates) ? 'invalid' : 'ok';
  return { ...result, gates: doubts, status };
}
