/** A member of Raft: the protocol of src/quorum/raft with a network, a disk, a clock and a machine. */
import type { ReplicaEvent, ReplicaGroup } from '../../src/contract/quorum.js';
import { monotonicNow as now } from '../../src/monotonic.js';
import { type Frame, frameOf, Kind, nothingSpent, type Spent } from '../../src/quorum/frames.js';
import { type Command, decodeCommand, Machine } from '../../src/quorum/machine.js';
import type { Entry } from '../../src/quorum/raft/log.js';
import type { Addressed, Input } from '../../src/quorum/raft/messages.js';
import { type RaftState, start } from '../../src/quorum/raft/state.js';
import { step } from '../../src/quorum/raft/step.js';
import { decodeMessage, encodeMessage } from '../../src/quorum/raft/wire.js';
import { encodeReply } from '../../src/quorum/requests.js';
import { digestOf, digestOfDigests } from '../../src/sealing/seal.js';
import { type Core, spentAlso, TICK_MS } from './core.js';
import type { Disk } from './disk.js';
import type { Connection, Network } from './network.js';
import type { ReplicaOptions } from './options.js';
import type { Peers } from './peers.js';
import { SnapshotMaker } from './snapshot-maker.js';

/** Bytes of entries in one message, entries on their way to a follower, and bytes of a snapshot in one message. */
const MOST_BYTES = 1 << 20;
const MOST_IN_FLIGHT = 4096;
const CHUNK_BYTES = 1 << 20;
/** Bytes of commands after which a snapshot takes their place however few they are. */
const MOST_LOG_BYTES = 64 << 20;
/** Heartbeats in the shortest election timeout. */
const HEARTBEATS = 5;

interface Asked {
  connection: Connection;
  command: Command;
}

/** What a write brings once it is durable. */
interface Waiting {
  number: number;
  atNs: number;
  spent: Spent;
  messages: readonly Addressed[];
}

export class RaftCore implements Core {
  readonly #state: RaftState;
  #machine: Machine;
  readonly #id: number;
  readonly #disk: Disk;
  readonly #network: Network;
  readonly #peers: Peers;
  readonly #snapshotAfter: number;
  #applied: number;
  #logBytes = 0;
  #requests = 0;
  #waiting: Waiting[] = [];
  readonly #asked = new Map<number, Asked & { term: number }>();
  readonly #reads = new Map<number, Asked>();
  #lastRead = 0;
  /** of this turn */
  #commands: { bytes: Uint8Array; asked: Asked }[] = [];
  #questions: number[] = [];
  #turnSpent = nothingSpent;
  #snapshot: SnapshotMaker | null = null;
  #compactionAsked = false;
  /** a state of others, until it is durable: by which write, and how long it is */
  #restored: { number: number; bytes: number } | null = null;
  readonly #tell: (line: ReplicaEvent) => void;

  constructor(
    group: ReplicaGroup,
    options: ReplicaOptions,
    disk: Disk,
    network: Network,
    peers: Peers,
    tell: (line: ReplicaEvent) => void,
  ) {
    const electionTicks = Math.ceil(options.patienceMs / TICK_MS);
    this.#id = group.id;
    this.#disk = disk;
    this.#network = network;
    this.#peers = peers;
    this.#snapshotAfter = options.snapshotAfter;
    this.#tell = tell;
    const { snapshot } = disk.durable;
    this.#state = start(
      {
        id: group.id,
        members: group.replicas.length,
        electionTicks,
        heartbeatTicks: Math.max(1, Math.floor(electionTicks / HEARTBEATS)),
        preVote: true,
        mostBytes: MOST_BYTES,
        mostInFlight: MOST_IN_FLIGHT,
        chunkBytes: CHUNK_BYTES,
        digest: (chunks) => digestOfDigests(chunks.map(digestOf)),
        votes: !disk.lost,
        random: Math.random,
      },
      disk.durable,
    );
    this.#machine = snapshot ? Machine.restored(snapshot.data) : new Machine();
    this.#applied = snapshot?.index ?? 0;
    if (disk.descriptor >= 0) network.watch(disk.descriptor, () => this.#synced());
  }

  message({ from, body }: Frame, spent: Spent): void {
    this.#take({ kind: 'message', from, message: decodeMessage(body) }, spent);
  }

  request(connection: Connection, { body }: Frame, spent: Spent): void {
    const bytes = body.slice();
    const asked = { connection, command: decodeCommand(bytes) };
    this.#turnSpent = spent;
    if (asked.command.operation.kind !== 'get') {
      this.#commands.push({ bytes, asked });
      return;
    }
    this.#reads.set(++this.#lastRead, asked);
    this.#questions.push(this.#lastRead);
  }

  turnEnds(): void {
    const [commands, questions] = [this.#commands, this.#questions];
    if (commands.length > 0) {
      this.#commands = [];
      this.#propose(commands);
    }
    if (questions.length > 0) {
      this.#questions = [];
      this.#take({ kind: 'read', ids: questions }, this.#turnSpent);
    }
    this.#goOnWithSnapshot();
  }

  #propose(commands: readonly { bytes: Uint8Array; asked: Asked }[]): void {
    const { role, log, term } = this.#state;
    if (role !== 'leader') {
      for (const { asked } of commands) this.#answer(asked, null, this.#turnSpent);
      return;
    }
    for (const [i, { asked }] of commands.entries())
      this.#asked.set(log.lastIndex + 1 + i, { ...asked, term });
    this.#take({ kind: 'request', commands: commands.map(({ bytes }) => bytes) }, this.#turnSpent);
  }

