/** The books of one flow in JavaScript, by the rules of native/load/datagram_ledger.h. */
import type { DgramCounts } from '../contract/dgram.js';
import type { Identity } from './engine.js';
import type { Reading } from './js-format.js';

export type Counts = Omit<DgramCounts, 'lost'>;

export const noCounts = (): Counts => ({
  sent: 0,
  received: 0,
  late: 0,
  reordered: 0,
  duplicates: 0,
  corrupted: 0,
  truncated: 0,
  unattributable: 0,
  foreign: 0,
  unreachable: 0,
  sendErrors: 0,
  sendStalls: 0,
});

/** Which of the newest 65 536 sequence numbers have arrived. */
export class ReceiveWindow {
  static readonly span = 65_536;
  #next = 0;
  #bits = new Uint32Array(1);

  mark(sequence: number): 'in-order' | 'reordered' | 'duplicate' | 'beyond' {
    const { span } = ReceiveWindow;
    if (sequence < this.#next) {
      if (this.#next - sequence > span) return 'beyond';
      return this.#exchange(sequence) ? 'duplicate' : 'reordered';
    }
    // Until the ring is full size no sequence number wraps, so growing it moves nothing.
    const words = (Math.min(sequence, span - 1) >>> 5) + 1;
    if (words > this.#bits.length) {
      const larger = new Uint32Array(Math.min(Math.max(words, 2 * this.#bits.length), span / 32));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    if (sequence - this.#next >= span) this.#bits.fill(0);
    else if (sequence >= span)
      for (let s = this.#next; s <= sequence; s++) this.#bits[(s % span) >>> 5]! &= ~(1 << (s & 31));
    this.#exchange(sequence);
    this.#next = sequence + 1;
    return 'in-order';
  }

  #exchange(sequence: number): boolean {
    const word = (sequence % ReceiveWindow.span) >>> 5;
    const bit = 1 << (sequence & 31);
    const was = (this.#bits[word]! & bit) !== 0;
    this.#bits[word]! |= bit;
    return was;
  }
}

export interface Times {
  intended: number;
  actual: number;
}

/**
 * Send times of unanswered datagrams by sequence number, in a ring that spans from the oldest of them to the newest: a
 * lost one holds its place until it is given up.
 */
export class SendTimes {
  #capacity = 64;
  #intended = new Float64Array(this.#capacity);
  /** -1: no longer waited for */
  #actual = new Float64Array(this.#capacity).fill(-1);
  #first = 0;
  #next = 0;

  /** Sequence numbers are those of the calls, from 0. */
  add(intended: number, actual: number): void {
    if (this.#next - this.#first === this.#capacity) this.#grow();
    const at = this.#next++ & (this.#capacity - 1);
    this.#intended[at] = intended;
    this.#actual[at] = actual;
  }

  #grow(): void {
    const [intended, actual, mask] = [this.#intended, this.#actual, this.#capacity - 1];
    this.#capacity *= 2;
    this.#intended = new Float64Array(this.#capacity);
    this.#actual = new Float64Array(this.#capacity).fill(-1);
    for (let sequence = this.#first; sequence < this.#next; sequence++) {
      const at = sequence & (this.#capacity - 1);
      this.#intended[at] = intended[sequence & mask]!;
      this.#actual[at] = actual[sequence & mask]!;
    }
  }

  /** The oldest that is waited for; -1: none. */
  oldest(): number {
    return this.#first < this.#next ? this.#first : -1;
  }

  /** When it was sent; -1 when it is not waited for. */
  actual(sequence: number): number {
    const waited = sequence >= this.#first && sequence < this.#next;
    return waited ? this.#actual[sequence & (this.#capacity - 1)]! : -1;
  }

  /** Of one that is waited for. */
  intended(sequence: number): number {
    return this.#intended[sequence & (this.#capacity - 1)]!;
  }

  /** @returns false when it was not waited for */
  remove(sequence: number): boolean {
    if (this.actual(sequence) < 0) return false;
    const mask = this.#capacity - 1;
    this.#actual[sequence & mask] = -1;
    while (this.#first < this.#next && this.#actual[this.#first & mask]! < 0) this.#first++;
    return true;
  }
}

export interface Receipt {
  /** a first intact reply */
  answered: boolean;
  /** null: not known */
  times: Times | null;
  /** one datagram less is outstanding */
  settled: boolean;
  late: boolean;
}

export class FlowLedger {
  /** sequence numbers given out */
  #next = 0;
  sent = 0;
  received = 0;
  readonly #window = new ReceiveWindow();
  readonly #outstanding = new SendTimes();
  readonly #times: Times = { intended: 0, actual: 0 };
  readonly #receipt: Receipt = { answered: false, times: null, settled: false, late: false };

  constructor(
    readonly identity: Identity,
    /** remember send times here: datagrams do not carry them, or losses free a window */
    readonly keepTimes: boolean,
  ) {}

  send(intended: number, actual: number): number {
    if (this.keepTimes) this.#outstanding.add(intended, actual);
    this.sent++;
    return this.#next++;
  }

  /** Takes a send back: the kernel refused it. @returns whether it was still waited for */
  unsend(sequence: number): boolean {
    this.sent--;
    return this.#outstanding.remove(sequence);
  }

  /** Gives up waiting for one datagram whose fate is known; -1: which one, is not. */
  settle(sequence: number): boolean {
    const guess = sequence < 0 && this.identity === 'none';
    return this.#outstanding.remove(guess ? this.#outstanding.oldest() : sequence);
  }

  /** Gives up waiting for datagrams sent at or before `limit`; returns how many. */
  expire(limit: number): number {
    let expired = 0;
    for (;;) {
      const oldest = this.#outstanding.oldest();
      if (oldest < 0 || this.#outstanding.actual(oldest) > limit) return expired;
      this.#outstanding.remove(oldest);
      expired++;
    }
  }

  /** The object is the same one each time: read it before the next reply. */
  receive(reading: Reading, now: number, timeout: number, counts: Counts): Receipt {
    const { identified, sequence } = reading;
    if (reading.verdict !== 'intact' || (identified && sequence >= this.#next)) {
      counts[reading.verdict === 'truncated' ? 'truncated' : 'corrupted']++;
      return this.#unanswered(this.settle(identified ? sequence : -1));
    }
    let which = sequence;
    if (this.identity === 'none') {
      if (this.received === this.sent) {
        counts.duplicates++;
        return this.#unanswered(false);
      }
      which = this.#outstanding.oldest();
    } else {
      const arrival = this.#window.mark(sequence);
      if (arrival === 'duplicate') counts.duplicates++;
      else if (arrival === 'beyond') counts.unattributable++;
      else if (arrival === 'reordered') counts.reordered++;
      if (arrival === 'duplicate' || arrival === 'beyond') return this.#unanswered(false);
    }
    const full = this.identity === 'full';
    const kept = this.#outstanding.actual(which);
    const waited = kept >= 0;
    const times = full || waited ? this.#times : null;
    if (times) {
      times.intended = full ? reading.intended : this.#outstanding.intended(which);
      times.actual = full ? reading.actual : kept;
    }
    if (waited) this.#outstanding.remove(which);
    const late = times === null || now - times.actual > timeout;
    this.received++;
    counts.received++;
    if (late) counts.late++;
    const receipt = this.#receipt;
    receipt.answered = true;
    receipt.times = times;
    receipt.settled = waited;
    receipt.late = late;
    return receipt;
  }

  #unanswered(settled: boolean): Receipt {
    const receipt = this.#receipt;
    receipt.answered = false;
    receipt.times = null;
    receipt.settled = settled;
    receipt.late = false;
    return receipt;
  }
}
