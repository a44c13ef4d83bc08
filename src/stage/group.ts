/** What a group of replicas is, and one of ours, whose members are told of each other once all listen. */
import { randomBytes } from 'node:crypto';
import type { BackendName } from '../contract/common.js';
import type { QuorumFault, QuorumProtocol, QuorumSealName } from '../contract/names.js';
import {
  type QuorumSystem,
  type ReplicaGroup,
  type ReplicaHello,
  type ReplicaSnapshot,
  replicaEvent,
  replicaHello,
  replicaSnapshot,
} from '../contract/quorum.js';
import { validated } from '../contract/validated.js';
import type { HostProcess } from '../hosts/host.js';
import type { Program } from '../hosts/program.js';
import type { HostPort } from '../options.js';
import { monotonicNs } from '../process.js';
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
  /** a broadcast asks one member after the answer of the one before; left out: all at once */
  inTurn?: boolean | undefined;
  /** what the first replicas do, and how many of them */
  fault: QuorumFault | null;
  faulty: number;
  /** milliseconds without a leader until an election; left out: what the system takes by itself */
  patienceMs?: number | undefined;
  snapshotAfter?: number | undefined;
}

/** A state may take so long to be written out, or to reach a replica that has none, milliseconds. */
const stateMs = 120_000;

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

/** A replica that lost everything. */
export interface Resync {
  /** bytes of the state it was given */
  bytes: number;
  /** from when it knew of the others until it had that on its disk */
  tookNs: number;
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
  /** Has every replica make a snapshot of its state; left out: it cannot be asked to. */
  compact?(): Promise<void>;
  /** Kills one, lets it come back with nothing, and waits until it has the state of the others; left out: likewise. */
  resync?(replica: number): Promise<Resync>;
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

/** One after another, replicas are on each of the sides. */
export const sideOf = ({ sides }: Ground, id: number): Side => sides[id % sides.length]!;

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

  async #start(id: number, before?: ReplicaHello, empty = false): Promise<Member> {
    const { system, fault, faulty, fsync, ...spec } = this.#spec;
    const { role, address, cpus } = sideOf(this.#ground, id);
    const running = this.#ground.start(
      role,
      `replica ${id}`,
      replicaProgram({
        ...spec,
        ...{ address, cpus, fsync, empty },
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

  async restart(replica: number, empty = false): Promise<void> {
    const member = await this.#start(replica, this.#members[replica]!.hello, empty);
    this.#members[replica] = member;
    this.#tell(replica, member.running);
  }

  async compact(): Promise<void> {
    for (const { running } of this.#members) running.send('compact');
    await Promise.all(this.#members.map(({ running }) => running.expect('compacted', stateMs)));
  }

  async resync(replica: number): Promise<Resync> {
    await this.kill(replica);
    await this.restart(replica, true);
    const began = monotonicNs();
    const line = await this.#members[replica]!.running.expect('restored', stateMs);
    const { bytes, monotonicNs: ended } = validated(replicaEvent, line, `what replica ${replica} has`);
    return { bytes, tookNs: ended - began };
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

/** @throws Error in one sentence when it does not stand */
export function openGroup(spec: GroupSpec, ground: Ground): Promise<Group> {
  const { backend } = spec;
  if (backend === null) throw new Error('replicas of ours wait with a backend');
  return OwnGroup.open({ ...spec, backend }, ground);
}
