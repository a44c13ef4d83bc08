/**
 * What every backend must do alike, and where mechanisms may differ, said by their capabilities. A table of cases run on
 * every backend this system has.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Change, Interest, REARM } from '../../src/dispatch/poller.js';
import { fill, receive, receiveSoon, send } from '../support/descriptors.js';
import { type Bench, type Case, onEveryBackend, type Row, SOON_US } from './bench.js';

const onlyTrigger = (wanted: string) => (probe: { trigger: string }) => probe.trigger === wanted;

const fds = (rows: Row[]) => rows.map(({ fd }) => fd).sort((a, b) => a - b);

/** The one row there is, which must speak of `fd`. */
function only(rows: Row[], fd: number): Row {
  assert.deepEqual(fds(rows), [fd]);
  return rows[0] as Row;
}

/** Fills rows of changes and returns their results after the turn. */
function change(bench: Bench, ...rows: [fd: number, wanted: number][]): { events: Row[]; results: number[] } {
  rows.forEach(([fd, wanted], row) => {
    bench.poller.change(row, fd, wanted as Interest);
  });
  const events = bench.turn(0, rows.length);
  return { events, results: rows.map((_, row) => bench.poller.changes[row * 3 + Change.result] as number) };
}

const registration: Case[] = [
  {
    name: 'wrong registrations are named alike',
    run(bench) {
      const { poller } = bench;
      const [a, b] = bench.socketPair();
      const closed = bench.duplicate(a, 600);
      bench.close(closed);
      const wrong = (call: () => unknown, code: string) =>
        assert.equal(bench.errno(call), code, String(call));
      wrong(() => poller.add(-1, Interest.read), 'EBADF');
      wrong(() => poller.add(closed, Interest.read), 'EBADF');
      wrong(() => poller.modify(a, Interest.read), 'ENOENT');
      wrong(() => poller.forget(a), 'ENOENT');
      wrong(() => poller.rearm(a), 'ENOENT');
      poller.add(a, Interest.read);
      wrong(() => poller.add(a, Interest.write), 'EEXIST');
      poller.add(b, Interest.none);
      wrong(() => poller.add(b, Interest.none), 'EEXIST');
      poller.forget(a);
      wrong(() => poller.forget(a), 'ENOENT');
      poller.add(a, Interest.read);
    },
  },
  {
    name: 'a list of changes modifies, and reports each failure in its row',
    run(bench) {
      const { EINVAL, ENOENT } = constants.errno;
      const [a, b] = bench.socketPair();
      bench.poller.add(a, Interest.none);
      send(b);
      const { events, results } = change(
        bench,
        [b, Interest.read],
        [a, Interest.read],
        [-1, Interest.read],
        [a, 17],
        [b, REARM],
      );
      assert.deepEqual(results, [ENOENT, 0, ENOENT, EINVAL, ENOENT]);
      assert.equal(bench.poller.changeErrors, 4);
      assert.deepEqual(only(events, a).flags, ['readable']);
      const second = change(bench, [a, Interest.write]);
      assert.deepEqual(second.results, [0]);
      assert.equal(bench.poller.changeErrors, 0);
      assert.deepEqual(only(second.events, a).flags, ['writable']);
    },
  },
  {
    name: 'equal interest costs nothing',
    run(bench) {
      const [a] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      bench.look();
      const before = bench.poller.counters();
      bench.poller.modify(a, Interest.read);
      change(bench, [a, Interest.read]);
      const after = bench.poller.counters();
      assert.equal(after.changes, before.changes);
      assert.equal(after.changeCalls, before.changeCalls);
    },
  },
  {
    name: 'a descriptor beyond 1023 works, or is ERANGE where the backend says so',
    run(bench) {
      const [a, b] = bench.socketPair();
      const limit = bench.poller.capabilities.maxDescriptor;
      for (const lowest of [1023, 1024, 1500, 4097]) {
        const high = bench.duplicate(a, lowest);
        if (limit >= 0 && high > limit) {
          assert.equal(
            bench.errno(() => bench.poller.add(high, Interest.read)),
            'ERANGE',
          );
          continue;
        }
        bench.poller.add(high, Interest.read);
        assert.deepEqual(bench.look(), []);
        send(b);
        assert.deepEqual(only(bench.await(), high).flags, ['readable']);
        receive(high);
        bench.poller.forget(high);
        send(b);
        assert.deepEqual(bench.look(), []);
        receive(a);
      }
    },
  },
];

