/** A simulated member of Raft: the core with a disk, a machine and a clock of its own. */
import type { Random } from '../../statistics/random.js';
import { chunksOf } from '../frames.js';
import { type Command, decodeCommand, encodeCommand, Machine } from '../machine.js';
import type { Entry } from '../raft/log.js';
import type { Addressed, Input } from '../raft/messages.js';
import { type RaftConfig, type RaftState, start } from '../raft/state.js';
import { step } from '../raft/step.js';
import type { Asked } from './clients.js';
import { Disk } from './raft-disk.js';
import type { RaftWitness } from './raft-witness.js';
import type { Timeline } from './timeline.js';
import { sameBytes } from './violation.js';

export interface Surroundings {
  timeline: Timeline;
  random: Random;
  witness: RaftWitness;
  states(): readonly (RaftState | null)[];
  send(from: number, addressed: Addressed): void;
  reply(from: number, command: Command, reply: string): void;
  /** units of time a sync takes at most */
  syncTakes: number;
  /** entries after which a snapshot is taken */
  snapshotAfter: number;
}

/** What waits for the disk: messages that may leave once the writes up to `number` are durable. */
interface Waiting {
  number: number;
  messages: readonly Addressed[];
}

export class RaftMember {
  state: RaftState | null = null;
  machine = new Machine();
  /** units of time of a tick: clocks differ */
  tickTakes = 1;
  #disk = new Disk();
  #config: RaftConfig;
  readonly #around: Surroundings;
  #life = 0;
  #waiting: Waiting[] = [];
  #written = 0;
  #synced = 0;
  #syncing = false;
  #applied = 0;
  #requests = new Map<number, { command: Command; bytes: Uint8Array }>();
  #reads = new Map<number, Command>();
  #lastRead = 0;

  constructor(config: RaftConfig, around: Surroundings) {
    this.#config = config;
    this.#around = around;
  }

  boot(tickTakes: number): void {
    this.tickTakes = tickTakes;
    const { durable } = this.#disk;
    this.state = start(this.#config, durable);
    this.machine = durable.snapshot ? Machine.restored(durable.snapshot.data) : new Machine();
    this.#applied = durable.snapshot?.index ?? 0;
    this.#life++;
    this.#waiting = [];
    this.#written = 0;
    this.#synced = 0;
    this.#syncing = false;
    this.#requests = new Map();
    this.#reads = new Map();
    this.#around.witness.restarted(this.#config.id);
    this.#tickLater();
  }

  crash(): void {
    if (this.state === null) return;
    this.#disk.crash(Math.floor(this.#around.random() * (this.#disk.pending + 1)));
    this.state = null;
    this.#life++;
  }

  /** What was on its disk is gone as well. */
  lose(): void {
    this.crash();
    this.#disk = new Disk();
    this.#config = { ...this.#config, votes: false };
  }

  /** A client's attempt: through the log, or a read without an entry. */
  ask({ command }: Asked): void {
    if (this.state?.role !== 'leader') return;
    if (command.operation.kind === 'get' && command.sequence % 3 !== 0) {
      const id = ++this.#lastRead;
      this.#reads.set(id, command);
      this.take({ kind: 'read', ids: [id] });
      return;
    }
    const bytes = encodeCommand(command);
    this.#requests.set(this.state.log.lastIndex + 1, { command, bytes });
    this.take({ kind: 'request', commands: [bytes] });
  }

  take(input: Input): void {
    const { state } = this;
    const around = this.#around;
    const config = this.#config;
    if (state === null) return;
    const output = step(state, input);
    around.witness.afterStep(around.states(), state);
    if (output.write) {
      this.#disk.write(output.write);
      this.#written = output.write.number;
    }
    for (const addressed of output.messages) around.send(config.id, addressed);
    if (output.afterSync.length > 0) {
      if (this.#synced === this.#written)
        for (const addressed of output.afterSync) around.send(config.id, addressed);
      else this.#waiting.push({ number: this.#written, messages: output.afterSync });
    }
    this.#syncLater();
    if (output.restored) {
      around.witness.snapshot(output.restored);
      this.machine = Machine.restored(output.restored.data);
      this.#applied = output.restored.index;
    }
    for (const entry of output.committed) this.#apply(entry);
    for (const { id, index } of output.readable) this.#answerRead(id, index);
    for (const id of output.refused) this.#reads.delete(id);
    if (this.#applied - state.log.base >= around.snapshotAfter)
      this.#compact(this.#applied, this.machine.snapshot());
  }

  #compact(index: number, data: Uint8Array): void {
    this.#around.witness.state(index, data);
    const { chunkBytes, digest } = this.#config;
    this.take({ kind: 'compact', index, data, digest: digest(chunksOf(data, chunkBytes)) });
  }

  #apply(entry: Entry): void {
    const index = ++this.#applied;
    const request = this.#requests.get(index);
    this.#requests.delete(index);
    if (entry.command.length > 0) {
      const reply = this.machine.apply(decodeCommand(entry.command));
      if (request && reply !== null && sameBytes(request.bytes, entry.command))
        this.#around.reply(this.#config.id, request.command, reply);
    }
    if (index % 4 === 0) this.#around.witness.state(index, this.machine.snapshot());
  }

  /** What was committed when the read came has been applied: `index` is handed out before or along with this. */
  #answerRead(id: number, index: number): void {
    const command = this.#reads.get(id);
    this.#reads.delete(id);
    if (command === undefined || this.#applied < index) return;
    this.#around.reply(this.#config.id, command, this.machine.read(command.operation.key));
  }

  #tickLater(): void {
    const life = this.#life;
    this.#around.timeline.after(this.tickTakes, () => {
      if (this.#life !== life) return;
      this.take({ kind: 'tick' });
      if (this.#life === life) this.#tickLater();
    });
  }

  #syncLater(): void {
    if (this.#syncing || this.#synced === this.#written) return;
    this.#syncing = true;
    const life = this.#life;
    const number = this.#written;
    this.#around.timeline.after(this.#around.random() * this.#around.syncTakes, () => {
      if (this.#life !== life) return;
      this.#syncing = false;
      this.#synced = number;
      this.#disk.sync(number);
      while (this.#waiting.length > 0 && this.#waiting[0]!.number <= number)
        for (const addressed of this.#waiting.shift()!.messages)
          this.#around.send(this.#config.id, addressed);
      this.take({ kind: 'synced', number });
      this.#syncLater();
    });
  }
}
