/** A replica of PBFT: the protocol of src/quorum/pbft with a network, seals, a clock and a machine; or one that is faulty. */
import type { ReplicaGroup } from '../../src/contract/quorum.js';
import { monotonicNow as now } from '../../src/monotonic.js';
import { type Frame, frameOf, Kind, nothingSpent, type Spent } from '../../src/quorum/frames.js';
import { type Command, decodeCommand } from '../../src/quorum/machine.js';
import { Execution } from '../../src/quorum/pbft/execution.js';
import type { Executed, Input, Message, Output } from '../../src/quorum/pbft/messages.js';
import { isPrimary, type PbftState, primaryOf, start } from '../../src/quorum/pbft/state.js';
import { step } from '../../src/quorum/pbft/step.js';
import { decodeMessages } from '../../src/quorum/pbft/wire.js';
import { encodeReply } from '../../src/quorum/requests.js';
import {
  digestOf,
  digestOfDigests,
  type FrameSeal,
  type RequestSeal,
  requestSeal,
} from '../../src/sealing/seal.js';
import { type Core, spentAlso, TICK_MS } from './core.js';
import { type Faulty, faultyBy } from './faults.js';
import type { Connection, Network } from './network.js';
import type { ReplicaOptions } from './options.js';
import { Outbox } from './outbox.js';
import type { Peers } from './peers.js';
import { Trail } from './trail.js';

/** Batches between checkpoints, and beyond the last stable one. */
const CHECKPOINT_EVERY = 128;
const WINDOW = 4 * CHECKPOINT_EVERY;
const MOST_UNDER_WAY = 32;
const STATUS_MS = 100;
/** For so long is held what nobody waits for: some rounds, and far less than anybody's patience. */
const MOMENT_MS = 2;

/** What is known of a request's bytes, as long as they are held. */
interface Known {
  digest?: string;
  command?: Command | null;
  authentic?: boolean;
}

export class PbftCore implements Core {
  readonly #state: PbftState;
  readonly #execution: Execution;
  readonly #id: number;
  readonly #network: Network;
  readonly #outbox: Outbox;
  readonly #requestSeal: RequestSeal;
  readonly #known = new WeakMap<Uint8Array, Known>();
  readonly #clients = new Map<number, Connection>();
  readonly #faulty: Faulty | null;
  #requests = 0;
  readonly #trail = new Trail();
  #cryptoUs = 0;
  /** what led to what is carried out now */
  #spent = nothingSpent;
  #heldUntilNs = Number.POSITIVE_INFINITY;
  #late: { atNs: number; to: number; message: Message }[] = [];

