/**
 * A TCP server on any backend, in TypeScript: native/servers/tcp_server.cc with its rules (one receive and one send per small
 * request, budgets, backpressure, no buffer for an idle connection). What a connection is doing is one byte in a typed
 * array; objects exist only for the rare ones that have unsent output.
 *
 * How reads and sends cross into the addon is a strategy of its own: io-call.ts, io-batch.ts.
 */

import { Event, Flag, layout } from '../src/dispatch/layout.js';
import { Interest, type Poller, REARM } from '../src/dispatch/poller.js';
import { Acceptor } from './acceptor.js';
import type { PolledControl } from './control.js';
import type { Bound } from './hello.js';
import { type IoDesk, RECEIVE_WINDOW, sockets, wouldBlock } from './io-desk.js';
import type { ServerOptions } from './options.js';
import type { StreamProtocol } from './protocol.js';
import type { Statistics } from './statistics.js';

/** What a slot is doing. */
export const CLOSED = 0;
export const OPEN = 1;
/** our FIN is sent; what the peer still sends is dropped until its FIN */
export const DRAINING = 2;
/** has unsent output and is not read (backpressure) */
export const SENDING = 3;
const LISTENER = 4;
const CONTROL = 5;

/** A peer that goes on sending after our FIN is cut off beyond this many bytes. */
const MOST_DRAINED = 1 << 20;
const FINISHED = Flag.readClosed | Flag.hangup;

/** Reads from slots [0, count) of `server.ready` and answers, within the budgets. */
export interface Io {
  serve(count: number): void;
}

interface Kept {
  bytes: Uint8Array;
  closes: boolean;
}

export class TcpServer {
  readonly phase: Uint8Array;
  /** slots to read from in this turn */
  readonly ready: Int32Array;
  /** by slot: the peer has sent its FIN, so read until the end of the stream */
  readonly finished: Uint8Array;
  readonly statistics: Statistics;
  readonly protocol: StreamProtocol;
  readonly desk: IoDesk;
  readonly reads: number;
  io!: Io;
  #requeued: number[] = [];
  readonly #isRequeued: Uint8Array;
  readonly #poller: Poller;
  readonly #control: PolledControl;
  readonly #acceptor: Acceptor;
  readonly #edge: boolean;
  readonly #needsRearm: boolean;
  readonly #kept = new Map<number, Kept>();
  readonly #drained = new Map<number, number>();
  #changes = 0;

  constructor(
    poller: Poller,
    control: PolledControl,
    desk: IoDesk,
    protocol: StreamProtocol,
    statistics: Statistics,
    options: ServerOptions,
    slots: number,
  ) {
    this.#poller = poller;
    this.#control = control;
    this.#acceptor = new Acceptor(poller, desk, statistics, options);
    this.desk = desk;
    this.protocol = protocol;
    this.statistics = statistics;
    this.reads = options.budgets.reads;
    this.#edge = poller.capabilities.trigger === 'edge';
    this.#needsRearm = poller.capabilities.needsRearm;
    this.phase = new Uint8Array(slots);
    this.finished = new Uint8Array(slots);
    this.#isRequeued = new Uint8Array(slots);
    this.ready = new Int32Array(options.budgets.maxEvents + slots);
  }

