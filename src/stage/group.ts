/** Groups of replicas: ours, whose members are told of each other once all listen, and etcd's, who are told before they start. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendName } from '../contract/common.js';
import type { QuorumFault, QuorumProtocol, QuorumSealName } from '../contract/names.js';
import {
  type QuorumSystem,
  type ReplicaGroup,
  type ReplicaHello,
  type ReplicaSnapshot,
  replicaHello,
  replicaSnapshot,
} from '../contract/quorum.js';
import { foreignHello } from '../contract/server.js';
import { validated } from '../contract/validated.js';
import { freePort } from '../free-port.js';
import type { HostProcess } from '../hosts/host.js';
import type { Program } from '../hosts/program.js';
import { whereIs } from '../hosts/where-is.js';
import { type HostPort, targetText } from '../options.js';
import { monotonicNs } from '../process.js';
import { wrapped } from '../programs/foreign.js';
import { replicaProgram } from '../programs/quorum.js';
import { groupKeys } from '../sealing/seal.js';
import { answerMs } from './patience.js';
import type { Role, Stage } from './stage.js';

export interface GroupSpec {
  system: QuorumSystem;
  /** what replicas of ours wait with; null: of others */
  backend: BackendName | null;
  replicas: number;
  fsync: boolean;
  seal: QuorumSealName;
  /** requests in a batch of PBFT */
  batch: number;
  /** what the first replicas do, and how many of them */
  fault: QuorumFault | null;
  faulty: number;
  /** milliseconds without a leader until an election; left out: what the system takes by itself */
  patienceMs?: number | undefined;
  snapshotAfter?: number | undefined;
}

/** Where replicas stand. */
interface Side {
  role: Role;
  address: string;
  cpus: readonly number[];
}

/** Where a group stands: one after another, replicas are on each of these sides. */
export interface Ground {
  sides: readonly [Side, ...Side[]];
  start(role: Role, name: string, program: Program): HostProcess;
  /** Ends one of them, if it still runs. */
  end(one: HostProcess): Promise<void>;
}

export interface Group {
  readonly places: readonly HostPort[];
  /** the clients' keys */
  readonly clientKeys: readonly string[];
  /** what each says of itself; null: it is not ours */
  readonly hellos: readonly (ReplicaHello | null)[];
  /** Kills one by SIGKILL. @returns when, by this machine's monotonic clock, nanoseconds */
  kill(replica: number): Promise<number>;
  /** Starts it again on what it has on its disk. */
  restart(replica: number): Promise<void>;
  /** What each counts now; null: it is not ours, and does not tell. */
  snapshots(id: string): Promise<ReplicaSnapshot[] | null>;
  close(): Promise<void>;
}

/** @param spread replicas are on the client's side as well, so that they reach each other over what lies between the two */
export function groundOf(stage: Stage, spread = false): Ground {
  const { server, client } = stage.roles;
  const { pinning } = stage;
  const [own, other] = [
    { role: 'server', address: stage.address, cpus: pinning.server } as const,
    { role: 'client', address: client.addressFor(server), cpus: pinning.client } as const,
  ];
  return {
    sides: spread ? [own, other] : [own],
    start: (role, name, program) => stage.start(role, name, program),
    end: (one) => stage.end(one),
  };
}

const sideOf = ({ sides }: Ground, id: number): Side => sides[id % sides.length]!;

/** Why there can be no group of that system here, and how to get it; undefined: there can. */
export const missingGroup = (system: QuorumSystem): string | undefined =>
  system === 'etcd' && whereIs('etcd') === null
    ? 'there is no etcd here: install it (Debian, Ubuntu: apt install etcd-server)'
    : undefined;

/** Until one that was killed has ended. */
async function gone(one: HostProcess): Promise<void> {
  const deadline = performance.now() + answerMs;
  while (one.ended() === null && performance.now() < deadline)
    await new Promise((next) => setTimeout(next, 1));
  if (one.ended() === null) throw new Error(`${one.name} was killed and did not end`);
}

interface Member {
  hello: ReplicaHello;
  running: HostProcess;
}

class OwnGroup implements Group {
  readonly #spec: GroupSpec & { backend: BackendName };
  readonly #ground: Ground;
  readonly #members: Member[] = [];
  readonly #token = randomBytes(16).toString('hex');
  readonly #keys: ReturnType<typeof groupKeys>;

  private constructor(spec: GroupSpec & { backend: BackendName }, ground: Ground) {
    this.#spec = spec;
    this.#ground = ground;
    this.#keys = groupKeys(spec.seal, spec.replicas);
  }

  static async open(spec: GroupSpec & { backend: BackendName }, ground: Ground): Promise<OwnGroup> {
    const group = new OwnGroup(spec, ground);
    const members = await Promise.all(Array.from({ length: spec.replicas }, (_, id) => group.#start(id)));
    group.#members.push(...members);
    for (const [id, { running }] of members.entries()) group.#tell(id, running);
    return group;
  }

  get places(): HostPort[] {
    return this.#members.map(({ hello: { address, port } }) => ({ host: address, port }));
  }

  get hellos(): ReplicaHello[] {
    return this.#members.map(({ hello }) => hello);
  }

  get clientKeys(): string[] {
    return this.#keys.clients;
  }

  async #start(id: number, before?: ReplicaHello): Promise<Member> {
    const { system, fault, faulty, fsync, ...spec } = this.#spec;
    const { role, address, cpus } = sideOf(this.#ground, id);
    const running = this.#ground.start(
      role,
      `replica ${id}`,
      replicaProgram({
        ...spec,
        ...{ address, cpus, fsync },
        protocol: system as QuorumProtocol,
        fault: fault !== null && id < faulty ? fault : undefined,
        ...(before && { port: before.port, folder: before.folder ?? undefined, temporary: true }),
      }),
    );
    const line = await running.expect('hello', answerMs);
    return { running, hello: validated(replicaHello, line, `what replica ${id} says of itself`) };
  }

  #tell(id: number, running: HostProcess): void {
    const group: ReplicaGroup = {
      id,
      replicas: this.places,
      token: this.#token,
      ...this.#keys.of(id),
    };
    running.send(`group ${JSON.stringify(group)}`);
  }

