/**
 * Where one trial is carried out: programs in the roles of server and client, each on its host and its CPUs, and what
 * server, CPUs and network count. The only code that starts a server, starts a client and takes snapshots.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { HostCounters, NetworkCounters } from '../contract/host.js';
import { idleStatus } from '../contract/idle.js';
import type { Pinning, Span } from '../contract/sample.js';
import { hello } from '../contract/server.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import { toTheirs } from '../hosts/clock.js';
import { busyStates, cpuTimesDifference, timeIn } from '../hosts/cpu-times.js';
import type { Host, HostProcess, Roles } from '../hosts/host.js';
import { networkDifference } from '../hosts/network-counters.js';
import type { Command, Program } from '../hosts/program.js';
import { planHolders } from '../load/limits.js';
import { type HostPort, targetText } from '../options.js';
import { monotonicNs } from '../process.js';
import { awakeProgram } from '../programs/awake.js';
import { idlePrograms } from '../programs/idle.js';
import { serverProgram } from '../programs/server.js';
import { subjectProgram } from '../programs/subject.js';
import { share } from './merge.js';
import { answerMs, graceMs, restMs, settleMs, standingMs } from './patience.js';
import { oneMachine } from './places.js';
import { Servers } from './servers.js';

/** In the command of a foreign server: whom it forwards to. */
const upstreamPlace = '{upstream}';

export type Role = 'server' | 'client';

export interface Serving {
  /** processes that connections are spread over; left out: 1 */
  processes?: number;
  /** where it listens; left out: any free port */
  port?: number;
  /** the CPUs of server and client do not sleep, so that no wake-up of a CPU is measured */
  keepAwake?: boolean;
  /** changes how the server is started, as a profiler needs it */
  adapt?: (command: Command) => Command;
  /** called with the process as soon as it was started */
  started?: (server: HostProcess) => void;
}

/** Rejects when the signal is aborted, so that nothing waits for a program any longer. */
export function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    // Listened to in any case: what is given up fails later, and nobody else hears of it.
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}

/** The lines of all processes, once each has printed its own. */
export function together(
  processes: readonly HostProcess[],
  event: string,
  timeoutMs: number,
): Promise<unknown[]> {
  return Promise.all(processes.map((one) => one.expect(event, timeoutMs)));
}

type Edge = Pick<Span, 'before'> & { counters: Counters; linkUs: number | null };
type Counters = Record<Role, HostCounters>;

export class Stage {
  private readonly processes: HostProcess[] = [];
  private keptAwake = false;
  private networkBefore: Counters | null = null;
  /** what this trial's server is; null before it listens */
  servers: Servers | null = null;

  constructor(
    readonly roles: Roles,
    readonly pinning: Pinning,
    readonly signal: AbortSignal,
  ) {}

  host(role: Role): Host {
    return this.roles[role];
  }

  /** Address at which servers of this stage are reached by its clients. */
  get address(): string {
    return this.roles.server.addressFor(this.roles.client);
  }

  /** Starts the server. @throws Error in one sentence when it does not listen, or is not what was asked */
  async serve(subject: Subject, serving: Serving = {}): Promise<Servers> {
    const { processes = 1, keepAwake = false, port, started } = serving;
    const { adapt = (command: Command) => command } = serving;
    const { server, client } = this.roles;
    this.keptAwake = keepAwake;
    const program = subjectProgram(await this.forwarding(subject), {
      address: this.address,
      port,
      peer: client.addressFor(server),
      cpus: this.pinning.server,
    });
    const running = Array.from({ length: processes }, () => {
      const command = adapt(server.command(this.awake('server', program)));
      const one = this.spawn('server', 'server', command);
      started?.(one);
      return one;
    });
    this.servers = await Servers.listening(running, subject, this.pinning.server, keepAwake);
    return this.servers;
  }

  /**
   * A server that forwards what is not its own gets somebody to forward it to: a native one of ours on its host, where that is
   * the client's as well beside the client.
   */
  private async forwarding(subject: Subject): Promise<Subject> {
    if (subject.kind !== 'foreign' || !subject.command.some((part) => part.includes(upstreamPlace)))
      return subject;
    const { server, client } = this.roles;
    const beside = oneMachine(server.look, client.look) ? 'client' : 'server';
    const upstream = this.start(
      'server',
      'upstream',
      serverProgram({
        protocol: 'http',
        impl: 'native',
        backend: server.look.nodeBackend,
        cpus: this.pinning[beside],
        control: true,
      }),
    );
    const line = validated(hello, await upstream.expect('hello', answerMs), "the upstream's hello");
    const target = targetText({ host: line.address, port: line.port });
    return { ...subject, command: subject.command.map((part) => part.replaceAll(upstreamPlace, target)) };
  }

  /** @throws the signal's reason once it was aborted: nothing is started any more */
  start(role: Role, name: string, program: Program): HostProcess {
    return this.spawn(role, name, this.roles[role].command(program));
  }

  /** A client, with its CPUs kept awake if the server's are. */
  client(name: string, program: Program): HostProcess {
    return this.start('client', name, this.awake('client', program));
  }

  async end(one: HostProcess): Promise<void> {
    this.processes.splice(this.processes.indexOf(one), 1);
    await one.end(graceMs);
  }