  /** Binds, listens and registers. @throws Error with one sentence */
  open(): Bound {
    const bound = this.#acceptor.open();
    this.phase[this.#acceptor.slot] = LISTENER;
    for (const fd of this.#control.descriptors) this.phase[this.#poller.add(fd, Interest.read)] = CONTROL;
    return bound;
  }

  /** One wait and what follows from it. */
  turn(): void {
    const changes = this.#changes;
    this.#changes = 0;
    const count = this.#poller.turn(changes, this.#requeued.length > 0 ? 0 : -1);
    this.statistics.countWait(count);
    const { events } = this.#poller;
    const { ready, phase, finished } = this;
    let served = 0;
    let accepts = false;
    for (let row = 0, at = 0; row < count; row++, at += layout.eventWords) {
      const slot = events[at + Event.slot]!;
      switch (phase[slot]) {
        case OPEN:
        case DRAINING:
          if (this.#isRequeued[slot] === 1) break; // served below
          finished[slot] = (events[at + Event.flags]! & FINISHED) === 0 ? 0 : 1;
          ready[served++] = slot;
          break;
        case SENDING:
          this.#flush(slot);
          break;
        case LISTENER:
          accepts = true;
          break;
        case CONTROL:
          this.#control.onReadable(this.descriptorOf(slot));
          this.rearm(slot);
          break;
      }
    }
    if (this.#requeued.length > 0) {
      const requeued = this.#requeued;
      this.#requeued = [];
      for (const slot of requeued) {
        if (this.#isRequeued[slot] === 0) continue; // closed since
        this.#isRequeued[slot] = 0;
        if (phase[slot] === LISTENER) {
          accepts = true;
        } else {
          finished[slot] = 1; // whatever the event said is forgotten: read until there is nothing
          ready[served++] = slot;
        }
      }
    }
    if (served > 0) this.io.serve(served);
    // Last, so that a descriptor closed above is not used again before all rows of this turn are done with.
    if (accepts) this.#acceptSome();
  }

  /**
   * Takes what was received. True when the protocol has a reply to send; then `sent` follows. False when there is nothing
   * to send, or the connection is closed.
   */
  received(slot: number, offset: number, length: number): boolean {
    this.statistics.bytesIn += length;
    if (this.phase[slot] === DRAINING) {
      this.#drain(slot, length);
      return false;
    }
    this.protocol.answer(slot, offset, length);
    return this.protocol.replyLength > 0;
  }

  /** Takes the result of sending `length` bytes at `offset`. False when the connection is not to be read any more. */
  sent(slot: number, offset: number, length: number, result: number, closes: boolean): boolean {
    if (result === length) {
      this.statistics.bytesOut += length;
      if (closes) this.#startDraining(slot);
      return true;
    }
    if (result < 0 && !wouldBlock(result)) {
      this.close(slot);
      return false;
    }
    const taken = result < 0 ? 0 : result;
    this.statistics.bytesOut += taken;
    this.#kept.set(slot, { bytes: this.desk.slab.slice(offset + taken, offset + length), closes });
    this.phase[slot] = SENDING;
    this.#watch(slot, Interest.write);
    return false;
  }

  /** The read that ended with `result`, no bytes: nothing there for now, or the connection is over. */
  receivedNothing(slot: number, result: number): void {
    if (wouldBlock(result)) this.rearm(slot);
    else this.close(slot);
  }

  /** The budget of reads is used up. */
  budgetEnded(slot: number): void {
    if (this.#edge) this.#requeue(slot);
    else this.rearm(slot);
  }

  /** What to read from and send to for a slot. */
  descriptorOf(slot: number): number {
    return this.#poller.descriptorOf(slot);
  }

  /** Arms a one-shot registration again, with the next turn. */
  rearm(slot: number): void {
    if (this.#needsRearm) this.#poller.change(this.#changes++, slot, REARM);
  }

  close(slot: number): void {
    const descriptor = this.descriptorOf(slot);
    this.#poller.forget(slot);
    sockets.socketClose(descriptor);
    this.protocol.forget(slot);
    this.#kept.delete(slot);
    this.#drained.delete(slot);
    this.#isRequeued[slot] = 0;
    this.phase[slot] = CLOSED;
    this.statistics.closed++;
  }

  #watch(slot: number, interest: Interest): void {
    try {
      this.#poller.modify(slot, interest);
    } catch {
      this.close(slot); // the kernel has no memory for the change: one connection less, not the server
    }
  }

  #requeue(slot: number): void {
    if (this.#isRequeued[slot] === 1) return;
    this.#isRequeued[slot] = 1;
    this.#requeued.push(slot);
  }

  #flush(slot: number): void {
    const kept = this.#kept.get(slot)!;
    const { slab, receiveFrom } = this.desk;
    const length = Math.min(kept.bytes.length, RECEIVE_WINDOW);
    slab.set(length < kept.bytes.length ? kept.bytes.subarray(0, length) : kept.bytes, receiveFrom);
    const result = this.desk.send(this.descriptorOf(slot), receiveFrom, length);
    if (result < 0 && !wouldBlock(result)) {
      this.close(slot);
      return;
    }
    const taken = result < 0 ? 0 : result;
    this.statistics.bytesOut += taken;
    kept.bytes = kept.bytes.subarray(taken);
    if (kept.bytes.length > 0) {
      // A whole window went out: an edge-triggered backend reports room again only after it was used up.
      if (taken === RECEIVE_WINDOW) this.#flush(slot);
      else this.rearm(slot);
      return;
    }
    this.#kept.delete(slot);
    this.phase[slot] = OPEN;
    if (kept.closes) this.#startDraining(slot);
    this.#watch(slot, Interest.read); // reports at once what arrived meanwhile
  }

  #startDraining(slot: number): void {
    sockets.socketShutdown(this.descriptorOf(slot));
    this.phase[slot] = DRAINING;
  }

  #drain(slot: number, length: number): void {
    const drained = (this.#drained.get(slot) ?? 0) + length;
    this.#drained.set(slot, drained);
    if (drained > MOST_DRAINED) this.close(slot);
  }

  #acceptSome(): void {
    const { slot } = this.#acceptor;
    const more = this.#acceptor.acceptSome((admitted) => {
      this.phase[admitted] = OPEN;
    });
    if (more && this.#edge) this.#requeue(slot);
    this.rearm(slot);
  }
}
