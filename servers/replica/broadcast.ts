/**
 * What a group costs before it agrees on anything: the first member hands each write to all others and acknowledges it when all
 * have it, without a log, a term or a vote. It asks all of them at once, or one after the answer of the one before.
 */
import type { ReplicaGroup } from '../../src/contract/quorum.js';
import { monotonicNow as now } from '../../src/monotonic.js';
import { type Frame, frameOf, Kind, type Spent } from '../../src/quorum/frames.js';
import { type Command, decodeCommand, Machine } from '../../src/quorum/machine.js';
import { encodeReply } from '../../src/quorum/requests.js';
import type { Core } from './core.js';
import type { Connection, Network } from './network.js';
import type { ReplicaOptions } from './options.js';
import type { Peers } from './peers.js';

const FIRST = 0;
const NUMBER_BYTES = 8;

interface Round {
  connection: Connection;
  command: Command;
  body: Uint8Array;
  /** members that have not answered */
  missing: number;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class BroadcastCore implements Core {
  readonly #id: number;
  readonly #members: number;
  readonly #inTurn: boolean;
  readonly #network: Network;
  readonly #peers: Peers;
  readonly #machine = new Machine();
  readonly #rounds = new Map<number, Round>();
  #lastRound = 0;
  #applied = 0;

  constructor(group: ReplicaGroup, options: ReplicaOptions, network: Network, peers: Peers) {
    this.#id = group.id;
    this.#members = group.replicas.length;
    this.#inTurn = options.inTurn;
    this.#network = network;
    this.#peers = peers;
  }

  /** A round's number: of the first member with the command behind it, of others alone, as their answer. */
  message({ from, body }: Frame, spent: Spent): void {
    if (body.length < NUMBER_BYTES) throw new Error('no round');
    if (from !== FIRST) {
      this.#answered(viewOf(body).getFloat64(0, true), from, spent);
      return;
    }
    this.#apply(decodeCommand(body.subarray(NUMBER_BYTES)));
    this.#send(FIRST, body.slice(0, NUMBER_BYTES), spent);
  }

  request(connection: Connection, { body }: Frame, spent: Spent): void {
    const command = decodeCommand(body);
    if (this.#id !== FIRST || command.operation.kind === 'get') {
      this.#acknowledge(connection, command, this.#id === FIRST ? this.#apply(command) : null, spent);
      return;
    }
    const number = ++this.#lastRound;
    const numbered = new Uint8Array(NUMBER_BYTES + body.length);
    viewOf(numbered).setFloat64(0, number, true);
    numbered.set(body, NUMBER_BYTES);
    const round = { connection, command, body: numbered, missing: this.#members - 1 };
    this.#rounds.set(number, round);
    this.#ask(round, FIRST, spent);
  }

  /** Asks who comes after `member`, or all who do. */
  #ask({ body }: Round, member: number, spent: Spent): void {
    const end = this.#inTurn ? Math.min(member + 2, this.#members) : this.#members;
    for (let to = member + 1; to < end; to++) this.#send(to, body, spent);
  }

  #answered(number: number, from: number, spent: Spent): void {
    const round = this.#rounds.get(number);
    if (round === undefined) throw new Error('no such round');
    round.missing--;
    if (round.missing > 0) {
      if (this.#inTurn) this.#ask(round, from, spent);
      return;
    }
    this.#rounds.delete(number);
    this.#acknowledge(round.connection, round.command, this.#apply(round.command), spent);
  }

  #apply(command: Command): string | null {
    this.#applied++;
    return this.#machine.apply(command);
  }

  #send(to: number, body: Uint8Array, spent: Spent): void {
    this.#peers.send(to, frameOf(Kind.broadcast, this.#id, now(), spent, body));
  }

  /** @param reply null: this is not the first member, or the command was an older one of its client */
  #acknowledge(connection: Connection, command: Command, reply: string | null, spent: Spent): void {
    const { client, sequence } = command;
    const body = encodeReply({
      ...{ client, sequence, view: 0, leader: FIRST },
      state: reply === null ? 'elsewhere' : 'done',
      reply: reply ?? '',
    });
    this.#network.send(connection, frameOf(Kind.reply, this.#id, now(), spent, body));
  }

  turnEnds(): void {}
  tick(): void {}
  compact(): void {}
  patience(): number {
    return Number.POSITIVE_INFINITY;
  }

  state() {
    return {
      role: this.#id === FIRST ? ('leader' as const) : ('follower' as const),
      term: 0,
      applied: this.#applied,
      trail: [],
      requests: this.#applied,
      log: null,
    };
  }

  close(): void {}
}
