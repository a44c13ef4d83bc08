/**
 * Frames over TCP on a poller: a listener, connections that others opened, and connections to them. What a turn of the loop has
 * for one connection leaves with one call. Memory is bounded: by the longest frame of a connection, and by what may wait to be
 * sent on it.
 */

import type { BackendName } from '../../src/contract/common.js';
import { Event, Flag } from '../../src/dispatch/layout.js';
import { Interest, openPoller, type Poller, REARM } from '../../src/dispatch/poller.js';
import { acceptAgain, Sockets, sockets, wouldBlock } from '../../src/dispatch/sockets.js';
import { monotonicNow as now } from '../../src/monotonic.js';
import { FrameReader, MOST_CLIENT_FRAME } from '../../src/quorum/frames.js';

/** Room of one receive and of one send, bytes. */
const RECEIVE_BYTES = 1 << 18;
const SEND_BYTES = 1 << 18;
/** Receives from one connection before others have their turn. */
const READS = 8;
/** Connections accepted in one turn, and at all. */
const ACCEPTS = 64;
const MOST_CONNECTIONS = 4096;
/** Bytes that may wait for one connection; a frame that comes first may be longer. */
const MOST_WAITING = 64 << 20;

const ENDED = Flag.error | Flag.hangup | Flag.readClosed;

export class Connection {
  readonly reader = new FrameReader(MOST_CLIENT_FRAME);
  /** number of the replica at the other end, once it is known to be one; -1: a client, or nobody yet */
  replica = -1;
  closed = false;
  /** not there yet */
  connecting: boolean;
  blocked = false;
  flushed = true;
  readonly out: Uint8Array[] = [];
  /** bytes of the first that are sent */
  sent = 0;
  waiting = 0;

  constructor(
    readonly slot: number,
    readonly descriptor: number,
    connecting: boolean,
  ) {
    this.connecting = connecting;
  }
}

export interface Handlers {
  /** @param bytes good until it returns */
  frame(connection: Connection, bytes: Uint8Array): void;
  /** it stands */
  connected(connection: Connection): void;
  closed(connection: Connection): void;
}

export class Network {
  readonly poller: Poller;
  readonly counts = { in: 0, out: 0, bytesIn: 0, bytesOut: 0, refused: 0 };
  /** when the last wait returned, nanoseconds of the machine's monotonic clock */
  turnNs = now();
  handlers!: Handlers;
  readonly #sockets = new Sockets(RECEIVE_BYTES + SEND_BYTES);
  readonly #connections = new Map<number, Connection>();
  readonly #watched = new Map<number, () => void>();
  readonly #edge: boolean;
  readonly #needsRearm: boolean;
  #listener = -1;
  #changes = 0;
  #again = new Set<Connection>();
  #dirty: Connection[] = [];

  constructor(backend: BackendName) {
    this.poller = openPoller({ backend, maxEvents: 256, maxChanges: 512 });
    const { trigger, needsRearm } = this.poller.capabilities;
    this.#edge = trigger === 'edge';
    this.#needsRearm = needsRearm;
  }

  /** @throws Error with one sentence */
  listen(address: string, port: number): { address: string; port: number } {
    const listener = this.#sockets.listen(address, port);
    sockets.tcpWithoutPacing(listener);
    this.#listener = this.poller.add(listener, Interest.read);
    return this.#sockets.addressOf(listener);
  }

  /** Calls `ready` when a descriptor that is no socket of ours can be read. */
  watch(descriptor: number, ready: () => void): void {
    this.#watched.set(this.poller.add(descriptor, Interest.read), ready);
  }

  /** @returns null: there is no way there at all */
  connect(host: string, port: number): Connection | null {
    try {
      const descriptor = sockets.tcpConnect(host, port);
      const connection = new Connection(this.poller.add(descriptor, Interest.write), descriptor, true);
      this.#connections.set(connection.slot, connection);
      return connection;
    } catch {
      return null;
    }
  }

  /** Queues a frame for the end of the turn. @returns false: too much waits already, and it is dropped */
  send(connection: Connection, frame: Uint8Array): boolean {
    if (connection.closed) return false;
    if (connection.out.length > 0 && connection.waiting + frame.length > MOST_WAITING) return false;
    connection.out.push(frame);
    connection.waiting += frame.length;
    this.counts.out++;
    if (connection.flushed && !connection.blocked && !connection.connecting) this.#touch(connection);
    return true;
  }

  /** One wait, at most so many microseconds, and what follows from it. */
  turn(timeoutUs: number): void {
    const changes = this.#changes;
    this.#changes = 0;
    const { poller } = this;
    const count = poller.turn(changes, this.#again.size > 0 ? 0 : Math.max(0, timeoutUs));
    this.turnNs = now();
    let accepts = false;
    const ready: number[] = [];
    for (let row = 0; row < count; row++) {
      if (!poller.isCurrent(row)) continue;
      const slot = poller.events[row * Event.words + Event.slot]!;
      const flags = poller.events[row * Event.words + Event.flags]!;
      const connection = this.#connections.get(slot);
      if (connection !== undefined) this.#serve(connection, flags);
      else if (slot === this.#listener) accepts = true;
      else ready.push(slot);
    }
    const again = this.#again;
    this.#again = new Set();
    for (const connection of again) if (!connection.closed) this.#receive(connection, true);
    for (const slot of ready) {
      this.#watched.get(slot)?.();
      this.#rearm(slot);
    }
    // Last, so that a descriptor closed above is not used again before all rows of this turn are done with.
    if (accepts) this.#accept();
  }

  /** Sends what the turn had for anybody. */
  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) {
      connection.flushed = true;
      if (!connection.closed) this.#flush(connection);
    }
  }

