/**
 * The sockets of the addon: plain calls with numbers, and a ring of operations that run in one crossing. Both work on a
 * slab of bytes allocated once. Results are bytes or a negative errno; nothing a socket does throws.
 */
import { constants } from 'node:os';
import { addon } from '../src/addon.js';
import { layout } from '../src/dispatch/layout.js';

interface SocketExports {
  ioOpen(slab: ArrayBuffer, ring: ArrayBuffer, receiveFrom: number): number;
  ioClose(desk: number): void;
  ioReceive(desk: number, fd: number, offset: number, length: number): number;
  ioSend(desk: number, fd: number, offset: number, length: number): number;
  ioRun(desk: number, from: number, to: number): number;
  ioTurnAway(desk: number, listener: number): boolean;
  tcpListen(host: string, port: number, backlog: number): number;
  tcpBacklog(fd: number, asked: number): number;
  tcpWithoutPacing(fd: number): string;
  tcpConnect(host: string, port: number): number;
  socketAccept(listener: number): number;
  socketClose(fd: number): number;
  socketShutdown(fd: number): number;
  socketError(fd: number): number;
  socketAddress(fd: number): { address: string; port: number };
}

export const sockets = addon<SocketExports>();

/** Room of one receive, bytes, in every implementation. */
export const RECEIVE_WINDOW: number = layout.receiveWindow;

/** Words of a ring row; see native/addon/sockets.cc. */
export const ROW_WORDS = 5;
export const CODE = 0;
export const FD = 1;
export const OFFSET = 2;
export const LENGTH = 3;
export const RESULT = 4;

export const NOTHING = 0;
export const RECEIVE_PACKED = 1;
export const SEND = 2;

const { EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE } = constants.errno;

export const wouldBlock = (result: number): boolean => result === -EAGAIN;
export const outOfDescriptors = (result: number): boolean => result === -EMFILE || result === -ENFILE;
/** This connection is gone already; the next one may be well. */
export const acceptAgain = (result: number): boolean => result === -ECONNABORTED || result === -EINTR;

/** Parts of the slab: texts a protocol sends again and again, answers put together, received bytes. */
export const TEXTS_BYTES = 4096;
export const STAGING_BYTES = 1 << 19;
export const RECEIVE_FROM = TEXTS_BYTES + STAGING_BYTES;

export class IoDesk {
  readonly slab: Uint8Array;
  readonly ring: Int32Array;
  readonly receiveFrom = RECEIVE_FROM;
  readonly handle: number;

  constructor({ receiveBytes = RECEIVE_WINDOW, rows = 1 } = {}) {
    const slab = new ArrayBuffer(RECEIVE_FROM + receiveBytes);
    const ring = new ArrayBuffer(rows * ROW_WORDS * Int32Array.BYTES_PER_ELEMENT);
    this.handle = sockets.ioOpen(slab, ring, RECEIVE_FROM);
    this.slab = new Uint8Array(slab);
    this.ring = new Int32Array(ring);
  }

  receive(fd: number, offset: number, length: number): number {
    return sockets.ioReceive(this.handle, fd, offset, length);
  }

  send(fd: number, offset: number, length: number): number {
    return sockets.ioSend(this.handle, fd, offset, length);
  }

  /** Runs rows [from, to) of the ring. @returns the first row that was not run: the slab may have no room for it */
  run(from: number, to: number): number {
    return sockets.ioRun(this.handle, from, to);
  }
}
