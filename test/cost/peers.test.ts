/** Other people's loops dispatch the same rounds, and their system calls are counted as strace sees them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costModes, costPeers } from '../../src/contract/cost.js';
import { missingPeer } from '../../src/programs/cost.js';
import {
  available,
  costCommand,
  type Kind,
  measure,
  nameOf,
  run,
  traced,
  withoutStrace,
} from './programs.js';

const here: readonly string[] = available.map(({ name }) => name);
const peers = costPeers.map(({ name, backends }) => ({
  skip: missingPeer(name) ?? false,
  kinds: backends.filter((one) => here.includes(one)).map((backend): Kind => ({ impl: name, backend })),
}));

for (const { skip, kinds } of peers) {
  for (const kind of kinds) {
    test(`every mode, the same events: ${nameOf(kind)}`, { skip }, () => {
      const length = { rounds: 10, warmupRounds: 1 };
      for (const { name: mode, active } of costModes) {
        const more = active === 'unused' ? {} : { active: 4 };
        const { events, waits } = measure({ ...kind, mode, pairs: 8, ...more, length });
        const ours = measure({ impl: 'native', backend: kind.backend, mode, pairs: 8, ...more, length });
        assert.equal(events, ours.events, mode);
        // A loop's turn is one wait; where handlers change what is watched it may take further ones.
        if (!['toggle-write', 'loud-talker'].includes(mode)) assert.equal(waits, ours.waits, mode);
      }
    });

    test(`system calls: ${nameOf(kind)}`, { skip: skip || withoutStrace }, () => {
      const length = { rounds: 30, warmupRounds: 0 };
      const drain = traced({ ...kind, mode: 'drain', pairs: 30, active: 5, writes: 20, length });
      assert.equal(drain.calls(/^recvfrom\(.* = 1$/), 30 * 25);
      // Its first turn may look at descriptors of its own.
      assert.ok(drain.waits >= drain.line.waits && drain.waits <= drain.line.waits + 1, `${drain.waits}`);
      const toggles = { ...kind, mode: 'toggle-write', pairs: 10, active: 5 } as const;
      const [some, more] = [10, 30].map((rounds) => {
        const { line, calls } = traced({ ...toggles, length: { rounds, warmupRounds: 0 } });
        return { counted: line.changeCalls, seen: calls(/^epoll_ctl\(/) };
      }) as [{ counted: number; seen: number }, { counted: number; seen: number }];
      assert.equal(more.seen - some.seen, more.counted - some.counted);
      assert.equal(more.seen > some.seen, kind.backend === 'epoll');
    });

    test(`its library and the mechanism it was told are named: ${nameOf(kind)}`, { skip }, () => {
      const line = measure({ ...kind, mode: 'wakeup', length: { rounds: 5 } });
      assert.deepEqual([line.impl, line.backend, line.capabilities], [kind.impl, kind.backend, null]);
      assert.match(line.versions[kind.impl === 'libuv-c' ? 'libuv' : kind.impl] ?? '', /^\d+\.\d+/);
    });
  }
}

for (const { name } of costPeers) {
  test(`a mechanism that it has not is refused by name: ${name}`, {
    skip: missingPeer(name) ?? false,
  }, () => {
    const { command } = costCommand({ impl: name, backend: 'epoll', mode: 'drain' });
    const { status, stderr } = run(command, ['--backend', 'epoll-et']);
    assert.equal(status, 1);
    assert.match(stderr, /has no (method|backend|mechanism) 'epoll-et' here: it has .*(epoll|kqueue)/);
  });
}

test('libevent is not asked to watch by select what would end it', {
  skip: missingPeer('libevent') ?? false,
}, () => {
  const { command } = costCommand({ impl: 'libevent', backend: 'select', mode: 'drain' });
  const { status, stderr } = run(command, ['--backend', 'select', '--pairs', '1000']);
  assert.equal(status, 1);
  assert.match(stderr, /FD_SETSIZE.*ask for at most \d+ --pairs$/m);
});