  tick(): void {
    this.#take({ kind: 'tick' }, nothingSpent);
  }

  patience(): number {
    return this.#snapshot === null ? Number.POSITIVE_INFINITY : 0;
  }

  #take(input: Input, spent: Spent): void {
    const state = this.#state;
    const output = step(state, input);
    const { write, afterSync } = output;
    if (write) this.#disk.write(write, write.snapshot ? state.log.entries : []);
    this.#send(output.messages, spent);
    const syncs = this.#disk.descriptor >= 0;
    if (syncs && (write || (afterSync.length > 0 && this.#waiting.length > 0)))
      this.#waiting.push({ number: this.#disk.written, atNs: now(), spent, messages: afterSync });
    else this.#send(afterSync, spent);
    if (output.restored) {
      this.#machine = Machine.restored(output.restored.data);
      this.#applied = output.restored.index;
      this.#logBytes = 0;
      this.#snapshot = null;
      this.#restored = { number: this.#disk.written, bytes: output.restored.data.length };
      if (!syncs) this.#tellRestored(this.#disk.written);
    }
    for (const entry of output.committed) this.#apply(entry, spent);
    for (const { id } of output.readable) this.#answerRead(id, spent);
    for (const id of output.refused) this.#refuseRead(id, spent);
    if (state.role !== 'leader' && this.#asked.size > 0) {
      for (const asked of this.#asked.values()) this.#answer(asked, null, spent);
      this.#asked.clear();
    }
    this.#compactLater();
    if (write && !syncs) {
      this.#disk.progress();
      this.#take({ kind: 'synced', number: write.number }, spent);
    }
  }

  #compactLater(): void {
    const entries = this.#applied - this.#state.log.base;
    if (entries >= this.#snapshotAfter || (this.#logBytes >= MOST_LOG_BYTES && entries > 0)) this.#begin();
  }

  compact(): void {
    this.#compactionAsked = true;
    this.#begin();
  }

  #begin(): void {
    if (this.#snapshot !== null) return;
    this.#logBytes = 0;
    this.#snapshot = new SnapshotMaker(this.#applied, this.#machine, CHUNK_BYTES);
  }

  #goOnWithSnapshot(): void {
    const made = this.#snapshot?.advance();
    if (!made) return;
    const { index } = this.#snapshot!;
    this.#snapshot = null;
    this.#take({ kind: 'compact', index, ...made }, nothingSpent);
    if (this.#compactionAsked)
      this.#tell({ event: 'compacted', monotonicNs: Math.round(now()), bytes: made.data.length });
    this.#compactionAsked = false;
  }

  #tellRestored(durable: number): void {
    if (this.#restored === null || this.#restored.number > durable) return;
    const { bytes } = this.#restored;
    this.#restored = null;
    this.#tell({ event: 'restored', monotonicNs: Math.round(now()), bytes });
  }

  /** The disk has got on. */
  #synced(): void {
    const { number, endedNs } = this.#disk.progress();
    const at = now();
    let last: Spent | null = null;
    while (this.#waiting.length > 0 && this.#waiting[0]!.number <= number) {
      const { atNs, spent, messages } = this.#waiting.shift()!;
      last = spentAlso(spent, {
        fsync: Math.max(0, endedNs - atNs) / 1000,
        wake: Math.max(0, at - Math.max(endedNs, atNs)) / 1000,
      });
      this.#send(messages, last);
    }
    if (last) this.#take({ kind: 'synced', number }, last);
    this.#tellRestored(number);
  }

  #send(messages: readonly Addressed[], spent: Spent): void {
    for (const { to, message } of messages)
      this.#peers.send(to, frameOf(Kind.raft, this.#id, now(), spent, encodeMessage(message)));
  }

  #apply({ term, command: bytes }: Entry, spent: Spent): void {
    const index = ++this.#applied;
    this.#logBytes += bytes.length;
    const asked = this.#asked.get(index);
    this.#asked.delete(index);
    if (bytes.length === 0) return;
    this.#requests++;
    const reply = this.#machine.apply(decodeCommand(bytes));
    // Of one index and term there is one entry, so that this is what was asked.
    if (asked) this.#answer(asked, asked.term === term ? reply : null, spent);
  }

  /** @param reply null: it was not carried out for this client, or there is a newer one of its */
  #answer({ connection, command: { client, sequence } }: Asked, reply: string | null, spent: Spent): void {
    if (connection.closed) return;
    const body = encodeReply({
      client,
      sequence,
      state: reply === null ? 'elsewhere' : 'done',
      view: this.#state.term,
      leader: this.#state.leader ?? -1,
      reply: reply ?? '',
    });
    this.#network.send(connection, frameOf(Kind.reply, this.#id, now(), spent, body));
  }

  /** What was committed when the read came has been applied: it is handed out before this, or along with it. */
  #answerRead(id: number, spent: Spent): void {
    const asked = this.#reads.get(id);
    this.#reads.delete(id);
    if (asked) this.#answer(asked, this.#machine.read(asked.command.operation.key), spent);
  }

  #refuseRead(id: number, spent: Spent): void {
    const asked = this.#reads.get(id);
    this.#reads.delete(id);
    if (asked) this.#answer(asked, null, spent);
  }

  state() {
    const { role, term } = this.#state;
    return {
      role,
      term,
      applied: this.#applied,
      trail: [],
      requests: this.#requests,
      log: this.#disk.counts(),
    };
  }

  close(): void {
    this.#disk.close();
  }
}
