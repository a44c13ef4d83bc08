/**
 * Raft's log. Its beginning may have given way to a snapshot (Ongaro and Ousterhout, "In Search of an Understandable
 * Consensus Algorithm (Extended Version)", 2014, §7); indices begin at 1 and are never used again.
 */

export interface Entry {
  term: number;
  /** empty: the entry with which a leader begins its term (§8) */
  command: Uint8Array;
}

export interface Snapshot {
  /** of the last entry it stands for */
  index: number;
  term: number;
  data: Uint8Array;
  /** of `data` in chunks, as the config makes it */
  digest: string;
}

/** What an entry takes beside its command, about. */
const ENTRY_BYTES = 16;

export class Log {
  /** index and term of the last entry that is not here any more; 0: all are here */
  base = 0;
  baseTerm = 0;
  readonly entries: Entry[] = [];

  get lastIndex(): number {
    return this.base + this.entries.length;
  }

  get lastTerm(): number {
    return this.entries.at(-1)?.term ?? this.baseTerm;
  }

  /** undefined: there is no entry of that index, or its term is not known any more */
  termAt(index: number): number | undefined {
    return index === this.base ? this.baseTerm : this.entries[index - this.base - 1]?.term;
  }

  at(index: number): Entry | undefined {
    return this.entries[index - this.base - 1];
  }

  /** From `index` on, as many as take `mostBytes` together, and one in any case. */
  from(index: number, mostBytes: number): Entry[] {
    const first = index - this.base - 1;
    let bytes = 0;
    let end = first;
    while (end < this.entries.length) {
      bytes += ENTRY_BYTES + this.entries[end]!.command.length;
      if (bytes > mostBytes && end > first) break;
      end++;
    }
    return this.entries.slice(first, end);
  }

  append(entry: Entry): void {
    this.entries.push(entry);
  }

  /** Drops `index` and what follows it. */
  truncate(index: number): void {
    this.entries.length = index - this.base - 1;
  }

  /** Lets a snapshot stand for everything up to `index`; keeps what follows if that entry is here, else nothing (§7). */
  compact(index: number, term: number): void {
    if (this.termAt(index) === term) this.entries.splice(0, index - this.base);
    else this.entries.length = 0;
    this.base = index;
    this.baseTerm = term;
  }

  /** First index of the entries around `index` that have its term. */
  firstOfTerm(index: number): number {
    const term = this.termAt(index);
    let first = index;
    while (first - 1 > this.base && this.termAt(first - 1) === term) first--;
    return first;
  }

  /** Last index up to `index` with a term of at most `term`. */
  lastUpTo(index: number, term: number): number {
    let last = Math.min(index, this.lastIndex);
    while (last > this.base && this.termAt(last)! > term) last--;
    return last;
  }
}