  async endAll(): Promise<void> {
    await Promise.all(this.processes.splice(0).map((one) => one.end(graceMs)));
  }

  /**
   * Opens silent connections, spread over the servers, and waits until all stand on both ends.
   * @throws Error in one sentence when they do not
   */
  async holdIdle(connections: number, targets: readonly HostPort[]): Promise<IdleHolders> {
    const { sources, look } = this.roles.client;
    const { descriptorLimit, ephemeralPorts } = look.environment;
    const plan = (target: string, count: number) =>
      planHolders(target, count, descriptorLimit, ephemeralPorts, sources);
    // A holder gives up after twice the time of one handshake: no sooner than it would be given up here.
    const connectTimeoutS = standingMs(connections) / 2000;
    const cpus = this.pinning.client;
    const holders = targets
      .flatMap((target, index) =>
        idlePrograms(
          { target, connections: share(connections, targets.length, index), connectTimeoutS, cpus },
          plan,
        ),
      )
      .map(({ program }) => this.start('client', 'idle holder', program));
    const idle = new IdleHolders(connections, holders);
    await idle.total('standing', standingMs(connections));
    return idle;
  }

  /**
   * Waits until the CPUs of server and client rest, at most `settleMs`: a kernel goes on for a while after thousands of
   * connections were opened, and would do that work in the first window.
   */
  async settle(): Promise<void> {
    const deadline = performance.now() + settleMs;
    for (let from = await this.counters(); performance.now() < deadline; ) {
      await pause(restMs, undefined, { signal: this.signal });
      const to = await this.counters();
      const busy = (['server', 'client'] as const).map((role) =>
        timeIn(
          cpuTimesDifference(from[role].cpus ?? [], to[role].cpus ?? [], this.pinning[role]),
          busyStates,
        ),
      );
      if (Math.max(...busy) === 0) return;
      from = to;
    }
  }

  /** This instant on the clock of the client's host, nanoseconds. */
  async clientNow(): Promise<number> {
    return Math.round(toTheirs(await this.roles.client.clock(), monotonicNs()));
  }

  /** From here on the network's counters speak of the trial. */
  async watchNetwork(): Promise<void> {
    this.networkBefore = await this.counters();
  }

  /** What the network counted since it is watched; null when it never was, or the system has no counters. */
  async networkSince(): Promise<{ server: NetworkCounters; client: NetworkCounters | null } | null> {
    const before = this.networkBefore;
    if (!before) return null;
    const after = await this.counters();
    const difference = (role: Role) => {
      const [from, to] = [before[role].network, after[role].network];
      return from && to ? networkDifference(from, to) : null;
    };
    const server = difference('server');
    if (!server) return null;
    return { server, client: this.roles.client === this.roles.server ? null : difference('client') };
  }

  /** What server and CPUs count where a window begins. */
  async edge(servers: Servers): Promise<Edge> {
    return { before: await servers.snapshot(), counters: await this.counters(), linkUs: this.linkUs() };
  }

  /** The same where it ends, beside where it began. */
  async since(servers: Servers, { before, counters, linkUs }: Edge): Promise<Span> {
    const now = await this.counters();
    const linkNow = this.linkUs();
    const after = await servers.snapshot();
    const cpus = (role: Role) => {
      const [from, to] = [counters[role].cpus, now[role].cpus];
      return from && to ? cpuTimesDifference(from, to, this.pinning[role]) : null;
    };
    const [server, client] = [cpus('server'), cpus('client')];
    const [from, to] = [counters.server.waitedUs, now.server.waitedUs];
    return {
      before,
      after,
      cpus: server && client ? { server, client } : null,
      waitedUs: from === null || to === null ? null : to - from,
      ...(linkUs !== null && linkNow !== null
        ? { link: { cpus: [...(this.roles.link?.cpus ?? [])], cpuUs: linkNow - linkUs } }
        : {}),
    };
  }

  private linkUs(): number | null {
    return this.roles.link?.cpuUs() ?? null;
  }

  private async counters(): Promise<Counters> {
    const { server, client } = this.roles;
    const [first, second] = await Promise.all([
      server.counters(),
      client === server ? null : client.counters(),
    ]);
    return { server: first, client: second ?? first };
  }

  private awake(role: Role, program: Program): Program {
    return this.keptAwake ? awakeProgram(this.pinning[role], program) : program;
  }

  private spawn(role: Role, name: string, command: Command): HostProcess {
    this.signal.throwIfAborted();
    const started = this.roles[role].spawn(name, command);
    this.processes.push(started);
    return started;
  }
}

/** The processes that hold a trial's silent connections. */
export class IdleHolders {
  constructor(
    readonly asked: number,
    private readonly holders: readonly HostProcess[],
  ) {}

  /** How many stand now, and how often one broke and was opened again. */
  status(): Promise<{ standing: number; reconnects: number }> {
    for (const holder of this.holders) holder.send('status');
    return this.total('status', answerMs);
  }

  async total(event: 'standing' | 'status', timeoutMs: number) {
    const all = (await together(this.holders, event, timeoutMs)).map((line) =>
      validated(idleStatus, line, 'the idle holder'),
    );
    const sum = (of: 'standing' | 'reconnects') => all.reduce((total, one) => total + one[of], 0);
    return { standing: sum('standing'), reconnects: sum('reconnects') };
  }
}
