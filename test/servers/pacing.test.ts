/** No socket of ours paces, on neither end, whatever congestion control the system has: its timers would be measured. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runLoad } from '../../src/load/engine.js';
import { loadOptions } from '../load/programs.js';
import { nameOf, oneOfEach, withServer } from './table.js';

const missing =
  process.platform !== 'linux'
    ? 'which sockets pace is known of Linux alone'
    : spawnSync('ss', ['--version']).error
      ? 'ss is not installed'
      : false;

/** The kernel's lines on established connections of a port, from both ends. */
async function connectionsOf(port: number): Promise<string[]> {
  const filter = `( sport = :${port} or dport = :${port} )`;
  const { stdout } = await promisify(execFile)('ss', ['-tinOH', 'state', 'established', filter]);
  return stdout.split('\n').filter(Boolean);
}

const connections = 4;

for (const kind of oneOfEach) {
  test(`${nameOf(kind)}: neither end paces, and the hello says so`, { skip: missing }, () =>
    withServer(kind, 'tcp-echo', async (port, _, hello) => {
      assert.equal(hello.congestionControl, 'reno');
      let seen: string[] = [];
      await runLoad(loadOptions(port, { connections, windowNs: 10e6 }), {
        async line({ event }) {
          if (event === 'window-end') seen = await connectionsOf(port);
        },
      });
      assert.equal(seen.length, 2 * connections, seen.join('\n'));
      for (const line of seen) assert.match(line, / reno /);
    }),
  );
}