const readiness: Case[] = [
  {
    name: 'read and write of one descriptor are one row',
    run(bench) {
      const [a, b] = bench.socketPair();
      send(b);
      bench.poller.add(a, Interest.both);
      assert.deepEqual(only(bench.await(), a).flags, ['readable', 'writable']);
      assert.equal(bench.poller.counters().events, 1);
    },
  },
  {
    name: 'only what is asked for is reported',
    run(bench) {
      const [a, b] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      assert.deepEqual(bench.look(), []);
      bench.poller.modify(a, Interest.write);
      assert.deepEqual(only(bench.await(), a).flags, ['writable']);
      send(b);
      bench.poller.modify(a, Interest.read);
      assert.deepEqual(only(bench.await(), a).flags, ['readable']);
      fill(a);
      bench.poller.modify(a, Interest.write);
      assert.deepEqual(bench.look(), []);
    },
  },
  {
    name: 'level: repeats until the data is read',
    appliesTo: onlyTrigger('level'),
    run(bench) {
      const [a, b] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      send(b);
      for (let i = 0; i < 3; i++) only(bench.await(), a);
      receive(a);
      assert.deepEqual(bench.look(), []);
    },
  },
  {
    name: 'edge: does not repeat, new data does, and so does a new registration',
    appliesTo: onlyTrigger('edge'),
    run(bench) {
      const [a, b] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      send(b);
      only(bench.await(), a);
      assert.deepEqual(bench.look(), []);
      send(b);
      only(bench.await(), a);
      assert.deepEqual(bench.look(), []);
      bench.poller.modify(a, Interest.both);
      // The direction asked for anew is reported; epoll reports the other once more, kqueue does not.
      assert.ok(only(bench.await(), a).flags.includes('writable'));
      bench.poller.forget(a);
      bench.poller.add(a, Interest.read);
      only(bench.await(), a);
      receive(a);
      assert.deepEqual(bench.look(), []);
    },
  },
  {
    name: 'one-shot: silent after an event until armed, by rearm, a change row or another interest',
    appliesTo: onlyTrigger('oneshot'),
    run(bench) {
      const [a, b] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      const arms = [
        () => bench.poller.rearm(a),
        () => bench.poller.change(0, a, REARM),
        () => bench.poller.modify(a, Interest.both),
      ];
      for (const [i, arm] of arms.entries()) {
        send(b);
        only(bench.await(), a);
        send(b);
        assert.deepEqual(bench.look(), []);
        arm();
        only(bench.turn(0, i === 1 ? 1 : 0), a);
        bench.poller.rearm(a);
        receive(a);
        assert.equal(bench.look().length, i === 2 ? 1 : 0);
      }
      assert.equal(bench.poller.counters().rearms, 5);
    },
  },
  {
    name: 'rearm is free where the backend does not need it',
    appliesTo: ({ capabilities }) => capabilities?.needsRearm === false,
    run(bench) {
      const [a] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      const before = bench.poller.counters();
      bench.poller.rearm(a);
      assert.deepEqual(bench.poller.counters(), before);
    },
  },
  {
    name: 'interest none is silent, whatever happens to the peer',
    run(bench) {
      const [a, b] = bench.socketPair();
      const [client, server] = bench.tcpPair();
      bench.poller.add(a, Interest.read);
      bench.poller.modify(a, Interest.none);
      bench.poller.add(server, Interest.none);
      bench.close(b);
      bench.reset(client);
      assert.deepEqual(bench.turn(1000), []);
      for (const fd of [a, server]) {
        bench.poller.modify(fd, Interest.read);
        only(bench.await(), fd);
        bench.poller.forget(fd);
      }
    },
  },
];

