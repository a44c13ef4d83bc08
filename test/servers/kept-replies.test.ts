/**
 * Replies that find no room are kept, whoever's bytes they are: a text of the program's, the receive window (echo), or
 * what the protocol put together (a pipeline). The last two are cases of conformance.test.ts.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { responses } from '../../servers/http-response.js';
import type { ServerProcess } from '../support/server-process.js';
import { connected } from './client.js';
import { engineKinds, nameOf, oneOfEach, withServer } from './table.js';

const get = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
const ok = responses[0]!;
const MOST = 200_000;
const times = (count: number, bytes: Buffer) => Buffer.concat(new Array<Buffer>(count).fill(bytes));

/**
 * A client that does not read sends `start` requests, then `step` at a time, until an answer is not sent whole.
 * @returns how many it sent
 */
async function untilUnsent(
  socket: Socket,
  server: ServerProcess,
  { start, step }: { start: number; step: number },
): Promise<number> {
  const before = await server.snapshot();
  socket.pause();
  socket.write(times(start, get));
  for (let asked = start; asked < MOST; ) {
    const { requests, bytesOut } = await server.snapshot();
    if (requests - before.requests < asked) continue;
    if (bytesOut - before.bytesOut < asked * ok.length) return asked;
    socket.write(times(step, get));
    asked += step;
  }
  throw new Error('the kernel takes everything');
}

for (const kind of [...oneOfEach, ...engineKinds.slice(0, 1)].filter(({ impl }) => impl === 'native')) {
  test(`a single answer that finds no room arrives whole: ${nameOf(kind)}`, async () => {
    await withServer(kind, 'http', async (port, server) => {
      const first = await connected(port);
      const most = await untilUnsent(first, server, { start: 1000, step: 500 });
      first.destroy();
      while ((await server.snapshot()).connections > 0);
      // The last ones one at a time, so that each is a read of its own and its answer the constant text.
      let [second, asked] = [first, 0];
      // Less room than before, as the kernel sees fit: from further back.
      for (let back = 2000; ; back *= 2) {
        const start = Math.max(1, most - back);
        second = await connected(port);
        asked = await untilUnsent(second, server, { start, step: 1 });
        if (asked > start) break;
        assert.ok(start > 1, 'none was sent alone');
        second.destroy();
        while ((await server.snapshot()).connections > 0);
      }
      const received: Buffer[] = [];
      for await (const chunk of second) {
        received.push(chunk);
        if (received.reduce((sum, { length }) => sum + length, 0) === asked * ok.length) break;
      }
      assert.ok(Buffer.concat(received).equals(times(asked, ok)));
    });
  });
}
