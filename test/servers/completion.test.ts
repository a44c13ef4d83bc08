/** What only servers on a completion engine can get wrong: buffers that run out, receives that hold a file, teardown. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { responses } from '../../servers/http-response.js';
import { commandOf } from '../../src/hosts/program.js';
import { serverProgram } from '../../src/programs/server.js';
import { randomFrom } from '../../src/statistics/random.js';
import type { ServerProcess } from '../support/server-process.js';
import { withoutUring } from '../uring/testing.js';
import { connected, eventually, exchange, roundTrip } from './client.js';
import { engineKinds, type Kind, nameOf, withServer } from './table.js';

const skip = withoutUring;
const get = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
const ok = responses[0]!;
const own: Kind[] = [
  { impl: 'native', backend: 'uring' },
  { impl: 'ts', io: 'batch', backend: 'uring' },
];
const with_ = (engineOptions: string): Kind[] => own.map((kind) => ({ ...kind, engineOptions }));

/** However it ends. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {}).resume();
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

const command = (kind: Kind) => commandOf(serverProgram({ ...kind, protocol: 'http' }));

const scarce = ['buffers=1,bytes=64', 'buffers=2,bytes=64,incremental', 'buffers=2,bytes=64,bundle'];
for (const kind of scarce.flatMap(with_)) {
  test(`buffers that run out hold nobody up for good: ${nameOf(kind)}`, { skip }, () =>
    withServer(kind, 'http', async (port, server) => {
      const sockets = await Promise.all(Array.from({ length: 50 }, () => connected(port)));
      for (let round = 0; round < 5; round++) {
        const replies = await Promise.all(sockets.map((socket) => roundTrip(socket, get, ok.length)));
        for (const reply of replies) assert.ok(reply.equals(ok));
      }
      const { requests, counters } = await server.snapshot();
      assert.equal(requests, 250);
      assert.ok(counters!.rearms > 0, 'receives ended for want of buffers');
      for (const socket of sockets) socket.destroy();
    }),
  );
}

// In bundles of many small buffers, which wrap around, and of those that are filled bit by bit; from where it was received.
const uncopied = with_('zerocopy=64,buffers=4')[0]!;
for (const kind of [
  ...own,
  with_('bundle,buffers=16,bytes=512')[0]!,
  with_('bundle,incremental,buffers=4')[1]!,
  uncopied,
]) {
  test(
    `slow readers get every reply in order, and are not received from meanwhile: ${nameOf(kind)}`,
    {
      skip,
    },
    () =>
      withServer(kind, 'tcp-echo', async (port, server) => {
        const message = (client: number) =>
          Buffer.from(Array.from({ length: 300_000 }, (_, i) => `${client}/${i} `).join(''));
        const rounds = await Promise.all(
          [1, 2, 3, 4].map(async (client) => {
            const sent = message(client);
            const { bytes } = await exchange(port, [sent], { slowReader: true, expect: sent.length });
            return bytes.equals(sent);
          }),
        );
        assert.deepEqual(rounds, [true, true, true, true]);
        const { bytesIn, bytesOut } = await server.snapshot();
        assert.equal(bytesIn, bytesOut);
      }),
  );
}

for (const kind of [...own, uncopied]) {
  test(`a peer that never reads does not fill the server's memory: ${nameOf(kind)}`, { skip }, () =>
    withServer(kind, 'tcp-echo', async (port, server) => {
      const socket = await connected(port);
      socket.pause();
      const before = await server.snapshot();
      socket.write(Buffer.alloc(64 << 20, 'x'));
      // As soon as nothing more is taken for a while.
      let standing = before;
      for (let last = -1; standing.bytesIn !== last; ) {
        last = standing.bytesIn;
        await new Promise((resolve) => setTimeout(resolve, 100));
        standing = await server.snapshot();
      }
      assert.ok(standing.bytesIn < 40 << 20, `${standing.bytesIn} bytes were taken`);
      assert.ok(
        standing.rssBytes - before.rssBytes < 32 << 20,
        `${standing.rssBytes - before.rssBytes} bytes grown`,
      );
      const other = await connected(port);
      assert.equal(
        (await roundTrip(other, Buffer.alloc(1000, 'y'))).length,
        1000,
        'others are served meanwhile',
      );
      other.destroy();
      // It is reset in the midst of sending: what is under way ends, and the server goes on.
      socket.resetAndDestroy();
      const after = await eventually(
        () => server.snapshot(),
        ({ connections }) => connections === 0,
      );
      assert.equal(after.connections, 0);
      const next = await connected(port);
      assert.equal((await roundTrip(next, Buffer.from('still here'))).toString(), 'still here');
      next.destroy();
    }),
  );
}

for (const kind of own) {
  test(`a client that sends on behind its last request is cut off: ${nameOf(kind)}`, { skip }, () =>
    withServer(kind, 'http', async (port, server) => {
      const socket = await connected(port);
      const gone = closed(socket);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      for (let i = 0; i < 64; i++) socket.write(Buffer.alloc(1 << 16, 'x'));
      await gone;
      const { closed: ended, requests } = await eventually(
        () => server.snapshot(),
        (snapshot) => snapshot.closed === 1,
      );
      assert.deepEqual([ended, requests], [1, 1]);
    }),
  );
}

for (const kind of [...own, ...with_('direct,incremental')]) {
  test(`stopped, it ends every connection and frees its port at once: ${nameOf(kind)}`, {
    skip,
  }, async () => {
    let port = 0;
    for (let start = 0; start < 3; start++) {
      await withServer(
        kind,
        'http',
        async (bound, server) => {
          port = bound;
          const sockets = await Promise.all(Array.from({ length: 20 }, () => connected(bound)));
          const ended = sockets.map(closed);
          await roundTrip(sockets[0]!, get, ok.length);
          await server.stop();
          await server.ended();
          await Promise.all(ended);
        },
        { port },
      );
    }
  });
}

for (const kind of own) {
  const storm = `connections that come and go in a storm are all counted: ${nameOf(kind)}`;
  test(storm, { skip }, async () => {
    // A turn that has room for a few rows at a time, and one that has room for all.
    for (const maxEvents of [4, 1024]) await withServer(kind, 'http', inStorm, { maxEvents });
  });
}

// A thread that polls sends by itself: what comes while it does has its answer held back until that is known to be over.
for (const kind of with_('sqpoll,direct')) {
  test(
    `requests that come in pieces and bursts are all answered: ${nameOf(kind)}`,
    { skip, timeout: 60_000 },
    () =>
      withServer(kind, 'tcp-echo', async (port, server) => {
        const random = randomFrom(11);
        const socket = await connected(port);
        let [sent, received] = [0, 0];
        for (let burst = 0; burst < 4000; burst++) {
          const pieces = 2 + Math.floor(3 * random());
          for (let piece = 0; piece < pieces; piece++) {
            socket.write('x');
            const next = process.hrtime.bigint() + BigInt(Math.floor(60_000 * random()));
            while (process.hrtime.bigint() < next);
          }
          sent += pieces;
          while (received < sent) received += ((await once(socket, 'data')) as [Buffer])[0].length;
        }
        assert.equal(received, sent);
        assert.equal((await server.snapshot()).bytesOut, sent);
        socket.destroy();
      }),
  );
}

// A FIN may come in the turn in which held back replies have gone and more bytes were shown, to which the reply is to come.
for (const kind of engineKinds) {
  test(`all that was sent before a FIN comes back: ${nameOf(kind)}`, { skip, timeout: 60_000 }, () =>
    withServer(kind, 'tcp-echo', async (port) => {
      const sent = randomBytes(300_000);
      for (let connection = 0; connection < 250; connection++) {
        const { bytes, ended } = await exchange(port, [sent], { finish: true });
        assert.equal(ended, 'end');
        assert.ok(bytes.equals(sent), `${bytes.length} of ${sent.length} came back, or other ones`);
      }
    }),
  );
}

async function inStorm(port: number, server: ServerProcess): Promise<void> {
  const many = 500;
  const last = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const replies = await Promise.all(Array.from({ length: many }, () => exchange(port, [Buffer.from(last)])));
  for (const { ended, bytes } of replies) assert.deepEqual([ended, bytes.length > 0], ['end', true]);
  const standing = await Promise.all(Array.from({ length: many }, () => connected(port)));
  for (const socket of standing) socket.destroy();
  const after = await eventually(
    () => server.snapshot(),
    ({ accepted, connections }) => accepted === 2 * many && connections === 0,
  );
  assert.deepEqual([after.accepted, after.closed, after.requests], [2 * many, 2 * many, many]);
}

test('the engine says what it got, and what it burns', { skip }, async () => {
  for (const kind of [...engineKinds, uncopied]) {
    await withServer(kind, 'tcp-echo', async (_port, _server, { backend, capabilities, engine }) => {
      const asked = (word: string) => kind.engineOptions?.split(',').includes(word) ?? false;
      assert.equal(backend, 'uring');
      assert.equal(capabilities, null);
      assert.equal(engine!.directDescriptors, asked('direct'));
      assert.equal(engine!.incrementalBuffers, asked('incremental'));
      assert.equal(engine!.bundles, asked('bundle'));
      assert.equal(engine!.zeroCopyBytes, kind === uncopied ? 64 : 0);
      assert.equal(engine!.setup.includes('sqpoll'), asked('sqpoll'));
      assert.equal(engine!.burns !== null, asked('sqpoll'));
      if (asked('no-register')) assert.equal(engine!.registeredRing, false);
    });
  }
});

test('a server that polls the network device says what it burns, or that it cannot', { skip }, async (t) => {
  for (const kind of with_('napi=20,sqpoll')) {
    try {
      await withServer(kind, 'http', async (port, _server, { engine }) => {
        const socket = await connected(port);
        assert.ok((await roundTrip(socket, get, ok.length)).equals(ok));
        socket.destroy();
        assert.equal(engine!.napiUs, 20);
        assert.match(
          engine!.burns!,
          /a thread of the kernel.*; each wait polls the network device for up to 20 /,
        );
      });
    } catch (error) {
      const none = /cannot poll network devices here: .*/.exec((error as Error).message);
      if (none === null) throw error;
      t.skip(none[0]);
    }
  }
});

