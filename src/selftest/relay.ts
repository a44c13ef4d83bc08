/**
 * A known-answer server for datagrams: it echoes, but drops, duplicates, holds back, delays, corrupts and truncates at given
 * rates from a seed, and knows how often it did. One fault per datagram at most, so that the answer is exact.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { RelayFaults, RelayTruth } from '../contract/selftest.js';
import { monotonicNs } from '../process.js';
import { randomFrom } from '../statistics/random.js';

export class Relay {
  readonly truth: RelayTruth = {
    event: 'truth',
    seen: 0,
    dropped: 0,
    duplicates: 0,
    corrupted: 0,
    truncated: 0,
    late: 0,
    delaysNs: [],
    reordered: 0,
  };
  readonly sockets: Socket[] = [];
  port = 0;

  /** @param sequenceAt where the datagrams carry their sequence number; -1: nowhere */
  constructor(
    readonly faults: RelayFaults,
    readonly seed: number,
    readonly sequenceAt = 8,
  ) {}

  async listen(ports = 1, address = '127.0.0.1'): Promise<void> {
    for (let tries = 0; this.sockets.length < ports && tries < 50; tries++) {
      this.close();
      this.port = 12_000 + Math.floor(Math.random() * 15_000);
      for (let offset = 0; offset < ports; offset++) {
        const socket = createSocket('udp4');
        const bound = once(socket, 'listening').then(
          () => true,
          () => false,
        );
        socket.bind(this.port + offset, address);
        if (!(await bound)) break; // the port is in use: try another range
        this.#serve(socket, this.seed + offset);
        this.sockets.push(socket);
      }
    }
  }

  close(): void {
    for (const socket of this.sockets.splice(0)) socket.close();
  }

  #serve(socket: Socket, seed: number): void {
    const random = randomFrom(seed);
    const { truth, faults } = this;
    const highest = new Map<number, number>();
    let held: [Buffer, RemoteInfo] | null = null;
    const send = (datagram: Buffer, to: RemoteInfo, first = true) => {
      if (first && this.sequenceAt >= 0) {
        const sequence = datagram.readUInt32LE(this.sequenceAt);
        if (sequence < (highest.get(to.port) ?? 0)) truth.reordered++;
        else highest.set(to.port, sequence);
      }
      socket.send(datagram, to.port, to.address);
    };
    let quiet: NodeJS.Timeout | undefined;
    /** What is held back goes out after the next datagram, or when none comes. */
    const release = () => {
      if (held) send(...held);
      held = null;
    };
    const answer = (datagram: Buffer, to: RemoteInfo) => {
      let draw = random();
      const is = (share = 0) => {
        draw -= share;
        return draw < 0 && draw >= -share;
      };
      if (is(faults.drop)) {
        truth.dropped++;
      } else if (is(faults.duplicate)) {
        truth.duplicates++;
        send(datagram, to);
        send(datagram, to, false);
      } else if (is(faults.corrupt)) {
        truth.corrupted++;
        datagram[Math.floor(random() * datagram.length)]! ^= 1 << Math.floor(random() * 8);
        send(datagram, to, false);
      } else if (is(faults.truncate)) {
        truth.truncated++;
        send(datagram.subarray(0, Math.floor(random() * datagram.length)), to, false);
      } else if (is(faults.hold) && !held) {
        held = [datagram, to];
        clearTimeout(quiet);
        quiet = setTimeout(release, 200);
        return;
      } else if (is(faults.delay) && truth.seen <= (faults.delayed ?? Number.POSITIVE_INFINITY)) {
        truth.late++;
        const cameNs = monotonicNs();
        setTimeout(() => {
          send(datagram, to);
          truth.delaysNs.push(monotonicNs() - cameNs);
        }, faults.delayMs);
      } else {
        send(datagram, to);
      }
      release();
    };
    socket.on('message', (datagram, from) => {
      truth.seen++;
      answer(datagram, from);
    });
    socket.on('close', () => clearTimeout(quiet));
  }
}
