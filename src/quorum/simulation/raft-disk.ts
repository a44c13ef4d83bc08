/** A member's disk: writes reach it in order, and those that were not synced may be gone after a crash. */
import type { Entry } from '../raft/log.js';
import type { Write } from '../raft/messages.js';
import { type Durable, nothingDurable } from '../raft/state.js';

export class Disk {
  #durable: Durable = nothingDurable;
  readonly #pending: Write[] = [];

  get durable(): Durable {
    return this.#durable;
  }

  write(write: Write): void {
    this.#pending.push(write);
  }

  /** Everything up to the write of this number is on the disk. */
  sync(number: number): void {
    while (this.#pending.length > 0 && this.#pending[0]!.number <= number) this.#take(this.#pending.shift()!);
  }

  /** Of what was not synced the first `kept` writes have reached the disk, the others not. */
  crash(kept: number): void {
    for (const write of this.#pending.slice(0, kept)) this.#take(write);
    this.#pending.length = 0;
  }

  get pending(): number {
    return this.#pending.length;
  }

  #take({ term, vote, snapshot, from, entries }: Write): void {
    const before = this.#durable;
    const oldBase = before.snapshot?.index ?? 0;
    const base = snapshot?.index ?? oldBase;
    // Of the entries that were there: what follows the snapshot and comes before what is new.
    const kept = before.entries.filter((_: Entry, i: number) => {
      const index = oldBase + 1 + i;
      return index > base && (from === null || index < from);
    });
    this.#durable = { term, vote, snapshot: snapshot ?? before.snapshot, entries: [...kept, ...entries] };
  }
}
