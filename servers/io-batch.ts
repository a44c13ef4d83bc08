/**
 * io=batch: all receives of a turn cross together, then all sends. A row of the ring belongs to one connection for the
 * round: it carries the receive, and is rewritten into the send that answers it. What is received lies packed in the
 * slab, so a round of small requests touches little memory. Connections with more to read take part in the next round.
 */
import {
  CODE,
  FD,
  LENGTH,
  NOTHING,
  OFFSET,
  RECEIVE_PACKED,
  RECEIVE_WINDOW,
  RESULT,
  ROW_WORDS,
  SEND,
} from './io-desk.js';
import { CLOSED, type Io, type TcpServer } from './tcp-server.js';

/** Rows of the ring, and bytes of the slab that they share. */
export const BATCH = { rows: 1024, receiveBytes: 1 << 20 };

/** What becomes of a connection after its send. */
const GONE = 0;
const DRAINED = 1;
const HAS_MORE = 2;

export class BatchIo implements Io {
  readonly #server: TcpServer;
  readonly #next = new Uint8Array(BATCH.rows);
  readonly #closes = new Uint8Array(BATCH.rows);

  constructor(server: TcpServer) {
    this.#server = server;
  }

  serve(count: number): void {
    const server = this.#server;
    const { ready } = server;
    let left = count;
    for (let reads = 1; left > 0; reads++) {
      let again = 0;
      for (let first = 0; first < left; ) {
        const rows = this.#receive(first, left);
        this.#answer(first, rows);
        again = this.#settle(first, rows, again);
        first += rows;
      }
      left = again;
      if (reads === server.reads) {
        for (let i = 0; i < left; i++) server.budgetEnded(ready[i]!);
        return;
      }
    }
  }

  /** One receive for each of `ready` from `first` on, as many as fit. @returns how many */
  #receive(first: number, left: number): number {
    const server = this.#server;
    const { desk, ready } = server;
    const { ring } = desk;
    const most = left - first < BATCH.rows ? left - first : BATCH.rows;
    for (let row = 0, at = 0; row < most; row++, at += ROW_WORDS) {
      ring[at + CODE] = RECEIVE_PACKED;
      ring[at + FD] = server.descriptorOf(ready[first + row]!);
    }
    return desk.run(0, most);
  }

  /** Turns the rows, which are those of `ready` from `first` on, into sends and runs them. */
  #answer(first: number, rows: number): void {
    const server = this.#server;
    const { desk, protocol, finished, phase, ready } = server;
    const { ring } = desk;
    let unsent = 0;
    for (let row = 0, at = 0; row < rows; row++, at += ROW_WORDS) {
      const slot = ready[first + row]!;
      const length = ring[at + RESULT]!;
      ring[at + CODE] = NOTHING;
      if (length <= 0) {
        server.receivedNothing(slot, length);
        this.#next[row] = GONE;
        continue;
      }
      if (!protocol.hasRoom(length)) {
        desk.run(unsent, row);
        unsent = row;
        protocol.recycle();
      }
      if (server.received(slot, ring[at + OFFSET]!, length)) {
        ring[at + CODE] = SEND;
        ring[at + OFFSET] = protocol.replyOffset;
        ring[at + LENGTH] = protocol.replyLength;
        this.#closes[row] = protocol.replyCloses ? 1 : 0;
      }
      this.#next[row] =
        phase[slot] === CLOSED ? GONE : length < RECEIVE_WINDOW && finished[slot] === 0 ? DRAINED : HAS_MORE;
    }
    desk.run(unsent, rows);
    protocol.recycle();
  }

  /** Acts on the results of the sends. Connections with more to read go to the front of `ready`, from `again` on. */
  #settle(first: number, rows: number, again: number): number {
    const server = this.#server;
    const { ready } = server;
    const { ring } = server.desk;
    let count = again;
    for (let row = 0, at = 0; row < rows; row++, at += ROW_WORDS) {
      const next = this.#next[row];
      if (next === GONE) continue;
      const slot = ready[first + row]!;
      if (ring[at + CODE] === SEND) {
        const closes = this.#closes[row] === 1;
        if (!server.sent(slot, ring[at + OFFSET]!, ring[at + LENGTH]!, ring[at + RESULT]!, closes)) continue;
      }
      if (next === HAS_MORE) ready[count++] = slot;
      else server.rearm(slot);
    }
    return count;
  }
}
