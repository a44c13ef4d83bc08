/**
 * Mixed hostile traffic at every HTTP server for HOSTILE_SECONDS each: afterwards it serves, has no more descriptors than
 * before and no more memory than it had come to need in the first quarter.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { randomFrom } from '../../src/statistics/random.js';
import { eventually, exchange } from '../servers/client.js';
import { nameOf, oneOfEach, withServer } from '../servers/table.js';
import { tried } from '../support/tally.js';

const seconds = Number(process.env.HOSTILE_SECONDS ?? 1);
const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1e6);
const random = randomFrom(seed);
const atOnce = 50;
const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
/** What an allocator or a collector may keep beside what is needed. */
const slackBytes = 64 << 20;

const garbage = (size: number) => Buffer.from(Array.from({ length: size }, () => random() * 256));

/** Each does its worst on a new connection, and is over within a second. */
const deeds: ((socket: Socket) => void | Promise<void>)[] = [
  (socket) => void socket.end(garbage(1 + random() * 5000)),
  (socket) => void socket.end(get.slice(0, random() * get.length)),
  (socket) => void socket.write(get.repeat(1 + random() * 200)),
  (socket) => void socket.write(`GET / HTTP/1.1\r\nX: ${'y'.repeat(random() * 100_000)}`),
  (socket) => void socket.write(`POST / HTTP/1.1\r\nContent-Length: ${Math.floor(random() * 1e12)}\r\n\r\nx`),
  (socket) => void socket.resetAndDestroy(),
  (socket) => {
    socket.write(get.repeat(50));
    socket.resetAndDestroy();
  },
  async (socket) => {
    for (const byte of get.slice(0, 10)) {
      socket.write(byte);
      await pause(random() * 20);
    }
  },
  (socket) => {
    socket.pause();
    socket.write(get.repeat(2000));
  },
];

async function misbehave(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}); // what it does to us is its right
  socket.on('data', () => {});
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  if (!socket.destroyed) await deeds[Math.floor(random() * deeds.length)]!(socket);
  await pause(random() * 100);
  socket.destroy();
}

const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
const residentBytes = (pid: number) =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

for (const kind of oneOfEach) {
  test(`${seconds} s of hostile clients: ${nameOf(kind)} (seed ${seed})`, {
    skip: process.platform === 'linux' ? false : 'this system has no /proc to look at a server in',
  }, async (t) => {
    await withServer(kind, 'http', async (port, server, { pid }) => {
      await exchange(port, [Buffer.from(get)], { finish: true });
      await eventually(
        () => server.snapshot(),
        ({ connections }) => connections === 0,
      );
      const before = descriptors(pid);
      let done = 0;
      const attack = async (untilMs: number) => {
        while (performance.now() < untilMs) {
          await misbehave(port);
          done++;
        }
      };
      const begun = performance.now();
      const all = async (untilMs: number) => {
        await Promise.all(Array.from({ length: atOnce }, () => attack(untilMs)));
      };
      await all(begun + seconds * 250);
      const resident = residentBytes(pid);
      await all(begun + seconds * 1000);
      await eventually(
        () => server.snapshot(),
        ({ connections }) => connections === 0,
      );
      assert.equal(descriptors(pid), before);
      const more = residentBytes(pid) - resident;
      assert.ok(more < slackBytes, `${more} bytes more than after the first quarter`);
      const { bytes } = await exchange(port, [Buffer.from(get)], { finish: true });
      assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 200/);
      tried(`hostile connections to ${nameOf(kind)}`, done);
      tried(`seconds of hostile connections to ${nameOf(kind)}`, seconds);
      t.diagnostic(`${done} hostile connections, ${(more / 2 ** 20).toFixed(1)} MiB more`);
    });
  });
}
