/**
 * Carries one trial out in fresh processes: server, idle connections, then each window, with the server's snapshots
 * taken when the client says that its window begins and ends. Whatever goes wrong becomes a failed sample that says how.
 */
import { idleStatus } from '../contract/idle.js';
import { loadResult } from '../contract/load.js';
import { type SessionSpec, sessionResult } from '../contract/ramp.js';
import type { Sample, Window } from '../contract/sample.js';
import type { TrialSpec, WindowSpec } from '../experiments/experiment.js';
import { cpuTimesDifference } from '../hosts/cpu-times.js';
import type { Host, HostProcess } from '../hosts/host.js';
import { networkDifference } from '../hosts/network-counters.js';
import { asLoadResult } from '../ramp/as-load.js';
import { longestMs, monotonicNs } from '../ramp/client.js';
import { Cast } from './cast.js';
import { gates } from './gates.js';
import { mergeLoads, share } from './merge.js';
import type { Pinning } from './pinning.js';
import { validated } from './plan.js';
import { keptAwake, type Programs, sessionSpecOf } from './programs.js';
import { answerMs, Servers } from './servers.js';

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

/** Connections per millisecond that are set up even on a machine so slow that it is not worth measuring. */
const slowestSetUp = 0.5;

/** Rejects when the run is interrupted, so that nothing waits for a program any longer. */
function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The lines of all processes, once each has printed its own. */
function together(processes: readonly HostProcess[], event: string, timeoutMs: number): Promise<unknown[]> {
  return Promise.all(processes.map((one) => one.expect(event, timeoutMs)));
}

class Trial {
  private readonly cast: Cast;
  private readonly programs: Programs;
  private servers!: Servers;
  readonly measured: Pick<Measured, 'server' | 'idleConnections' | 'awake' | 'windows' | 'network'> = {
    server: null,
    idleConnections: null,
    windows: {},
    network: null,
  };

  constructor(
    private readonly spec: TrialSpec,
    private readonly context: TrialContext,
  ) {
    this.cast = new Cast(context.host, context.signal);
    this.programs = spec.keepAwake ? keptAwake(context.programs) : context.programs;
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
    const { host, pinning } = this.context;
    const { server, servers = 1, keepAwake } = this.spec;
    this.servers = await Servers.start(this.cast, this.programs, server, servers, pinning.server);
    this.measured.server = this.servers.hellos[0]!;
    if (keepAwake) this.measured.awake = await this.servers.awake();
    const holders = await this.holdIdle();
    const before = host.networkCounters();
    for (const window of this.spec.windows) this.measured.windows[window.name] = await this.window(window);
    const after = host.networkCounters();
    if (before && after) this.measured.network = networkDifference(before, after);
    if (this.measured.idleConnections) {
      for (const holder of holders) holder.send('status');
      Object.assign(this.measured.idleConnections, await this.idleTotal(holders, 'status', answerMs));
    }
  }

  private async holdIdle(): Promise<HostProcess[]> {
    const { idle, servers = 1 } = this.spec;
    if (idle === 0) return [];
    const { pinning } = this.context;
    const holders = this.servers.targets
      .flatMap((target, index) =>
        this.programs.idle({ target, connections: share(idle, servers, index), cpus: pinning.client }),
      )
      .map((command) => this.cast.start('idle holder', command));
    const total = await this.idleTotal(holders, 'standing', answerMs + idle / slowestSetUp);
    this.measured.idleConnections = { asked: idle, seenByServer: await this.servers.count(idle), ...total };
    return holders;
  }

  private async idleTotal(holders: HostProcess[], event: string, timeoutMs: number) {
    const all = (await together(holders, event, timeoutMs)).map((line) =>
      validated(idleStatus, line, 'the idle holder'),
    );
    const sum = (of: 'standing' | 'reconnects') => all.reduce((total, one) => total + one[of], 0);
    return { standing: sum('standing'), reconnects: sum('reconnects') };
  }

  /** One client per server process; they begin together. */
  private async window(spec: WindowSpec): Promise<Window> {
    const { pinning } = this.context;
    const { idle, server, servers = 1 } = this.spec;
    const placed = this.servers.targets.map((target, index) => {
      const connections = share(spec.connections, servers, index);
      const rate = spec.rate === null ? null : (spec.rate * connections) / spec.connections;
      const { protocol, ports } = server;
      const asked = { ...spec, connections, rate, protocol, ...(ports === undefined ? {} : { ports }) };
      return { ...asked, target, cpus: pinning.client };
    });
    const clients = placed.map((one) =>
      this.cast.start(`client of window '${spec.name}'`, this.programs.load(one)),
    );
    if (spec.sessions) return this.step(clients[0]!, sessionSpecOf(placed[0]!));
    await together(clients, 'connected', answerMs + spec.connections / slowestSetUp);
    await this.requireCount(idle + spec.connections);
    for (const client of clients) client.send('go');
    await together(clients, 'window-start', answerMs + spec.warmupMs);
    const edge = await this.edge();
    await together(clients, 'window-end', answerMs + spec.durationMs);
    const between = await this.since(edge);
    const results = (await together(clients, 'result', answerMs)).map((line) =>
      validated(loadResult, line, "the client's result"),
    );
    await Promise.all(clients.map((client) => this.cast.end(client)));
    await this.requireCount(idle);
    return { load: mergeLoads(results), ...between };
  }

  /** A ramp's step: no connection stands before it, and it ends when its last connection has. */
  private async step(client: HostProcess, spec: SessionSpec): Promise<Window> {
    await client.expect('ready', answerMs);
    const edge = await this.edge();
    client.send(`start ${monotonicNs()}`);
    await client.expect('ended', longestMs(spec));
    const between = await this.since(edge);
    const line = await client.expect('result', answerMs);
    await this.cast.end(client);
    const session = validated(sessionResult, line, "the client's result");
    return { load: asLoadResult(spec, session), ...between, session };
  }

  /** What server and CPUs count where a window begins. */
  private async edge() {
    return { before: await this.servers.snapshot(), cpus: this.context.host.cpuTimes() };
  }

  /** The same where it ends. */
  private async since({ before, cpus }: Awaited<ReturnType<Trial['edge']>>): Promise<Omit<Window, 'load'>> {
    const { host, pinning } = this.context;
    const now = host.cpuTimes();
    const after = await this.servers.snapshot();
    if (!cpus || !now) return { before, after };
    return { before, after, cpus: cpuTimesDifference(cpus, now, [...pinning.server, ...pinning.client]) };
  }

  /** Nobody else's connections, and none of an earlier window, while one is measured. UDP has none to count. */
  private async requireCount(expected: number): Promise<void> {
    if (this.spec.server.protocol === 'udp-echo') return;
    const seen = await this.servers.count(expected);
    if (seen !== expected)
      throw new Error(`the server counts ${seen} connections where ${expected} should stand`);
  }
}

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
  const result = {
    ...base,
    ...trial.measured,
    serverProcesses: spec.servers ?? 1,
    error,
    durationMs: performance.now() - started,
  };
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
