/** Equal work: a small request costs one receive and one send on every server of ours, and a re-arm on one-shot ones. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { responses } from '../../servers/http-response.js';
import { serverCommand } from '../../src/programs/server.js';
import { ServerProcess } from '../support/server-process.js';
import { connected, roundTrip } from './client.js';
import { kinds, nameOf } from './table.js';

const requests = 200;
const missing = spawnSync('strace', ['--version']).error ? 'strace is not installed' : false;

for (const kind of kinds.filter(({ impl }) => impl !== 'libuv')) {
  test(`system calls of ${requests} requests: ${nameOf(kind)}`, { skip: missing }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
    const trace = join(folder, 'trace');
    const { command, args } = serverCommand({ ...kind, protocol: 'http' });
    const traced = 'trace=recvfrom,sendto,epoll_ctl';
    const server = new ServerProcess('strace', ['-o', trace, '-e', traced, command, ...args]);
    try {
      const { port, capabilities } = await server.hello();
      const socket = await connected(port);
      for (let i = 0; i < requests; i++) {
        await roundTrip(socket, Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), responses[0]!.length);
      }
      const { counters } = await server.snapshot();
      socket.destroy();
      const farewell = await server.stop();
      assert.equal(farewell.requests, requests);
      await server.ended();

      const lines = readFileSync(trace, 'utf8').split('\n');
      const calls = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
      // The two more: the FIN of the client, and nothing else. A listener is not received from.
      assert.equal(calls(/^recvfrom\(.* = [1-9]/), requests, 'receives with bytes');
      assert.ok(
        calls(/^recvfrom\(/) <= requests + 1,
        `${calls(/^recvfrom\(/)} receives: one a request, one for the FIN`,
      );
      assert.equal(calls(/^sendto\(/), requests, 'sends');
      if (counters !== null) {
        const rearms = capabilities!.needsRearm ? requests : 0;
        assert.ok(
          counters.rearms >= rearms && counters.rearms <= rearms * 1.05,
          `${counters.rearms} re-arms`,
        );
        // Listener, connection, and the two control channels come and go; re-arms and accepts are all that is left.
        assert.ok(calls(/^epoll_ctl\(/) <= counters.rearms + 12, `${calls(/^epoll_ctl\(/)} epoll_ctl`);
        assert.ok(counters.waits <= requests + 10, `${counters.waits} waits`);
      }
    } finally {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
