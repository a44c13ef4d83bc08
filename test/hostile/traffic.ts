/** Hostile clients by protocol: what one of them does on its turn, and how a server shows that it still serves. */
import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Protocol } from '../../src/contract/common.js';
import type { Random } from '../../src/statistics/random.js';
import { exchange } from '../servers/client.js';
import { forgeDatagram } from '../support/descriptors.js';

export interface Traffic {
  protocol: Protocol;
  /** ports of the server */
  ports: number;
  /** connections that a server has when nobody is there */
  resting: number;
  /** one hostile client, over within a second */
  misbehave(port: number, random: Random): Promise<void>;
  /** @throws AssertionError when it does not serve as it should */
  serves(port: number): Promise<void>;
}

const garbage = (size: number, random: Random) =>
  Buffer.from(Array.from({ length: size }, () => random() * 256));
const one = <T>(all: readonly T[], random: Random): T => all[Math.floor(random() * all.length)]!;

/** What may be done on a connection, and its end. */
type Deed = (socket: Socket, random: Random) => unknown;

const overTcp = (deeds: readonly Deed[]) => async (port: number, random: Random) => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: random() < 0.5 });
  socket.on('error', () => {}); // what it does to us is its right
  socket.on('data', () => {});
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  if (!socket.destroyed) await one(deeds, random)(socket, random);
  await pause(random() * 100);
  socket.destroy();
};

async function slowly(socket: Socket, bytes: Uint8Array | string, random: Random): Promise<void> {
  for (const byte of bytes) {
    socket.write(typeof byte === 'string' ? byte : Buffer.of(byte));
    await pause(random() * 20);
  }
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

const http: Traffic = {
  protocol: 'http',
  ports: 1,
  resting: 0,
  misbehave: overTcp([
    (socket, random) => socket.end(garbage(1 + random() * 5000, random)),
    (socket, random) => socket.end(get.slice(0, random() * get.length)),
    (socket, random) => socket.write(get.repeat(1 + random() * 200)),
    (socket, random) => socket.write(`GET / HTTP/1.1\r\nX: ${'y'.repeat(random() * 100_000)}`),
    (socket, random) =>
      socket.write(`POST / HTTP/1.1\r\nContent-Length: ${Math.floor(random() * 1e12)}\r\n\r\nx`),
    (socket) => socket.resetAndDestroy(),
    (socket) => {
      socket.write(get.repeat(50));
      socket.resetAndDestroy();
    },
    (socket, random) => slowly(socket, get.slice(0, 10), random),
    (socket) => {
      socket.pause();
      socket.write(get.repeat(2000));
    },
  ]),
  async serves(port) {
    const { bytes } = await exchange(port, [Buffer.from(get)], { finish: true });
    assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 200/);
  },
};

const tcpEcho: Traffic = {
  protocol: 'tcp-echo',
  ports: 1,
  resting: 0,
  misbehave: overTcp([
    (socket, random) => socket.end(garbage(1 + random() * 5000, random)),
    (socket) => socket.end(),
    (socket) => socket.resetAndDestroy(),
    (socket, random) => {
      socket.write(garbage(10_000, random));
      socket.resetAndDestroy();
    },
    (socket, random) => slowly(socket, garbage(10, random), random),
    // Its own reply fills every buffer of a client that is deaf.
    (socket, random) => {
      socket.pause();
      socket.write(Buffer.alloc(4 << 20, random() * 256));
    },
    (socket, random) => {
      socket.pause();
      socket.end(Buffer.alloc(1 << 20, random() * 256));
    },
    (socket, random) => socket.write(Buffer.alloc(1 + random() * 300_000, 'x')),
  ]),
  async serves(port) {
    const asked = Buffer.alloc(100_000, 'echo');
    const { bytes, ended } = await exchange(port, [asked], { finish: true });
    assert.equal(ended, 'end');
    assert.ok(bytes.equals(asked), `${bytes.length} of ${asked.length} bytes came back`);
  },
};

const ports = 8;
const largest = 65_507;

const sent = (socket: UdpSocket, bytes: Uint8Array, port: number) =>
  new Promise<void>((resolve) => socket.send(bytes, port, '127.0.0.1', () => resolve()));

/** A socket for the time of the work; its errors are those that it asks for. */
async function withSocket<T>(work: (socket: UdpSocket) => Promise<T>): Promise<T> {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  try {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return await work(socket);
  } finally {
    socket.close();
  }
}

const datagrams: ((port: number, random: Random) => Promise<unknown>)[] = [
  // Gone before its answers come, which so come back as errors.
  (port, random) => withSocket((socket) => sent(socket, garbage(random() * 2000, random), port)),
  (port) => withSocket((socket) => sent(socket, Buffer.alloc(0), port)),
  (port, random) => withSocket((socket) => sent(socket, Buffer.alloc(largest, random() * 256), port)),
  // More than its socket holds, from one that reads none of the answers.
  (port, random) =>
    withSocket(async (socket) => {
      const bytes = garbage(1 + random() * 1400, random);
      await Promise.all(Array.from({ length: 300 }, () => sent(socket, bytes, port)));
    }),
  // Forging takes root; who is not sends as anybody.
  (port, random) =>
    process.getuid?.() === 0
      ? Promise.resolve(forgeDatagram(one([7, port, port + 1, port - 1], random), port, 'forged'))
      : withSocket((socket) => sent(socket, Buffer.from('forged'), port)),
];

const udpEcho: Traffic = {
  protocol: 'udp-echo',
  ports,
  resting: ports,
  async misbehave(port, random) {
    await one(datagrams, random)(port + Math.floor(random() * ports), random);
    await pause(random() * 20);
  },
  serves: (port) =>
    withSocket(async (socket) => {
      for (let index = 0; index < ports; index++) {
        const asked = `port ${index}`;
        // One may be lost behind what is still in its socket.
        const again = setInterval(() => void sent(socket, Buffer.from(asked), port + index), 50);
        const deadline = AbortSignal.timeout(10_000);
        for (let got = ''; got !== asked; ) {
          const [message] = (await once(socket, 'message', { signal: deadline })) as [Buffer];
          got = message.toString();
        }
        clearInterval(again);
      }
    }),
};

export const traffics: readonly Traffic[] = [http, tcpEcho, udpEcho];
