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

export interface Receipt {
  /** a first intact reply */
  answered: boolean;
  /** null: not known */
  times: Times | null;
  /** one datagram less is outstanding */
  settled: boolean;
  late: boolean;
}

const nothing: Receipt = { answered: false, times: null, settled: false, late: false };

export class FlowLedger {
  sent = 0;
  received = 0;
  readonly #window = new ReceiveWindow();
  /** send times of what is unanswered, oldest first: a Map keeps the order of insertion */
  readonly #outstanding = new Map<number, Times>();

  constructor(
    readonly identity: Identity,
    /** remember send times here: datagrams do not carry them, or losses free a window */
    readonly keepTimes: boolean,
  ) {}

  send(intended: number, actual: number): number {
    if (this.keepTimes) this.#outstanding.set(this.sent, { intended, actual });
    return this.sent++;
  }

  #oldest(): number | undefined {
    return this.#outstanding.keys().next().value;
  }

  /** Gives up waiting for one datagram whose fate is known. */
  settle(sequence: number | undefined): boolean {
    const which = sequence ?? (this.identity === 'none' ? this.#oldest() : undefined);
    return which !== undefined && this.#outstanding.delete(which);
  }

  /** Gives up waiting for datagrams sent at or before `limit`; returns how many. */
  expire(limit: number): number {
    let expired = 0;
    for (const [sequence, { actual }] of this.#outstanding) {
      if (actual > limit) break;
      this.#outstanding.delete(sequence);
      expired++;
    }
    return expired;
  }

  receive(reading: Reading, now: number, timeout: number, counts: Counts): Receipt {
    const { identified, sequence } = reading;
    if (reading.verdict !== 'intact' || (identified && sequence >= this.sent)) {
      counts[reading.verdict === 'truncated' ? 'truncated' : 'corrupted']++;
      return { ...nothing, settled: this.settle(identified ? sequence : undefined) };
    }
    let which: number | undefined = sequence;
    if (this.identity === 'none') {
      if (this.received === this.sent) {
        counts.duplicates++;
        return nothing;
      }
      which = this.#oldest();
    } else {
      const arrival = this.#window.mark(sequence);
      if (arrival === 'duplicate') counts.duplicates++;
      else if (arrival === 'beyond') counts.unattributable++;
      else if (arrival === 'reordered') counts.reordered++;
      if (arrival === 'duplicate' || arrival === 'beyond') return nothing;
    }
    const kept = which === undefined ? undefined : this.#outstanding.get(which);
    const times =
      this.identity === 'full' ? { intended: reading.intended, actual: reading.actual } : (kept ?? null);
    if (kept) this.#outstanding.delete(which!);
    const late = times === null || now - times.actual > timeout;
    this.received++;
    counts.received++;
    if (late) counts.late++;
    return { answered: true, times, settled: kept !== undefined, late };
  }
}