const refused: [kind: Partial<Kind>, more: string[], says: RegExp][] = [
  [{}, ['--engine-options', 'fast'], /--engine-options has no 'fast': it takes no-register, direct/],
  [{}, ['--engine-options', 'buffers=3'], /buffers must be a power of two/],
  [{}, ['--engine-options', 'bytes=x'], /bytes must be a number from 64/],
  [{}, ['--engine-options', 'batch=8'], /batch needs wait/],
  [{}, ['--engine-options', 'napi=0'], /napi must be a number from 1/],
  [{}, ['--engine-options', 'zerocopy=100'], /as replies of native echo servers do and no others/],
  [{}, ['--backend', 'poll'], /--engine stands in the place of --backend/],
  [{}, ['--engine', 'kuring'], /unknown engine 'kuring': there is uring/],
  [{ backend: 'poll' }, ['--engine-options', 'direct'], /--engine-options are of an --engine/],
  [{ impl: 'libuv' }, [], /'libuv' picks its mechanism itself/],
  [{ impl: 'baseline' }, [], /there is a baseline for .*not for 'uring'/],
];

test('what an engine cannot do is refused in one sentence', { skip }, () => {
  for (const kind of own) {
    for (const [change, more, says] of refused) {
      const { command: program, args } = command({ ...kind, ...change });
      const { status, stderr } = spawnSync(program, [...args, ...more], { encoding: 'utf8' });
      assert.equal(status, 1, `${nameOf({ ...kind, ...change })} ${more.join(' ')}`);
      assert.match(stderr, says);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
  }
});

const refusedOfDatagrams: [words: string, says: RegExp][] = [
  ['incremental', /cannot fill buffers incrementally with datagrams/],
  ['bundle', /cannot receive datagrams in bundles/],
];

test('what cannot be done with datagrams is refused in one sentence', { skip }, () => {
  for (const kind of own) {
    for (const [engineOptions, says] of refusedOfDatagrams) {
      const { command: program, args } = commandOf(
        serverProgram({ ...kind, protocol: 'udp-echo', engineOptions }),
      );
      const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
      assert.equal(status, 1);
      assert.match(stderr, says);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
  }
});

test('an engine that is not to be had is never replaced', { skip: process.platform !== 'linux' }, () => {
  const denied = fileURLToPath(new URL('../uring/denied.js', import.meta.url));
  for (const kind of own) {
    const { command: program, args } = command(kind);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [denied, `${constants.errno.EPERM}`, program, ...args],
      { encoding: 'utf8' },
    );
    assert.equal(status, 1);
    assert.equal(stdout, '', 'no hello');
    assert.match(stderr, /engine 'uring' is not available here: .*seccomp/);
  }
});