/** Of a descriptor closed before the kernel was told of it, or of any that was closed; epoll and event ports forget it. */
const noticesClosing = ({ backend }: Bench) => !/^(epoll(?!-batched)|evport)/.test(backend);

const batches: Case[] = [
  {
    name: 'a registration removed within a batch makes its row stale',
    run(bench) {
      const [a, b] = bench.socketPair();
      send(a);
      send(b);
      bench.poller.add(a, Interest.read);
      bench.poller.add(b, Interest.read);
      const [first, second] = bench.await() as [Row, Row];
      assert.ok(bench.poller.isCurrent(0) && bench.poller.isCurrent(1));
      bench.poller.forget(second.fd);
      assert.ok(bench.poller.isCurrent(0));
      assert.ok(!bench.poller.isCurrent(1));
      assert.ok(!fds(bench.look()).includes(second.fd));
      bench.poller.forget(first.fd);
      assert.deepEqual(bench.look(), []);
    },
  },
  {
    name: 'a removal leaves the registrations of others as they are',
    run(bench) {
      const ends = [bench.socketPair(), bench.socketPair(), bench.socketPair(), bench.socketPair()];
      const generations = ends.map(([a], i) => {
        let generation = 0;
        for (let earlier = 0; earlier < i; earlier++) {
          bench.poller.add(a, Interest.read);
          generation = bench.poller.forget(a);
        }
        bench.poller.add(a, Interest.read);
        return generation;
      });
      for (const [removed, [fd]] of ends.entries()) {
        bench.poller.forget(fd);
        for (const [, peer] of ends) send(peer);
        const rows = bench.look().map(({ fd, generation }): [number, number] => [fd, generation]);
        const left = ends.map(([a], i): [number, number] => [a, generations[i] as number]).slice(removed + 1);
        assert.deepEqual(new Map(rows), new Map(left));
        for (const [a] of ends) {
          receive(a);
          if (left.some(([fd]) => fd === a)) bench.poller.rearm(a);
        }
        assert.deepEqual(bench.look(), []);
      }
    },
  },
  {
    name: 'a registration made silent leaves nothing behind when it is removed',
    run(bench) {
      for (const [first, then] of [
        [Interest.read, Interest.none],
        [Interest.both, Interest.write],
        [Interest.both, Interest.read],
      ] as const) {
        const [a, b] = bench.socketPair();
        bench.poller.add(a, first);
        send(b);
        only(bench.await(), a);
        bench.poller.modify(a, then);
        bench.poller.forget(a);
        const { rawEvents } = bench.poller.counters();
        assert.deepEqual(bench.look(), []);
        assert.equal(bench.poller.counters().rawEvents, rawEvents);
      }
    },
  },
  {
    name: 'what was removed, or whose poller is closed, is not held open',
    run(bench) {
      const isGone = (fd: number, peer: number) => {
        bench.close(fd);
        // With something unread the connection is reset.
        assert.ok(['ECONNRESET', null].includes(bench.errno(() => receive(peer))));
      };
      for (const interest of [Interest.read, Interest.write, Interest.both]) {
        for (const tell of [() => {}, bench.look, (peer: number) => bench.look() && send(peer)]) {
          const [a, b] = bench.socketPair();
          bench.poller.add(a, interest);
          tell(b);
          bench.poller.forget(a);
          isGone(a, b);
        }
      }
      const pairs = Array.from({ length: 50 }, () => bench.socketPair());
      for (const [a] of pairs) bench.poller.add(a, Interest.read);
      bench.look();
      for (const [, b] of pairs.slice(0, 25)) send(b);
      bench.closePoller();
      for (const [a, b] of pairs) isGone(a, b);
    },
  },
  {
    name: 'a registration silenced and asked for again between two waits is as one asked for anew',
    run(bench) {
      const [a, b] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      send(b);
      only(bench.await(), a);
      bench.poller.modify(a, Interest.none);
      bench.poller.modify(a, Interest.read);
      only(bench.await(), a);
      bench.poller.modify(a, Interest.write);
      bench.poller.modify(a, Interest.none);
      assert.deepEqual(bench.look(), []);
    },
  },
  {
    name: 'a change that cannot be made does not end the next wait without the rows that are there',
    run(bench) {
      const [gone] = bench.socketPair();
      const [idle] = bench.socketPair();
      const [live, peer] = bench.socketPair();
      bench.poller.add(gone, Interest.read);
      assert.deepEqual(bench.look(), []);
      bench.close(gone); // before forget: the caller's mistake
      assert.equal(bench.duplicate(idle, gone), gone);
      bench.poller.add(live, Interest.read);
      send(peer);
      bench.errno(() => bench.poller.modify(gone, Interest.none));
      only(bench.await(), live);
    },
  },
  {
    name: 'a descriptor closed and reused within a batch is another registration',
    run(bench) {
      const [a, b] = bench.socketPair();
      const [idle, idlePeer] = bench.socketPair();
      send(a);
      send(b);
      bench.poller.add(a, Interest.read);
      bench.poller.add(b, Interest.read);
      const victim = (bench.await()[1] as Row).fd;
      const next = bench.poller.forget(victim);
      bench.close(victim);
      assert.equal(bench.duplicate(idle, victim), victim);
      bench.poller.add(victim, Interest.read);
      assert.ok(bench.poller.isCurrent(0));
      assert.ok(!bench.poller.isCurrent(1));
      assert.ok(!fds(bench.look()).includes(victim));
      send(idlePeer);
      const row = bench.await().find(({ fd }) => fd === victim);
      assert.equal(row?.generation, next);
    },
  },
  {
    name: 'rows of a description that outlived its registration are dropped and counted',
    run(bench) {
      const [a, b] = bench.socketPair();
      const watched = bench.duplicate(a, 700);
      bench.poller.add(watched, Interest.read);
      bench.close(watched); // before forget, while `a` keeps the description alive: the caller's mistake
      bench.poller.forget(watched);
      send(b);
      assert.deepEqual(bench.look(), []);
      // Told of both in a batch, it never had it.
      const leaves = bench.backend.startsWith('epoll') && !bench.poller.capabilities.batchedChanges;
      assert.equal(bench.poller.counters().stale, leaves ? 1 : 0);
    },
  },
  {
    name: 'a descriptor closed without forget is reported at most once and never fails the wait',
    run(bench) {
      const [a, b] = bench.socketPair();
      const [gone] = bench.pipe();
      send(b);
      bench.poller.add(gone, Interest.read);
      bench.poller.add(a, Interest.read);
      bench.close(gone);
      const seen = [...bench.await(), ...bench.look()];
      assert.deepEqual(
        seen.filter(({ fd }) => fd === gone).map(({ flags }) => flags),
        noticesClosing(bench) ? [['invalid']] : [],
      );
      assert.ok(fds(seen).includes(a));
      assert.ok(!fds(bench.look()).includes(gone));
      bench.poller.forget(gone);
      assert.equal(
        bench.errno(() => bench.poller.forget(gone)),
        'ENOENT',
      );
    },
  },
  {
    name: 'it is one row, whatever was asked for and however little room there is',
    maxEvents: 1,
    run(bench) {
      const [gone] = bench.socketPair();
      bench.poller.add(gone, Interest.both);
      bench.close(gone);
      assert.deepEqual(
        bench.look().map(({ flags }) => flags),
        noticesClosing(bench) ? [['invalid']] : [],
      );
      assert.deepEqual(bench.look(), []);
    },
  },
  {
    name: 'several of them, with room for one row, are reported one by one',
    maxEvents: 1,
    appliesTo: onlyTrigger('level'),
    run(bench) {
      const [live, peer] = bench.socketPair();
      const gone = Array.from({ length: 3 }, () => bench.pipe()[0]);
      bench.poller.add(live, Interest.read);
      for (const fd of gone) bench.poller.add(fd, Interest.read);
      for (const fd of gone) bench.close(fd);
      send(peer);
      // Removals change the order of poll's scan, so somebody may have to wait for the next round.
      const seen = Array.from({ length: 2 * (1 + gone.length) }, () => (bench.await()[0] as Row).fd);
      assert.ok(seen.includes(live));
      assert.deepEqual(
        seen.filter((fd) => gone.includes(fd)).sort((a, b) => a - b),
        noticesClosing(bench) ? gone.sort((a, b) => a - b) : [],
      );
    },
  },
  {
    name: 'one row at a time serves everybody',
    maxEvents: 1,
    run(bench) {
      // Spread over several words of a bitmap, two of them neighbours, one ready in both directions.
      const watched = [3, 64, 65, 200, 900].map((lowest) => {
        const [a, b] = bench.socketPair();
        send(b);
        return bench.duplicate(a, lowest);
      });
      for (const [i, fd] of watched.entries()) bench.poller.add(fd, i === 2 ? Interest.both : Interest.read);
      const rounds = bench.poller.capabilities.trigger === 'level' ? 3 : 1;
      // Where read and write are two filters, a full result can hold one without the other.
      const waits = watched.length + (bench.backend.startsWith('kqueue') ? 1 : 0);
      for (let round = 0; round < rounds; round++) {
        const served = new Set(Array.from({ length: waits }, () => (bench.await()[0] as Row).fd));
        assert.deepEqual(served, new Set(watched));
      }
      assert.equal(bench.poller.counters().saturatedWaits, rounds * waits);
    },
  },
  {
    name: 'one row at a time still serves everybody while registrations come and go',
    maxEvents: 1,
    appliesTo: onlyTrigger('level'),
    run(bench) {
      const watched = Array.from({ length: 8 }, () => {
        const [a, b] = bench.socketPair();
        send(b);
        bench.poller.add(a, Interest.read);
        return a;
      });
      const served = new Set<number>();
      for (let i = 0; i < 4; i++) served.add((bench.await()[0] as Row).fd);
      // The highest goes, so that a remembered position may now lie beyond the end.
      for (const fd of watched.slice(2)) bench.poller.forget(fd);
      const rest = watched.slice(0, 2);
      const seen = [...bench.await(), ...bench.await(), ...bench.await()].map(({ fd }) => fd);
      for (const fd of rest) assert.ok(seen.includes(fd));
      assert.ok(seen.every((fd) => rest.includes(fd)));
    },
  },
];

