/** A replica of PBFT: the protocol of src/quorum/pbft with a network, seals, a clock and a machine; or one that is faulty. */
import { createHash } from 'node:crypto';
import type { ReplicaGroup } from '../../src/contract/quorum.js';
import { monotonicNow as now } from '../../src/monotonic.js';
import { type Frame, frameOf, Kind, nothingSpent, type Spent } from '../../src/quorum/frames.js';
import { type Command, decodeCommand, Machine } from '../../src/quorum/machine.js';
import type { Input, Message, Output } from '../../src/quorum/pbft/messages.js';
import { isPrimary, type PbftState, primaryOf, start } from '../../src/quorum/pbft/state.js';
import { step } from '../../src/quorum/pbft/step.js';
import { decodeMessage, encodeMessage } from '../../src/quorum/pbft/wire.js';
import { encodeReply } from '../../src/quorum/requests.js';
import { type FrameSeal, type RequestSeal, requestSeal } from '../../src/sealing/seal.js';
import { type Core, spentAlso, TICK_MS } from './core.js';
import { type Faulty, faultyBy } from './faults.js';
import type { Connection, Network } from './network.js';
import type { ReplicaOptions } from './options.js';
import type { Peers } from './peers.js';

/** Batches between checkpoints, and beyond the last stable one. */
const CHECKPOINT_EVERY = 128;
const WINDOW = 4 * CHECKPOINT_EVERY;
const MOST_UNDER_WAY = 32;
const STATUS_MS = 100;

/** What is known of a request's bytes, as long as they are held. */
interface Known {
  digest?: string;
  command?: Command | null;
  authentic?: boolean;
}

export class PbftCore implements Core {
  readonly #state: PbftState;
  #machine = new Machine();
  readonly #id: number;
  readonly #network: Network;
  readonly #peers: Peers;
  readonly #seal: FrameSeal;
  readonly #requestSeal: RequestSeal;
  readonly #known = new WeakMap<Uint8Array, Known>();
  readonly #clients = new Map<number, Connection>();
  readonly #faulty: Faulty | null;
  #requests = 0;
  #history: string | null = createHash('sha256').digest('hex');
  #cryptoUs = 0;
  #late: { atNs: number; to: number; message: Message }[] = [];

  constructor(group: ReplicaGroup, options: ReplicaOptions, seal: FrameSeal, network: Network, peers: Peers) {
    const replicas = group.replicas.length;
    this.#id = group.id;
    this.#network = network;
    this.#peers = peers;
    this.#seal = seal;
    this.#requestSeal = requestSeal(options.seal, group, group.id, replicas);
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
      isDone: (request) => this.#isDone(request),
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
    const [only] = parts;
    const known = parts.length === 1 ? this.#of(only!) : {};
    if (known.digest === undefined) {
      const began = now();
      const hash = createHash('sha256');
      for (const part of parts) hash.update(`${part.length} `).update(part);
      known.digest = hash.digest('hex');
      this.#cryptoUs += (now() - began) / 1000;
    }
    return known.digest;
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

  #isDone(request: Uint8Array): boolean {
    const command = this.#command(request);
    return command !== null && this.#machine.isDone(command.client, command.sequence);
  }

  message({ from, body }: Frame, spent: Spent): void {
    this.#take({ kind: 'message', from, message: decodeMessage(body) }, spent);
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
    const reply = this.#machine.replied(command.client, command.sequence);
    if (reply !== undefined) this.#answer(command, reply, spent);
    else this.#take({ kind: 'request', requests: [request] }, spent);
  }

  turnEnds(): void {}

  tick(): void {
    this.#take({ kind: 'tick' }, nothingSpent);
    for (const [client, connection] of this.#clients) if (connection.closed) this.#clients.delete(client);
  }

  patience(): number {
    this.#sendLate();
    return this.#late.length === 0 ? Number.POSITIVE_INFINITY : (this.#late[0]!.atNs - now()) / 1e6;
  }

  #take(input: Input, before: Spent): void {
    this.#cryptoUs = 0;
    const output = step(this.#state, input);
    const spent = spentAlso(before, { crypto: this.#cryptoUs });
    const states = this.#carryOut(output, spent);
    this.#send(output, spent);
    for (const { sequence, data } of states) this.#take({ kind: 'checkpoint', sequence, data }, nothingSpent);
  }

  /** @returns the states that were asked for */
  #carryOut({ restored, executed, checkpoints }: Output, spent: Spent) {
    if (restored) {
      this.#machine = Machine.restored(restored.data);
      this.#history = null;
    }
    const states: { sequence: number; data: Uint8Array }[] = [];
    for (const { sequence, digest, batch } of executed) {
      if (this.#history !== null)
        this.#history = createHash('sha256').update(this.#history).update(digest).digest('hex');
      for (const request of batch) {
        const command = this.#command(request)!;
        this.#requests++;
        const reply = this.#machine.apply(command);
        if (reply !== null) this.#answer(command, reply, spent);
      }
      if (checkpoints.includes(sequence)) states.push({ sequence, data: this.#machine.snapshot() });
    }
    return states;
  }

  #send({ messages }: Output, spent: Spent): void {
    if (this.#faulty === null) {
      this.#sendAll(messages, spent);
      return;
    }
    for (const { to, message } of messages)
      for (const { late, ...lie } of this.#faulty.says(to, message))
        if (late === 0) this.#sendAll([lie], spent);
        else this.#late.push({ ...lie, atNs: now() + late * 1e6 });
    this.#late.sort((a, b) => a.atNs - b.atNs);
  }

  #sendLate(): void {
    while (this.#late.length > 0 && this.#late[0]!.atNs <= now())
      this.#sendAll([this.#late.shift()!], nothingSpent);
  }

  /** A message that goes to several is made once, and signed once where one signature does for all. */
  #sendAll(messages: readonly { to: number; message: Message }[], before: Spent): void {
    let made: Message | null = null;
    let frame: Uint8Array | null = null;
    let spent = before;
    const { tagBytes, each } = this.#seal;
    for (const { to, message } of messages) {
      if (message !== made) {
        made = message;
        frame = frameOf(Kind.pbft, this.#id, now(), spent, encodeMessage(message), tagBytes);
      } else if (!each) {
        this.#peers.send(to, frame!);
        continue;
      } else {
        frame = frame!.slice();
      }
      if (tagBytes > 0) {
        const began = now();
        this.#seal.seal(frame, to);
        spent = spentAlso(spent, { crypto: (now() - began) / 1000 });
      }
      this.#peers.send(to, frame);
    }
  }

  #answer({ client, sequence }: Command, reply: string, spent: Spent): void {
    const connection = this.#clients.get(client);
    if (connection === undefined || connection.closed) return;
    const said = this.#faulty === null ? reply : this.#faulty.replies(reply);
    if (said === null) return;
    const leader = primaryOf(this.#state, this.#state.view);
    const body = encodeReply({ client, sequence, state: 'done', leader, reply: said });
    this.#network.send(connection, frameOf(Kind.reply, this.#id, now(), spent, body));
  }

  state() {
    return {
      role: isPrimary(this.#state) ? ('primary' as const) : ('backup' as const),
      term: this.#state.view,
      applied: this.#state.executed,
      history: this.#history ?? '',
      requests: this.#requests,
      log: null,
    };
  }

  close(): void {}
}