  close(connection: Connection): void {
    if (connection.closed) return;
    connection.closed = true;
    connection.out.length = 0;
    this.#connections.delete(connection.slot);
    this.poller.forget(connection.slot);
    this.#sockets.close(connection.descriptor);
    this.handlers.closed(connection);
  }

  #touch(connection: Connection): void {
    connection.flushed = false;
    this.#dirty.push(connection);
  }

  #rearm(slot: number): void {
    if (this.#needsRearm && this.#changes < this.poller.maxChanges)
      this.poller.change(this.#changes++, slot, REARM);
  }

  #accept(): void {
    const listener = this.poller.descriptorOf(this.#listener);
    const most = this.poller.capabilities.maxDescriptor;
    // An edge tells once of all that wait.
    for (let i = 0; this.#edge || i < ACCEPTS; i++) {
      const descriptor = this.#sockets.accept(listener);
      if (descriptor < 0) {
        if (acceptAgain(descriptor)) continue;
        break;
      }
      if (this.#connections.size >= MOST_CONNECTIONS || (most >= 0 && descriptor > most)) {
        this.counts.refused++;
        this.#sockets.close(descriptor);
        continue;
      }
      const connection = new Connection(this.poller.add(descriptor, Interest.read), descriptor, false);
      this.#connections.set(connection.slot, connection);
    }
    this.#rearm(this.#listener);
  }

  #serve(connection: Connection, flags: number): void {
    if (connection.connecting) {
      this.#established(connection);
      return;
    }
    if (connection.blocked && (flags & Flag.writable) !== 0) {
      this.#flush(connection);
      if (connection.closed) return;
    }
    if ((flags & (Flag.readable | ENDED)) !== 0) this.#receive(connection, (flags & ENDED) !== 0);
    else this.#rearm(connection.slot);
  }

  #established(connection: Connection): void {
    if (sockets.socketError(connection.descriptor) !== 0) {
      this.close(connection);
      return;
    }
    connection.connecting = false;
    this.poller.modify(connection.slot, Interest.read);
    this.handlers.connected(connection);
    if (!connection.closed) this.#flush(connection);
  }

  /** @param toTheEnd a short read is not the last: the other end may be gone */
  #receive(connection: Connection, toTheEnd: boolean): void {
    const take = (frame: Uint8Array) => {
      this.counts.in++;
      if (!connection.closed) this.handlers.frame(connection, frame);
    };
    for (let reads = 0; reads < READS; reads++) {
      const length = this.#sockets.receive(connection.descriptor, 0, RECEIVE_BYTES);
      if (wouldBlock(length)) {
        this.#rearm(connection.slot);
        return;
      }
      if (length <= 0) {
        this.close(connection);
        return;
      }
      this.counts.bytesIn += length;
      if (!connection.reader.feed(this.#sockets.bytes.subarray(0, length), take)) {
        this.counts.refused++;
        this.close(connection);
      }
      if (connection.closed) return;
      if (length < RECEIVE_BYTES && !toTheEnd) {
        this.#rearm(connection.slot);
        return;
      }
    }
    this.#again.add(connection);
  }

  #flush(connection: Connection): void {
    const { out } = connection;
    const { bytes } = this.#sockets;
    while (out.length > 0) {
      let [filled, piece, from] = [0, 0, connection.sent];
      while (filled < SEND_BYTES && piece < out.length) {
        const part = out[piece]!.subarray(from, from + SEND_BYTES - filled);
        bytes.set(part, RECEIVE_BYTES + filled);
        filled += part.length;
        piece++;
        from = 0;
      }
      const taken = this.#sockets.send(connection.descriptor, RECEIVE_BYTES, filled);
      if (taken < 0 && !wouldBlock(taken)) {
        this.close(connection);
        return;
      }
      this.#advance(connection, Math.max(0, taken));
      if (taken < filled) {
        this.#block(connection, true);
        return;
      }
    }
    this.#block(connection, false);
  }

  #advance(connection: Connection, taken: number): void {
    this.counts.bytesOut += taken;
    connection.waiting -= taken;
    let left = taken;
    while (left > 0) {
      const rest = connection.out[0]!.length - connection.sent;
      if (left < rest) {
        connection.sent += left;
        return;
      }
      left -= rest;
      connection.out.shift();
      connection.sent = 0;
    }
  }

  #block(connection: Connection, blocked: boolean): void {
    if (connection.blocked === blocked) {
      if (blocked) this.#rearm(connection.slot);
      return;
    }
    connection.blocked = blocked;
    this.poller.modify(connection.slot, blocked ? Interest.both : Interest.read);
  }
}