const peers: Case[] = [
  {
    name: 'FIN makes readable, and is flagged where the backend can',
    run(bench) {
      const [client, server] = bench.tcpPair();
      bench.poller.add(server, Interest.read);
      bench.close(client);
      const { flags } = only(bench.await(), server);
      assert.ok(flags.includes('readable'));
      assert.equal(flags.includes('readClosed'), bench.poller.capabilities.reportsReadClosed);
      assert.ok(!flags.includes('error'));
      assert.equal(receive(server), '');
    },
  },
  {
    name: 'data before a FIN can still be read',
    run(bench) {
      const [client, server] = bench.tcpPair();
      send(client, 'last words');
      bench.close(client);
      bench.poller.add(server, Interest.read);
      assert.ok(only(bench.await(), server).flags.includes('readable'));
      assert.equal(receive(server), 'last words');
      assert.equal(receiveSoon(server), '');
    },
  },
  {
    name: 'a half-closed peer can still be written to, and does not wake a writer that cannot write',
    run(bench) {
      const [client, server] = bench.tcpPair();
      bench.endWriting(client);
      bench.poller.add(server, Interest.both);
      assert.ok(!bench.until(server, 'readable', 'writable').has('hangup'));
      assert.equal(receive(server), '');
      send(server, 'still here');
      assert.equal(receiveSoon(client), 'still here');
      fill(server);
      bench.poller.modify(server, Interest.write);
      assert.deepEqual(bench.turn(1000), []);
    },
  },
  {
    name: 'a writer whose peer is half-closed hears when it can write again',
    async run(bench) {
      const [client, server] = bench.tcpPair();
      bench.endWriting(client);
      assert.equal(receiveSoon(server), '');
      const bytes = fill(server);
      bench.poller.add(server, Interest.write);
      assert.deepEqual(bench.turn(1000), []);
      bench.poller.forget(server);
      bench.poller.add(server, Interest.write);
      // Somebody else reads while we wait, and stays, because its end would interrupt the wait.
      const reads = `sleep 0.05; head -c ${bytes}; exec sleep 60`;
      const child = spawn('sh', ['-c', reads], { stdio: [client, 'ignore', 'ignore'] });
      const exit = new Promise((done) => child.once('exit', done));
      try {
        assert.deepEqual(only(bench.await(), server).flags, ['writable']);
      } finally {
        child.kill();
        await exit;
      }
      const repeats = bench.poller.capabilities.trigger === 'level' ? 3 : 0;
      for (let times = 0; times < repeats; times++) only(bench.await(), server);
      bench.poller.rearm(server);
      fill(server);
      bench.look();
      assert.deepEqual(bench.look(), []);
    },
  },
  {
    name: 'our own end of writing is no hang-up, with that of the peer it is',
    run(bench) {
      const [client, server] = bench.tcpPair();
      bench.endWriting(server);
      bench.poller.add(server, Interest.both);
      assert.deepEqual(only(bench.await(), server).flags, ['writable']);
      bench.poller.rearm(server);
      bench.endWriting(client);
      const { trigger, reportsReadClosed } = bench.poller.capabilities;
      // Edge-triggered, what the writing direction had to say has been said.
      const ends = !reportsReadClosed ? [] : trigger === 'edge' ? ['readClosed'] : ['readClosed', 'hangup'];
      assert.ok(!bench.until(server, 'readable', ...ends).has('error'));
    },
  },
  {
    name: 'RST makes ready whatever was asked for, and the next read names it',
    run(bench) {
      for (const interest of [Interest.read, Interest.write, Interest.both]) {
        const [client, server] = bench.tcpPair();
        fill(server); // not writable before the reset
        bench.poller.add(server, interest);
        assert.deepEqual(bench.look(), []);
        bench.reset(client);
        const { flags } = only(bench.await(), server);
        assert.equal(flags.includes('readable'), (interest & Interest.read) !== 0);
        assert.equal(flags.includes('writable'), (interest & Interest.write) !== 0);
        assert.equal(
          flags.includes('error'),
          bench.poller.capabilities.waitComplexity !== 'highest_descriptor',
        );
        assert.equal(
          bench.errno(() => receive(server)),
          'ECONNRESET',
        );
        bench.poller.forget(server);
      }
    },
  },
  {
    name: 'a refused connection turns writable, and the next read names it',
    run(bench) {
      const fd = bench.refusedConnect();
      bench.poller.add(fd, Interest.write);
      assert.ok(only(bench.await(), fd).flags.includes('writable'));
      assert.equal(
        bench.errno(() => receive(fd)),
        'ECONNREFUSED',
      );
    },
  },
  {
    name: 'the end of a pipe makes its reader readable',
    run(bench) {
      const [reader, writer] = bench.pipe();
      bench.poller.add(reader, Interest.read);
      bench.close(writer);
      assert.ok(only(bench.await(), reader).flags.includes('readable'));
      assert.equal(receive(reader), '');
    },
  },
  {
    name: 'a pipe without reader makes its writer writable',
    run(bench) {
      const [reader, writer] = bench.pipe();
      fill(writer);
      bench.poller.add(writer, Interest.write);
      assert.deepEqual(bench.look(), []);
      bench.close(reader);
      assert.ok(only(bench.await(), writer).flags.includes('writable'));
      assert.equal(
        bench.errno(() => send(writer)),
        'EPIPE',
      );
    },
  },
  {
    name: 'a pipe whose reader had gone before makes its writer writable too, and is open',
    run(bench) {
      const [live, peer] = bench.socketPair();
      const [reader, writer] = bench.pipe();
      bench.close(reader);
      bench.poller.add(writer, Interest.write);
      const { trigger, waitComplexity } = bench.poller.capabilities;
      for (let times = trigger === 'level' ? 3 : 1; times > 0; times--) {
        const { flags } = only(bench.await(), writer);
        assert.ok(flags.includes('writable') && !flags.includes('invalid'));
        assert.equal(flags.includes('error'), waitComplexity !== 'highest_descriptor');
      }
      send(peer);
      bench.poller.add(live, Interest.read);
      assert.deepEqual(
        fds(bench.await()),
        trigger === 'level' ? [live, writer].sort((a, b) => a - b) : [live],
      );
      receive(live);
      bench.poller.modify(writer, Interest.none);
      assert.deepEqual(bench.turn(1000), []);
      bench.poller.forget(writer);
      assert.deepEqual(bench.turn(1000), []);
    },
  },
];

