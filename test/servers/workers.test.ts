/** Several workers of one server: each has its connections, the figures are sums, and how they share is what was asked. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { addonPath } from '../../src/addon.js';
import { type AcceptSharing, acceptSharing, type BackendName } from '../../src/contract/common.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { connected, eventually, roundTrip } from './client.js';
import { type Kind, oneOfEach, withServer } from './table.js';

const linux = process.platform === 'linux';
const has = (backend: BackendName) =>
  listBackends().some(({ name, available }) => name === backend && available);
const native = (backend: BackendName): Kind => ({ impl: 'native', backend });

const ways: [BackendName, AcceptSharing][] = (
  [
    ['epoll', 'exclusive'],
    ['epoll', 'reuseport'],
    ['epoll', 'shared'],
    ['epoll-et', 'exclusive'],
    ['epoll-oneshot', 'shared'],
    ['poll', 'shared'],
    ['select', 'reuseport'],
    ['uring-poll', 'shared'],
  ] as const
)
  .filter(([backend, accept]) => has(backend) && (linux || accept === 'shared'))
  .map(([backend, accept]) => [backend, accept]);

const workers = 3;
const standing = 48;
const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0);

for (const [backend, accept] of ways)
  test(`${workers} workers on ${backend}, accept ${accept}: figures are the sums of theirs`, () =>
    withServer(
      native(backend),
      'tcp-echo',
      async (port, server, hello) => {
        assert.deepEqual(hello.workers, { count: workers, accept });
        const sockets = await Promise.all(Array.from({ length: standing }, () => connected(port)));
        for (const socket of sockets)
          assert.equal((await roundTrip(socket, Buffer.from('hello'))).toString(), 'hello');

        const { workers: each, ...all } = await server.snapshot();
        assert.equal(each!.length, workers);
        for (const figure of ['accepted', 'connections', 'requests'] as const) {
          assert.equal(sum(each!.map((one) => one[figure])), standing, figure);
          assert.equal(all[figure], standing, figure);
        }
        assert.equal(all.bytesIn, 5 * standing);
        // Every event was brought by a wait of some worker; each waits at least once.
        assert.ok(all.counters!.waits >= workers && all.counters!.events >= 2 * all.counters!.emptyWaits);
        assert.ok(sum(all.eventsPerWait!) >= all.counters!.waits - workers);
        if (accept === 'reuseport') {
          // All of them in one worker: once in 3^47.
          assert.ok(each!.every(({ emptyAccepts }) => emptyAccepts === 0));
          assert.ok(each!.filter(({ accepted }) => accepted > 0).length > 1);
        }

        for (const socket of sockets.slice(0, 10)) socket.destroy();
        const after = await eventually(
          () => server.snapshot(),
          ({ connections }) => connections === standing - 10,
        );
        assert.equal(sum(after.workers!.map(({ connections }) => connections)), standing - 10);
        for (const socket of sockets) socket.destroy();
        const farewell = await server.stop();
        assert.equal(farewell.reason, 'stop');
        assert.equal(sum(farewell.workers!.map(({ accepted }) => accepted)), standing);
      },
      { workers, accept },
    ));

test('a signal ends all workers, and the end of the control channel does', {
  skip: !has('epoll') && 'no epoll',
}, async () => {
  const asked = { workers: 2, accept: 'reuseport' } as const;
  for (const [end, reason] of [
    [(pid: number) => process.kill(pid, 'SIGTERM'), 'signal'],
    [null, 'end-of-control'],
  ] as const)
    await withServer(
      native('epoll'),
      'http',
      async (_port, server) => {
        if (end) end(server.child.pid!);
        else server.child.stdin.end();
        assert.equal((await server.farewell()).reason, reason);
        await server.ended();
        assert.equal(server.child.exitCode, 0);
      },
      asked,
    );
});

test(
  'together they refuse connections beyond the limit of all',
  { skip: !linux && 'needs SO_REUSEPORT' },
  () =>
    withServer(
      native('poll'),
      'tcp-echo',
      async (port, server) => {
        const sockets = await Promise.all(Array.from({ length: 20 }, () => connected(port)));
        const { accepted, rejected } = await eventually(
          () => server.snapshot(),
          (now) => now.accepted + now.rejected === 20,
        );
        assert.ok(accepted <= 4 && rejected >= 16, `${accepted} accepted, ${rejected} rejected`);
        for (const socket of sockets) socket.destroy();
      },
      { workers: 2, accept: 'reuseport', maxConnections: 4 },
    ),
);

const refused = async (
  kind: Kind,
  more: object,
  says: RegExp,
  protocol: 'tcp-echo' | 'udp-echo' = 'tcp-echo',
) =>
  assert.rejects(
    withServer(kind, protocol, async () => assert.fail('it serves'), more),
    says,
  );

test('what cannot be shared so is refused in one sentence', async () => {
  const backend = has('epoll') ? 'epoll' : 'kqueue';
  await refused(
    native(backend),
    { workers: 2 },
    /several --workers take --accept exclusive, reuseport or shared/,
  );
  await refused(native(backend), { accept: 'shared' }, /--accept is of several --workers/);
  await refused(native(backend), { workers: 2, accept: 'fairly' }, /not 'fairly'/);
  await refused(native(backend), { workers: 2, accept: 'shared' }, /of TCP servers/, 'udp-echo');
  await refused(
    native('poll'),
    { workers: 2, accept: 'exclusive' },
    /backend 'poll' cannot wake one worker alone: --accept reuseport or shared/,
  );
  for (const kind of oneOfEach.filter(({ impl }) => impl !== 'native'))
    await refused(kind, { workers: 2, accept: 'shared' }, /are of the native server/);
});

test('every way to share is served by some mechanism here', { skip: !has('epoll') && 'no epoll' }, () =>
  assert.deepEqual([...new Set(ways.map(([, accept]) => accept))].sort(), [...acceptSharing.options].sort()),
);

const needsLinux = { skip: !linux && 'SO_BUSY_POLL is of Linux' };

test('--busy-poll: the hello says what was taken, or the refusal which errno', needsLinux, async () => {
  for (const kind of [native('epoll'), native('poll')]) {
    try {
      await withServer(
        kind,
        'http',
        async (_port, _server, { busyPoll }) => {
          const { us, sockets, waits, whyNotWaits, burns } = busyPoll!;
          assert.deepEqual([us, sockets], [50, true]);
          assert.equal(waits, whyNotWaits === null);
          if (kind.backend === 'poll') assert.match(whyNotWaits!, /poll has no parameters for it/);
          else if (!waits) assert.match(whyNotWaits!, /EPIOCSPARAMS.*\(errno \d+\)/);
          assert.match(burns, /CPU/);
        },
        { busyPoll: 50 },
      );
    } catch (error) {
      assert.match((error as Error).message, /--busy-poll cannot be had here: SO_BUSY_POLL: .*\(errno \d+\)/);
    }
  }
});

test('several workers poll busily alike; who does not ask tells nothing', needsLinux, async () => {
  await withServer(native('epoll'), 'http', async (_port, _server, hello) =>
    assert.equal(hello.busyPoll, undefined),
  );
  await refused(native('epoll'), { busyPoll: 50 }, /--busy-poll is of TCP servers/, 'udp-echo');
  for (const kind of oneOfEach.filter(({ impl }) => impl !== 'native'))
    await refused(kind, { busyPoll: 50 }, /of the native server/);
});

test('accepted sockets poll as the listening one does', needsLinux, (t) => {
  const testing = createRequire(import.meta.url)(join(dirname(addonPath), 'dispatchbench_testing.node')) as {
    busyPoll(us: number): [error: number, listener: number, accepted: number];
  };
  const [error, listener, accepted] = testing.busyPoll(70);
  if (error !== 0) return t.skip(`this system refuses SO_BUSY_POLL with errno ${error}`);
  assert.deepEqual([listener, accepted], [70, 70]);
});
