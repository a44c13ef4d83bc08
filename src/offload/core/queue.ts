/**
 * Tasks that wait: first in, first out, those that come back before all others, and later the more often they came back. The
 * bounds hold for what comes in; what comes back was let in before.
 */

export interface Bounds {
  tasks: number;
  bytes: number;
}

interface Waiting<One> {
  one: One;
  bytes: number;
}

export class Queue<One> {
  readonly #again: Waiting<One>[] = [];
  readonly #fresh: (Waiting<One> | undefined)[] = [];
  /** beginning of what is left of `#fresh`: taking from the front of a long array costs its length */
  #at = 0;
  /** by the time from which they may be taken, earliest first */
  readonly #later: (Waiting<One> & { from: number })[] = [];
  #bytes = 0;

  constructor(readonly bounds: Bounds) {}

  get length(): number {
    return this.#again.length + this.#later.length + this.#fresh.length - this.#at;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns why it is not let in; null: it is */
  put(one: One, bytes: number): string | null {
    const { bounds } = this;
    if (this.length >= bounds.tasks) return `the queue is full: ${bounds.tasks} tasks wait`;
    if (this.#bytes + bytes > bounds.bytes)
      return `the queue is full: its tasks have more than ${bounds.bytes} bytes`;
    this.#fresh.push({ one, bytes });
    this.#bytes += bytes;
    return null;
  }

  /** @param from not taken before */
  putBack(one: One, bytes: number, from: number): void {
    const at = this.#later.findIndex((other) => other.from > from);
    this.#later.splice(at < 0 ? this.#later.length : at, 0, { one, bytes, from });
    this.#bytes += bytes;
  }

  /** The next one, which stays; null: none may be taken now. */
  peek(now: number): One | null {
    while (this.#later.length > 0 && this.#later[0]!.from <= now) this.#again.push(this.#later.shift()!);
    return (this.#again[0] ?? this.#fresh[this.#at])?.one ?? null;
  }

  /** Takes what `peek` has shown. */
  take(): void {
    let taken = this.#again.shift();
    if (!taken) {
      taken = this.#fresh[this.#at];
      if (!taken) return;
      this.#fresh[this.#at++] = undefined;
    }
    this.#bytes -= taken.bytes;
    if (this.#at > 1000 && 2 * this.#at > this.#fresh.length) {
      this.#fresh.splice(0, this.#at);
      this.#at = 0;
    }
  }
}
