/** One list of options: every server takes them, `serve` offers them, and what they ask for is told and had. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { serverOptionEntries } from '../../src/contract/server-options.js';
import { serverProgram } from '../../src/programs/server.js';
import { nameOf, oneOfEach, withServer } from './table.js';

test('the serve command offers every option but the one it uses itself', () => {
  const bin = resolve(packageRoot, 'bin/dispatchbench.js');
  const { stdout } = spawnSync(process.execPath, [bin, 'serve', '--help'], { encoding: 'utf8' });
  const flags = [...stdout.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag]) => flag!);
  for (const [, { flag }] of serverOptionEntries)
    assert.equal(flags.includes(flag), flag !== 'control', flag);
});

test('a command says what differs from what a server does by itself, by the flags of the list', () => {
  const { args } = serverProgram({
    impl: 'native',
    protocol: 'http',
    backend: 'poll',
    cpus: [0, 2],
    port: 0,
    backlog: 9,
    control: true,
    expose: false,
    allow: undefined,
  });
  const options = ['--port', '0', '--cpu', '0,2', '--control', '--backlog', '9'];
  assert.deepEqual(args, ['--protocol', 'http', '--backend', 'poll', ...options]);
});

const somaxconn = '/proc/sys/net/core/somaxconn';
const most =
  process.platform === 'linux' ? Number(readFileSync(somaxconn, 'utf8')) : Number.POSITIVE_INFINITY;

for (const kind of oneOfEach) {
  test(`--backlog is what the kernel took: ${nameOf(kind)}`, async () => {
    for (const backlog of [undefined, 7, 65535]) {
      await withServer(
        kind,
        'tcp-echo',
        async (_port, _server, { listenBacklog }) =>
          assert.equal(listenBacklog, Math.min(backlog ?? 4096, most)),
        { backlog },
      );
    }
  });
}
