/** The gateway on our dispatch core, on every backend that this system has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programPath } from '../../src/addon.js';
import { dispatchFarewell, dispatchHello, dispatchSnapshot } from '../../src/contract/server.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { eventually } from '../servers/client.js';
import { holdToContract } from './contract-cases.js';
import { GatewayProcess } from './contract-process.js';
import { ask } from './replies.js';

/** A sanitizer keeps back what was freed. */
const sanitized = process.env.ASAN_OPTIONS !== undefined;

const command = programPath('dispatchbench-gateway');

// How a set of epoll is told of changes is no matter of the gateway's.
const backends = listBackends().filter(
  ({ name, available }) => available && !name.startsWith('epoll-batched'),
);
for (const { name } of backends) {
  holdToContract({
    name: `event-driven on ${name}`,
    command: (...args) => ({ command, args: ['--backend', name, ...args] }),
    hello: 'hello',
    announces: { name: 'event-driven', mode: name, module: false },
    memoryMiB: sanitized ? Number.POSITIVE_INFINITY : 2,
  });
}

test('with --control it is one of our servers as well', async () => {
  const args = ['--backend', 'poll', '--listen', '127.0.0.1:0', '--control'];
  const gateway = new GatewayProcess({ command, args });
  try {
    const { port, pid } = await gateway.announced();
    const hello = dispatchHello.parse(gateway.lines[0]);
    assert.deepEqual([hello.port, hello.pid, hello.protocol, hello.backend], [port, pid, 'http', 'poll']);
    for (let i = 0; i < 5; i++) await ask(port, '/');
    await ask(port, '/', { method: 'POST' });
    gateway.child.stdin!.write('snapshot s\n');
    const [line] = await eventually(
      async () => gateway.linesOf('snapshot'),
      (lines) => lines.length > 0,
    );
    const snapshot = dispatchSnapshot.parse(line);
    assert.deepEqual([snapshot.id, snapshot.requests, snapshot.rejected, snapshot.accepted], ['s', 5, 1, 6]);
    gateway.child.stdin!.end();
    assert.equal(await gateway.ended(), 0);
    assert.equal(dispatchFarewell.parse(gateway.lines.at(-1)).reason, 'end-of-control');
  } finally {
    await gateway.kill();
  }
});

test('a backend that is not there is named', async () => {
  for (const [backend, code, says] of [
    ['epol', 2, /unknown backend 'epol': this system has /],
    [process.platform === 'linux' ? 'kqueue' : 'epoll', 1, /is not available here/],
  ] as const) {
    const gateway = new GatewayProcess({ command, args: ['--backend', backend] });
    assert.equal(await gateway.ended(), code);
    assert.match(gateway.stderr, says);
  }
});