  constructor(group: ReplicaGroup, options: ReplicaOptions, seal: FrameSeal, network: Network, peers: Peers) {
    const replicas = group.replicas.length;
    this.#id = group.id;
    this.#network = network;
    this.#outbox = new Outbox(group.id, replicas, seal, peers);
    this.#requestSeal = requestSeal(options.seal, group, group.id, replicas);
    this.#execution = new Execution({
      commandOf: (request) => this.#command(request),
      replied: (command, reply, tentative) => this.#answer(command, reply, tentative),
      settled: (executed) => this.#settled(executed),
    });
    this.#state = start({
      id: group.id,
      replicas,
      checkpointEvery: CHECKPOINT_EVERY,
      window: WINDOW,
      mostRequests: options.batch,
      mostUnderWay: MOST_UNDER_WAY,
      requestTicks: Math.ceil(options.patienceMs / TICK_MS),
      statusTicks: STATUS_MS / TICK_MS,
      digest: (parts) => this.#digest(parts),
      isAuthentic: (request) => this.#isAuthentic(request),
      isDone: (request) => this.#execution.isDone(request),
    });
    this.#faulty =
      options.fault === null ? null : faultyBy(options.fault, replicas, options.patienceMs, this.#digest);
  }

  #of(request: Uint8Array): Known {
    let known = this.#known.get(request);
    if (known === undefined) {
      known = {};
      this.#known.set(request, known);
    }
    return known;
  }

  readonly #digest = (parts: readonly Uint8Array[]): string => {
    const began = now();
    const digests = parts.map((part) => {
      const known = this.#of(part);
      known.digest ??= digestOf(part);
      return known.digest;
    });
    const digest = digests.length === 1 ? digests[0]! : digestOfDigests(digests);
    this.#cryptoUs += (now() - began) / 1000;
    return digest;
  };

  /** null: these bytes are no request */
  #command(request: Uint8Array): Command | null {
    const known = this.#of(request);
    if (known.command === undefined) {
      try {
        known.command = decodeCommand(request.subarray(this.#requestSeal.headBytes));
      } catch {
        known.command = null;
      }
    }
    return known.command;
  }

  #isAuthentic(request: Uint8Array): boolean {
    const known = this.#of(request);
    if (known.authentic === undefined) {
      const command = this.#command(request);
      const began = now();
      known.authentic = command !== null && this.#requestSeal.isAuthentic(request, command.client);
      this.#cryptoUs += (now() - began) / 1000;
    }
    return known.authentic;
  }

  message({ from, body }: Frame, spent: Spent): void {
    for (const message of decodeMessages(body)) this.#take({ kind: 'message', from, message }, spent);
  }

  request(connection: Connection, { from, body }: Frame, spent: Spent): void {
    // With an empty one a client says where it hears replies.
    if (body.length === 0) {
      this.#clients.set(from, connection);
      return;
    }
    const request = body.slice();
    const command = this.#command(request);
    if (command === null) throw new Error('no command');
    if (!this.#isAuthentic(request)) return;
    this.#clients.set(command.client, connection);
    this.#spent = spent;
    if (!this.#execution.repeatReply(command)) this.#take({ kind: 'request', requests: [request] }, spent);
  }

  turnEnds(): void {
    if (now() >= this.#heldUntilNs) this.#take({ kind: 'moment' }, nothingSpent);
    if (this.#state.held.length === 0) this.#heldUntilNs = Number.POSITIVE_INFINITY;
    else if (this.#heldUntilNs === Number.POSITIVE_INFINITY) this.#heldUntilNs = now() + MOMENT_MS * 1e6;
    while (this.#late.length > 0 && this.#late[0]!.atNs <= now()) {
      const { to, message } = this.#late.shift()!;
      this.#outbox.add(to, message, nothingSpent);
    }
    this.#outbox.send();
  }

  tick(): void {
    this.#take({ kind: 'tick' }, nothingSpent);
    for (const [client, connection] of this.#clients) if (connection.closed) this.#clients.delete(client);
  }

  compact(): void {}

  patience(): number {
    const at = Math.min(this.#heldUntilNs, this.#late[0]?.atNs ?? Number.POSITIVE_INFINITY);
    return (at - now()) / 1e6;
  }

  #take(input: Input, before: Spent): void {
    this.#cryptoUs = 0;
    const output = step(this.#state, input);
    const spent = spentAlso(before, { crypto: this.#cryptoUs });
    this.#spent = spent;
    if (output.restored) this.#trail.lose();
    const states = this.#execution.carryOut(output);
    this.#send(output, spent);
    for (const { sequence, data } of states) this.#take({ kind: 'checkpoint', sequence, data }, nothingSpent);
  }

  #settled({ sequence, digest, batch }: Executed): void {
    this.#requests += batch.length;
    this.#trail.add(sequence, digest);
  }

  #send({ messages }: Output, spent: Spent): void {
    for (const { to, message } of messages) {
      if (this.#faulty === null) {
        this.#outbox.add(to, message, spent);
        continue;
      }
      for (const { late, ...lie } of this.#faulty.says(to, message))
        if (late === 0) this.#outbox.add(lie.to, lie.message, spent);
        else this.#late.push({ ...lie, atNs: now() + late * 1e6 });
    }
    this.#late.sort((a, b) => a.atNs - b.atNs);
  }

  #answer({ client, sequence }: Command, reply: string, tentative: boolean): void {
    const connection = this.#clients.get(client);
    if (connection === undefined || connection.closed) return;
    const said = this.#faulty === null ? reply : this.#faulty.replies(reply);
    if (said === null) return;
    const { view } = this.#state;
    const body = encodeReply({
      ...{ client, sequence, view },
      state: tentative ? 'tentative' : 'done',
      leader: primaryOf(this.#state, view),
      reply: said,
    });
    this.#network.send(connection, frameOf(Kind.reply, this.#id, now(), this.#spent, body));
  }

  state() {
    return {
      role: isPrimary(this.#state) ? ('primary' as const) : ('backup' as const),
      term: this.#state.view,
      applied: this.#state.executed,
      trail: this.#trail.entries(),
      requests: this.#requests,
      log: null,
    };
  }

  close(): void {}
}
