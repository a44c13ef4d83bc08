/**
 * The listening end of a TCP server: accepts within a budget, and turns away what cannot be served, saying why once;
 * native/servers/acceptor.cc in TypeScript.
 */
import { Interest, type Poller } from '../src/dispatch/poller.js';
import type { Bound } from './hello.js';
import { acceptAgain, type IoDesk, outOfDescriptors, sockets } from './io-desk.js';
import type { Statistics } from './statistics.js';

export interface Acceptance {
  address: string;
  port: number;
  backlog: number;
  maxConnections: number;
  budgets: { accept: number };
}

export class Acceptor {
  /** of the listener */
  slot = -1;
  readonly #poller: Poller;
  readonly #desk: IoDesk;
  readonly #statistics: Statistics;
  readonly #acceptance: Acceptance;
  #explained = false;

  constructor(poller: Poller, desk: IoDesk, statistics: Statistics, acceptance: Acceptance) {
    this.#poller = poller;
    this.#desk = desk;
    this.#statistics = statistics;
    this.#acceptance = acceptance;
  }

  /** Binds, listens and registers. @throws Error with one sentence */
  open(): Bound {
    const { address, port, backlog } = this.#acceptance;
    const listener = sockets.tcpListen(address, port, backlog);
    this.slot = this.#poller.add(listener, Interest.read);
    return {
      ...sockets.socketAddress(listener),
      backlog: sockets.tcpBacklog(listener, backlog),
      congestionControl: sockets.tcpWithoutPacing(listener),
    };
  }

  /** Accepts what waits; calls `admitted` with the slot of each. @returns whether more may wait. The caller re-arms. */
  acceptSome(admitted: (slot: number) => void): boolean {
    const listener = this.#poller.descriptorOf(this.slot);
    let more = true;
    for (let i = 0; more && i < this.#acceptance.budgets.accept; i++) {
      const fd = sockets.socketAccept(listener);
      if (fd >= 0) {
        const slot = this.#admit(fd);
        if (slot >= 0) admitted(slot);
      } else if (outOfDescriptors(fd)) {
        more = sockets.ioTurnAway(this.#desk.handle, listener);
        if (more) this.#refuse('no descriptor is left (raise the limit: ulimit -n)');
      } else {
        more = acceptAgain(fd);
      }
    }
    return more;
  }

  /** @returns its slot, -1 when it was turned away */
  #admit(fd: number): number {
    const { backend, capabilities } = this.#poller;
    const most = capabilities.maxDescriptor;
    if (most >= 0 && fd > most) {
      return this.#refuse(`${backend} cannot watch descriptors beyond ${most}`, fd);
    }
    if (this.#statistics.connections >= this.#acceptance.maxConnections) {
      return this.#refuse('the limit of --max-connections is reached', fd);
    }
    try {
      const slot = this.#poller.add(fd, Interest.read);
      this.#statistics.accepted++;
      return slot;
    } catch (error) {
      return this.#refuse((error as Error).message, fd);
    }
  }

  #refuse(why: string, fd = -1): number {
    if (fd >= 0) sockets.socketClose(fd);
    this.#statistics.rejected++;
    if (!this.#explained) {
      this.#explained = true;
      process.stderr.write(
        `dispatchbench: a connection was refused: ${why}; this and later ones count as rejected\n`,
      );
    }
    return -1;
  }
}