  async kill(replica: number): Promise<number> {
    const { running } = this.#members[replica]!;
    const at = monotonicNs();
    running.send('crash');
    await gone(running);
    await this.#ground.end(running);
    return at;
  }

  async restart(replica: number): Promise<void> {
    const member = await this.#start(replica, this.#members[replica]!.hello);
    this.#members[replica] = member;
    this.#tell(replica, member.running);
  }

  snapshots(id: string): Promise<ReplicaSnapshot[]> {
    return Promise.all(
      this.#members.map(async ({ running }, number) => {
        running.send(`snapshot ${id}`);
        const line = await running.expect('snapshot', answerMs);
        return validated(replicaSnapshot, line, `what replica ${number} counts`);
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ running }) => this.#ground.end(running)));
  }
}

class EtcdGroup implements Group {
  readonly hellos: null[];
  readonly clientKeys: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'dispatchbench-etcd-'));
  readonly #spec: GroupSpec;
  readonly #ground: Ground;
  /** of clients and of members */
  readonly #urls: { client: HostPort; peer: HostPort }[] = [];
  readonly #members: { running: HostProcess; pid: number }[] = [];

  private constructor(spec: GroupSpec, ground: Ground) {
    this.#spec = spec;
    this.#ground = ground;
    this.hellos = Array.from({ length: spec.replicas }, () => null);
  }

  static async open(spec: GroupSpec, ground: Ground): Promise<EtcdGroup> {
    const group = new EtcdGroup(spec, ground);
    try {
      for (let id = 0; id < spec.replicas; id++) group.#urls.push(await group.#choose(id));
      group.#members.push(
        ...(await Promise.all(Array.from({ length: spec.replicas }, (_, id) => group.#start(id)))),
      );
    } catch (error) {
      group.#remove();
      throw error;
    }
    return group;
  }

  get places(): HostPort[] {
    return this.#urls.map(({ client }) => client);
  }

  async #choose(id: number): Promise<{ client: HostPort; peer: HostPort }> {
    const { address: host } = sideOf(this.#ground, id);
    return { client: { host, port: await freePort() }, peer: { host, port: await freePort() } };
  }

  async #start(id: number): Promise<{ running: HostProcess; pid: number }> {
    const { role, address, cpus } = sideOf(this.#ground, id);
    const at = (place: HostPort) => `http://${targetText(place)}`;
    const { client, peer } = this.#urls[id]!;
    const { patienceMs } = this.#spec;
    const program: Program = {
      path: whereIs('etcd') ?? 'etcd',
      args: [
        ...['--name', `m${id}`, '--data-dir', join(this.#folder, `m${id}`)],
        ...['--listen-client-urls', at(client), '--advertise-client-urls', at(client)],
        ...['--listen-peer-urls', at(peer), '--initial-advertise-peer-urls', at(peer)],
        '--initial-cluster',
        this.#urls.map(({ peer: place }, other) => `m${other}=${at(place)}`).join(','),
        ...['--initial-cluster-state', 'new', '--logger', 'zap', '--log-level', 'error'],
        // Ours waits as long at least, and up to twice as long, with five heartbeats in that time.
        ...(patienceMs === undefined
          ? []
          : ['--election-timeout', `${patienceMs}`, '--heartbeat-interval', `${Math.ceil(patienceMs / 5)}`]),
      ],
    };
    const spec = {
      protocol: 'http',
      address,
      port: client.port,
      cpus,
      control: true,
      readyTimeoutMs: answerMs,
    } as const;
    const running = this.#ground.start(role, `etcd ${id}`, wrapped(spec, program));
    const hello = validated(foreignHello, await running.expect('hello', 2 * answerMs), `etcd ${id}`);
    return { running, pid: hello.pid };
  }

  async kill(replica: number): Promise<number> {
    const { running, pid } = this.#members[replica]!;
    const at = monotonicNs();
    process.kill(pid, 'SIGKILL');
    await gone(running);
    await this.#ground.end(running);
    return at;
  }

  async restart(replica: number): Promise<void> {
    this.#members[replica] = await this.#start(replica);
  }

  async snapshots(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    // It takes seconds to leave a group that comes apart: nothing of it is needed any more.
    for (const { pid } of this.#members) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it is gone
      }
    }
    await Promise.all(this.#members.map(({ running }) => this.#ground.end(running)));
    this.#remove();
  }

  #remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @throws Error in one sentence when it does not stand */
export function openGroup(spec: GroupSpec, ground: Ground): Promise<Group> {
  const { system, backend } = spec;
  if (system === 'etcd') return EtcdGroup.open(spec, ground);
  if (backend === null) throw new Error('replicas of ours wait with a backend');
  return OwnGroup.open({ ...spec, backend }, ground);
}
