/**
 * The sockets of the addon: plain calls with numbers, and a ring of operations that run in one crossing. Both work on a
 * slab of bytes allocated once. Results are bytes or a negative errno; nothing a socket does throws.
 */
import { layout } from '../src/dispatch/layout.js';
import { ROW_WORDS, sockets } from '../src/dispatch/sockets.js';

export { acceptAgain, outOfDescriptors, ROW_WORDS, sockets, wouldBlock } from '../src/dispatch/sockets.js';

/** Room of one receive, bytes, in every implementation. */
export const RECEIVE_WINDOW: number = layout.receiveWindow;

/** Words of a ring row; see native/addon/sockets.cc. */
export const CODE = 0;
export const FD = 1;
export const OFFSET = 2;
export const LENGTH = 3;
export const RESULT = 4;

export const NOTHING = 0;
export const RECEIVE_PACKED = 1;
export const SEND = 2;

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
