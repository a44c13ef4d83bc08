/**
 * Descriptors for tests, from an addon of their own beside the one under test. All are non-blocking; a scope closes what
 * a test leaves open.
 */
import { closeSync, readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { addonPath } from '../../src/addon.js';

type Pair = [number, number];

interface TestingExports {
  /** connected Unix stream sockets */
  socketPair(): Pair;
  /** read end, write end */
  pipe(): Pair;
  /** client and server of a connection over loopback */
  tcpPair(): Pair;
  /** a socket whose connection to a port nobody listens on has been started */
  refusedConnect(): number;
  /** a duplicate numbered `lowest` or more */
  duplicate(fd: number, lowest: number): number;
  /** sends FIN */
  endWriting(fd: number): void;
  /** closes with RST */
  reset(fd: number): void;
  /** sends a datagram over loopback with any source port; needs the right to raw sockets */
  forgeDatagram(source: number, target: number, text: string): void;
}

const testing = createRequire(import.meta.url)(
  resolve(dirname(addonPath), 'dispatchbench_testing.node'),
) as TestingExports;

export const { forgeDatagram } = testing;

/** Descriptors of one test. */
export class Descriptors {
  readonly #open = new Set<number>();

  #keep(fds: Pair): Pair {
    for (const fd of fds) this.#open.add(fd);
    return fds;
  }

  socketPair = (): Pair => this.#keep(testing.socketPair());
  pipe = (): Pair => this.#keep(testing.pipe());
  tcpPair = (): Pair => this.#keep(testing.tcpPair());

  refusedConnect(): number {
    const fd = testing.refusedConnect();
    this.#open.add(fd);
    return fd;
  }

  duplicate(fd: number, lowest: number): number {
    const copy = testing.duplicate(fd, lowest);
    this.#open.add(copy);
    return copy;
  }

  endWriting = testing.endWriting;

  reset(fd: number): void {
    this.#open.delete(fd);
    testing.reset(fd);
  }

  close(fd: number): void {
    this.#open.delete(fd);
    closeSync(fd);
  }

  closeAll(): void {
    for (const fd of this.#open) closeSync(fd);
    this.#open.clear();
  }
}

/** Writes one short message. */
export function send(fd: number, text = 'x'): void {
  writeSync(fd, text);
}

/** Reads once; '' is end of file. @throws with `code` EAGAIN, ECONNRESET, ... */
export function receive(fd: number): string {
  const bytes = Buffer.alloc(65536);
  return bytes.toString('latin1', 0, readSync(fd, bytes));
}

const sleepMs = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** What `call` gives once it no longer throws EAGAIN: what a peer did over loopback may still be under way. */
function soon<Result>(call: () => Result): Result {
  for (let tries = 5000; ; tries--) {
    try {
      return call();
    } catch (error) {
      if (tries === 0 || (error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      sleepMs(1);
    }
  }
}

/** Reads what is there or comes soon; '' is end of file. @throws with `code` ECONNRESET, ... */
export const receiveSoon = (fd: number): string => soon(() => receive(fd));

/**
 * Writes until the kernel takes no more, also after moments in which it may have moved what it has taken: on a busy
 * machine these are milliseconds. Returns how many bytes it took.
 */
export function fill(fd: number): number {
  const bytes = Buffer.alloc(65536);
  let all = 0;
  for (let empty = 0; empty < 4; sleepMs(1 << empty)) {
    let taken = 0;
    try {
      for (;;) taken += writeSync(fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    all += taken;
    empty = taken > 0 ? 0 : empty + 1;
  }
  return all;
}
