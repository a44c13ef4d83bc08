/** Servers that misbehave: every fault is counted under its own name, and no request is forgotten. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { LoadResult } from '../../src/contract/load.js';
import type { ReplyFault } from '../../src/contract/selftest.js';
import type { LoadOptions } from '../../src/load/engine.js';
import { knownServer, measure } from './programs.js';

const counted = ({ errors }: LoadResult) =>
  Object.fromEntries(Object.entries(errors).filter(([, count]) => count > 0));

/** Every request of the window ended as one latency or one error. */
function assertClosed(result: LoadResult): void {
  const { timeout, reset, closed, mismatch } = result.errors;
  assert.equal(result.requests, result.latency.count + timeout + reset + closed + mismatch);
}

interface Case {
  fault: ReplyFault;
  options?: Partial<LoadOptions>;
  check(result: LoadResult): void;
}

const http = { protocol: 'http' } as const;

const cases: Record<string, Case> = {
  'replies in pieces are whole replies': {
    fault: 'one-byte-at-a-time',
    check: (result) => assert.deepEqual(counted(result), {}),
  },
  'one wrong bit in ten replies': {
    fault: 'flip-one-bit',
    check(result) {
      assert.deepEqual(Object.keys(counted(result)), ['mismatch']);
      const share = result.errors.mismatch / result.requests;
      assert.ok(share > 0.05 && share < 0.15, `${share}`);
    },
  },
  'a reply of zeros': {
    fault: 'swap-replies',
    check: (result) => assert.deepEqual(counted(result), { mismatch: 4 }),
  },
  'a server that closes instead of the tenth reply': {
    fault: 'close-early',
    check(result) {
      assert.deepEqual(Object.keys(counted(result)), ['closed']);
      assert.ok(Math.abs(result.reconnects - result.errors.closed) <= 4, `${result.reconnects} reconnects`);
      assert.ok(result.replies > 8 * result.errors.closed, 'it goes on after each');
    },
  },
  'a server that resets instead of the tenth reply': {
    fault: 'reset-early',
    check(result) {
      assert.deepEqual(Object.keys(counted(result)), ['reset']);
      assert.ok(result.reconnects > 0);
    },
  },
  'a server that never answers': {
    fault: 'silent',
    options: { timeoutNs: 100e6, rate: 100 },
    check(result) {
      assert.equal(result.requests, 30);
      assert.deepEqual(counted(result), { timeout: 30 });
    },
  },
  'a server that falls silent, closed loop': {
    fault: 'silent-later',
    options: { timeoutNs: 100e6 },
    check(result) {
      assert.deepEqual(Object.keys(counted(result)), ['timeout']);
      assert.ok(result.replies > 0);
    },
  },
  'more than the server can do: late replies are latencies, what could not be sent is a timeout': {
    fault: 'one-byte-at-a-time',
    options: { rate: 200_000, timeoutNs: 200e6 },
    check(result) {
      assert.equal(result.requests, 60_000);
      assert.deepEqual(Object.keys(counted(result)), ['timeout']);
      assert.equal(result.reconnects, 0);
      assert.ok(result.backlogged > 30_000, `${result.backlogged} waited`);
    },
  },
  'bytes nobody asked for': {
    fault: 'chatty',
    check: (result) => assert.ok(result.errors.mismatch + result.errors.other > 0),
  },
  'an error status in every second reply': {
    fault: 'http-503-every-second',
    options: http,
    check(result) {
      assert.deepEqual(Object.keys(counted(result)), ['status']);
      assert.ok(Math.abs(2 * result.errors.status - result.requests) <= 8);
    },
  },
  'another body than before': {
    fault: 'http-other-body',
    options: http,
    check: (result) => assert.deepEqual(counted(result), { mismatch: result.requests - 4 }),
  },
  'another body, allowed': {
    fault: 'http-other-body',
    options: { ...http, anyBody: true },
    check: (result) => assert.deepEqual(counted(result), {}),
  },
  'no HTTP': {
    fault: 'http-garbage',
    options: http,
    check(result) {
      assert.deepEqual(Object.keys(counted(result)), ['mismatch']);
      assert.equal(result.latency.count, 0);
    },
  },
  'a connection for each reply': {
    fault: 'http-close',
    options: { ...http, rate: 200 },
    check(result) {
      assert.deepEqual(counted(result), {});
      assert.equal(result.latency.count, 60);
      assert.ok(Math.abs(result.reconnects - 60) <= 4, `${result.reconnects} reconnects`);
    },
  },
};

for (const [name, { fault, options, check }] of Object.entries(cases)) {
  test(`load: ${name}`, async (t) => {
    const { port } = await knownServer(t, { fault });
    const result = await measure(port, options);
    assert.ok(result.requests > 0);
    assertClosed(result);
    check(result);
  });
}

/** A port nobody listens on: one that was just given back. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('load: a port nobody listens on is one sentence', async () => {
  await assert.rejects(
    measure(await closedPort()),
    /^Error: 0 of 4 connections .*ECONNREFUSED.*start the server/,
  );
});

test('load: a name that does not exist is one sentence', async () => {
  await assert.rejects(
    measure(1, { target: { host: 'nowhere.invalid', port: 1 } }),
    /^Error: the host 'nowhere.invalid' cannot be resolved/,
  );
});
