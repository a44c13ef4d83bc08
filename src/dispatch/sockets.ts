/**
 * Non-blocking TCP sockets by their descriptors, beside a poller. Calls that a loop makes all the time say what became of
 * them as a number, bytes or a negative errno, and throw for wrong arguments only.
 */
import { constants } from 'node:os';
import { addon } from '../addon.js';
import { layout } from './layout.js';

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

/** Words of a row of operations; see native/addon/sockets.cc. */
export const ROW_WORDS = 5;

const { EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE } = constants.errno;

/** Nothing is there to receive or to accept, or no room to send: wait for the next event. */
export const wouldBlock = (result: number): boolean => result === -EAGAIN;
/** Nothing can be accepted while this process, or the system, has no descriptor left. */
export const outOfDescriptors = (result: number): boolean => result === -EMFILE || result === -ENFILE;
/** This connection is gone already; the next one may be well. */
export const acceptAgain = (result: number): boolean => result === -ECONNABORTED || result === -EINTR;

/** Sockets of one thread, and the bytes that they receive into and send from. */
export class Sockets {
  /** what is received lies here, and what is to be sent as well: one memory for all connections, overwritten by the next call */
  readonly bytes: Uint8Array;
  readonly #desk: number;

  /** @param size of `bytes`, at least 65536 (default) */
  constructor(size: number = layout.receiveWindow) {
    const slab = new ArrayBuffer(size);
    const row = new ArrayBuffer(ROW_WORDS * Int32Array.BYTES_PER_ELEMENT);
    this.#desk = sockets.ioOpen(slab, row, 0);
    this.bytes = new Uint8Array(slab);
  }

  /**
   * A listening socket; port 0 takes a free one.
   * @param address numeric, IPv4 or IPv6
   * @param backlog connections that may wait to be accepted, 1 to 65535; the system may take fewer
   * @returns its descriptor
   * @throws Error with the errno's name as `code` (EADDRINUSE, EACCES, ...) or ERR_INVALID_ADDRESS
   */
  listen(address: string, port: number, backlog = 511): number {
    return sockets.tcpListen(address, port, backlog);
  }

  /** Where a socket is bound. @throws Error with the errno's name as `code` when it is no socket */
  addressOf(descriptor: number): { address: string; port: number } {
    return sockets.socketAddress(descriptor);
  }

  /** The next connection that waits. @returns its descriptor, or a negative errno */
  accept(listener: number): number {
    return sockets.socketAccept(listener);
  }

  /** Receives into `bytes` once. @returns how many; 0 at the end of the stream; or a negative errno */
  receive(descriptor: number, offset = 0, length: number = this.bytes.length - offset): number {
    return sockets.ioReceive(this.#desk, descriptor, offset, length);
  }

  /** Sends from `bytes` once. @returns how many were taken, which may be fewer; or a negative errno */
  send(descriptor: number, offset: number, length: number): number {
    return sockets.ioSend(this.#desk, descriptor, offset, length);
  }

  /** Sends no more (FIN); the peer may go on. @returns 0 or a negative errno */
  endSending(descriptor: number): number {
    return sockets.socketShutdown(descriptor);
  }

  /** Closes a socket, which its poller has to forget before. @returns 0 or a negative errno */
  close(descriptor: number): number {
    return sockets.socketClose(descriptor);
  }

  /** Lets go of `bytes`; open sockets stay open. Later calls that use them throw ERR_CLOSED_HANDLE. */
  release(): void {
    sockets.ioClose(this.#desk);
  }
}
