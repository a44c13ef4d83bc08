/** Servers in C on other people's loops: they answer as ours do, by the mechanism that they were told. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { programPath } from '../../src/addon.js';
import type { BackendName } from '../../src/contract/common.js';
import type { PeerServerName } from '../../src/contract/peers.js';
import { peerListening } from '../../src/contract/server.js';
import { listBackends, nodeBackend } from '../../src/dispatch/registry.js';
import { missingPeerServer, peerServer } from '../../src/programs/peers.js';
import { echoCases, httpCases } from './cases.js';
import { exchange } from './client.js';

const skipped = (impl: PeerServerName) => ({ skip: missingPeerServer(impl) ?? false });
const programOf = (impl: PeerServerName) => programPath(peerServer(impl).server.program);

/** Runs `body` against a fresh server, which has to end well when it is told to. */
async function withPeer(
  impl: PeerServerName,
  backend: BackendName,
  protocol: string,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const child = spawn(programOf(impl), ['--backend', backend, '--protocol', protocol], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const said = JSON.parse(line);
    assert.equal(peerListening.parse(said).backend, backend);
    assert.match(Object.values<string>(said.versions).join(), /^\d+\.\d+/);
    await body(said.port);
  } finally {
    child.kill('SIGTERM');
  }
  assert.deepEqual(await ended, [0, null]);
}

const has = (backend: BackendName) =>
  listBackends().some(({ name, available }) => name === backend && available);

for (const backend of peerServer('libevent').backends.filter(has))
  test(`evhttp on ${backend}: our body to every request`, skipped('libevent'), () =>
    withPeer('libevent', backend, 'http', async (port) => {
      for (let request = 0; request < 3; request++) {
        const reply = await fetch(`http://127.0.0.1:${port}/${request}`);
        assert.equal(reply.status, 200);
        assert.equal(await reply.text(), 'dispatchbench\n');
        assert.equal(reply.headers.get('content-type'), 'text/plain');
      }
    }),
  );

test('libuv in C, tcp-echo: every byte comes back', skipped('libuv-c'), () =>
  withPeer('libuv-c', nodeBackend, 'tcp-echo', async (port) => {
    for (const [name, pieces, options] of echoCases) {
      const all = Buffer.concat(pieces);
      const asked = options?.finish ? options : { ...options, expect: all.length };
      const { bytes } = await exchange(port, pieces, asked);
      assert.ok(
        bytes.equals(all),
        `${name}: ${bytes.length} bytes came back of ${all.length}, or other ones`,
      );
    }
  }),
);

test('libuv in C, http: the answers of our servers to everything', skipped('libuv-c'), () =>
  withPeer('libuv-c', nodeBackend, 'http', async (port) => {
    for (const [name, pieces, reply, ends] of httpCases) {
      const all = Buffer.concat(reply);
      const expect = ends ? {} : { expect: all.length };
      const got = await exchange(port, pieces, { separate: pieces.length > 1, ...expect });
      assert.equal(got.bytes.toString('latin1'), all.toString('latin1'), name);
      assert.equal(got.ended, ends ? 'end' : 'length', name);
    }
  }),
);

for (const [impl, args, says] of [
  ['libevent', [], /--backend is missing/],
  ['libevent', ['--backend', 'kpoll'], /libevent has no method 'kpoll' here: it has .*poll/],
  ['libevent', ['--backend', 'poll', '--port', '70000'], /--port must be a number/],
  ['libevent', ['--backend', 'poll', '--protocol', 'tcp-echo'], /--protocol must be http/],
  ['libevent', ['--backend', 'poll', '--address', '0.0.0.0'], /not loopback: give --expose/],
  ['libuv-c', ['--backend', 'select'], /libuv chooses its mechanism itself, here/],
  ['libuv-c', ['--backend', nodeBackend, '--address', 'localhost'], /must be a numeric/],
] as const)
  test(`${impl} ${args.join(' ')}: what it cannot do it says in one sentence`, skipped(impl), () => {
    const { status, stderr } = spawnSync(programOf(impl), args, { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, says);
  });

test('libevent without a descriptor for a connection ends with a sentence', skipped('libevent'), async () => {
  const script = 'ulimit -n 40; exec "$0" --backend poll';
  const child = spawn('sh', ['-c', script, programOf('libevent')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const ended = once(child, 'close');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { port } = JSON.parse(line);
  const sockets = Array.from({ length: 60 }, () =>
    connect({ port, host: '127.0.0.1' }).on('error', () => {}),
  );
  assert.deepEqual(await ended, [1, null]);
  for (const socket of sockets) socket.destroy();
  assert.match(words, /no descriptor is left for a connection \(select has those below 1024/);
});
