/**
 * A datagram echo on any backend, in TypeScript: native/servers/udp_server.h with its rules (one receive and one send call
 * per ready socket, a budget of datagrams, senders outside the allow-list dropped and counted). With io=call every
 * datagram crosses alone, twice; with io=batch all that wait at a socket cross together.
 */
import { addon } from '../src/addon.js';
import { Event, layout } from '../src/dispatch/layout.js';
import { Interest, openPoller, type Poller, REARM } from '../src/dispatch/poller.js';
import { PolledControl } from './control.js';
import { helloOf } from './hello.js';
import { sockets } from './io-desk.js';
import { nativeArguments } from './io-native.js';
import type { PolledOptions } from './options.js';
import { printLine, Statistics } from './statistics.js';

interface UdpExports {
  /** @param drains every receive must empty the socket */
  udpOpen(args: readonly string[], drains: boolean): number;
  udpSockets(handle: number): Int32Array;
  udpName(handle: number, fd: number, slot: number): void;
  udpTake(handle: number, slot: number, limit: number): number;
  udpAnswer(handle: number): void;
  udpStatistics(
    handle: number,
  ): Pick<Statistics, 'requests' | 'bytesIn' | 'bytesOut' | 'rejected' | 'unsent'>;
}

class UdpEchoServer {
  readonly #native = addon<UdpExports>();
  readonly #handle: number;
  readonly #poller: Poller;
  readonly #budget: number;
  /** datagrams that one crossing takes */
  readonly #limit: number;
  readonly #edge: boolean;
  readonly #rearms: boolean;
  #changes = 0;
  #requeued: number[] = [];
  readonly bound: { address: string; port: number };

  constructor(poller: Poller, options: PolledOptions, args: readonly string[], statistics: Statistics) {
    this.#edge = poller.capabilities.trigger === 'edge';
    this.#handle = this.#native.udpOpen(nativeArguments(args), this.#edge);
    this.#poller = poller;
    this.#budget = options.budgets.datagrams;
    this.#limit = options.io === 'call' ? 1 : this.#budget;
    this.#rearms = poller.capabilities.needsRearm;
    const descriptors = this.#native.udpSockets(this.#handle);
    for (const fd of descriptors) this.#native.udpName(this.#handle, fd, poller.add(fd, Interest.read));
    statistics.sockets = descriptors.length;
    this.bound = sockets.socketAddress(descriptors[0]!);
  }

  /** Brings the counts up to date. */
  count(statistics: Statistics): Statistics {
    return Object.assign(statistics, this.#native.udpStatistics(this.#handle));
  }

  turn(control: PolledControl, statistics: Statistics): void {
    const changes = this.#changes;
    this.#changes = 0;
    const count = this.#poller.turn(changes, this.#requeued.length > 0 ? 0 : -1);
    statistics.countWait(count);
    const requeued = this.#requeued;
    this.#requeued = [];
    const { events } = this.#poller;
    for (let row = 0, at = 0; row < count; row++, at += layout.eventWords) {
      const slot = events[at + Event.slot]!;
      const fd = this.#poller.descriptorOf(slot);
      if (control.descriptors.includes(fd)) control.onReadable(fd);
      else this.#serve(slot);
      if (this.#rearms) this.#poller.change(this.#changes++, slot, REARM);
    }
    for (const slot of requeued) this.#serve(slot);
  }

  #serve(slot: number): void {
    const limit = this.#limit;
    for (let taken = 0; taken < this.#budget; taken += limit) {
      const got = this.#native.udpTake(this.#handle, slot, limit);
      if (got > 0) this.#native.udpAnswer(this.#handle);
      if (got < limit) return;
    }
    if (this.#edge) this.#requeued.push(slot);
  }
}

/** @param args the options as they were given, which the addon reads by the native servers' rules */
export function serveUdpPolled(options: PolledOptions, args: readonly string[]): void {
  const { backend, budgets, leastWait } = options;
  const statistics = Statistics.forPoller();
  const poller = openPoller({
    ...{ backend, leastWait },
    maxEvents: budgets.maxEvents,
    maxChanges: budgets.maxEvents + 16,
  });
  const server = new UdpEchoServer(poller, options, args, statistics);
  const control = new PolledControl(options.control, (id) =>
    printLine(server.count(statistics).snapshot(id, poller.counters())),
  );
  for (const fd of control.descriptors) poller.add(fd, Interest.read);
  printLine(helloOf(options, poller.capabilities, server.bound));
  while (control.lines.reason === null) server.turn(control, statistics);
  printLine(server.count(statistics).farewell(control.lines.reason, poller.counters()));
}