/** The mechanism is a stand-in here: see native/testing/kqueue.cc. */
const overStandIn = ({ name }: { name: string }) => process.platform === 'linux' && name.startsWith('kqueue');

const time: Case[] = [
  {
    name: 'without a timeout a wait lasts until something is ready',
    run(bench) {
      const [a, b] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      send(b);
      only(bench.turn(-1), a);
    },
  },
  {
    name: 'a timeout never ends early',
    run(bench) {
      const [a] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      for (const timeoutUs of [0.5, 1, 50, 300, 999, 1000, 1001, 1500, 2999, 10_000]) {
        const started = process.hrtime.bigint();
        assert.deepEqual(bench.turn(timeoutUs), []);
        const elapsedNs = Number(process.hrtime.bigint() - started);
        assert.ok(elapsedNs >= timeoutUs * 1000, `${elapsedNs} ns for ${timeoutUs} us`);
      }
    },
  },
  {
    name: 'no wait is shorter than the unit in which the system is said to time it',
    run(bench) {
      const { timeoutResolutionNs } = bench.poller.capabilities;
      const started = process.hrtime.bigint();
      assert.deepEqual(bench.turn(timeoutResolutionNs / 2000), []);
      assert.ok(Number(process.hrtime.bigint() - started) >= timeoutResolutionNs);
    },
  },
  {
    name: 'a system that waits in ticks of its clock is known to',
    appliesTo: overStandIn,
    run(bench) {
      assert.equal(bench.poller.capabilities.timeoutResolutionNs, 10_000_000);
    },
  },
  {
    name: 'a signal ends a wait without being an error',
    async run(bench) {
      const [a, b] = bench.socketPair();
      bench.poller.add(a, Interest.read);
      const handler = () => {};
      process.on('SIGUSR2', handler);
      // Again and again: one signal alone could come just before the wait.
      const script = 'setInterval(() => process.kill(Number(process.argv[1]), "SIGUSR2"), 20)';
      const child = spawn(process.execPath, ['-e', script, String(process.pid)], { stdio: 'inherit' });
      try {
        assert.equal(bench.poller.turn(0, SOON_US), 0);
        assert.ok(bench.poller.interrupted);
        assert.equal(bench.poller.counters().interrupted, 1);
        send(b);
        only(bench.await(), a);
        assert.ok(!bench.poller.interrupted);
      } finally {
        const exit = new Promise((done) => child.once('exit', done));
        child.kill();
        await exit;
        process.off('SIGUSR2', handler);
      }
    },
  },
];

const counting: Case[] = [
  {
    name: 'counters add up',
    maxEvents: 2,
    run(bench) {
      const { poller } = bench;
      const pairs = [bench.socketPair(), bench.socketPair(), bench.socketPair()];
      for (const [a] of pairs) poller.add(a, Interest.read);
      bench.look();
      for (const [, b] of pairs) send(b);
      assert.equal(bench.await().length, 2);
      assert.ok(poller.saturated);
      assert.ok(bench.await().length >= 1);
      for (const [a] of pairs) poller.forget(a);
      bench.look();
      const { waits, emptyWaits, saturatedWaits, events, changes, stale, spurious, interrupted } =
        poller.counters();
      const level = poller.capabilities.trigger === 'level';
      // Of io_uring the row for which there was no room is taken without a system call.
      assert.equal(waits, bench.backend.startsWith('uring') && !level ? 3 : 4);
      assert.equal(emptyWaits, 2);
      assert.equal(changes, 6);
      assert.deepEqual([stale, spurious, interrupted], [0, 0, 0]);
      assert.equal(events, level ? 4 : 3);
      assert.equal(saturatedWaits, level ? 2 : 1);
    },
  },
];

onEveryBackend([...registration, ...readiness, ...batches, ...peers, ...time, ...counting]);
