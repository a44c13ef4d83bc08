/**
 * Mixed hostile traffic at every server for HOSTILE_SECONDS each: afterwards it serves, has no more descriptors than before
 * and no more memory than it had come to need in the first quarter.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { randomFrom } from '../../src/statistics/random.js';
import { eventually } from '../servers/client.js';
import { nameOf, oneOfEach, withServer } from '../servers/table.js';
import { tried } from '../support/tally.js';
import { traffics } from './traffic.js';

const seconds = Number(process.env.HOSTILE_SECONDS ?? 1);
const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1e6);
const random = randomFrom(seed);
const atOnce = 50;
/** What an allocator or a collector may keep beside what is needed. */
const slackBytes = 64 << 20;

const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
const residentBytes = (pid: number) =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

for (const { protocol, ports, resting, misbehave, serves } of traffics)
  for (const kind of oneOfEach) {
    const name = `${nameOf(kind)}, ${protocol}`;
    test(`${seconds} s of hostile clients: ${name} (seed ${seed})`, {
      skip: process.platform === 'linux' ? false : 'this system has no /proc to look at a server in',
    }, async (t) => {
      await withServer(
        kind,
        protocol,
        async (port, server, { pid }) => {
          const rests = () =>
            eventually(
              () => server.snapshot(),
              ({ connections }) => connections === resting,
            );
          await serves(port);
          await rests();
          const before = descriptors(pid);
          let done = 0;
          const attack = async (untilMs: number) => {
            while (performance.now() < untilMs) {
              await misbehave(port, random);
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
          await rests();
          assert.equal(descriptors(pid), before);
          const more = residentBytes(pid) - resident;
          assert.ok(more < slackBytes, `${more} bytes more than after the first quarter`);
          await serves(port);
          tried(`hostile clients of ${name}`, done);
          tried(`seconds of hostile clients of ${name}`, seconds);
          t.diagnostic(`${done} hostile clients, ${(more / 2 ** 20).toFixed(1)} MiB more`);
        },
        protocol === 'udp-echo' ? { ports } : {},
      );
    });
  }
