/** What each mode of the micro-set counts, against arithmetic; no time is asserted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cost, costModes, furtherDescriptors } from '../../src/contract/cost.js';
import { edgeTriggered } from '../../src/contract/names.js';
import type { CostSpec } from '../../src/programs/cost.js';
import { available, costCommand, type Kind, kinds, measure, nameOf, run } from './programs.js';

const rounds = 20;
const length = { rounds, warmupRounds: 2 };

const capabilities = new Map(available.map(({ name, capabilities }) => [name, capabilities]));
const triggerOf = ({ backend }: Kind) => capabilities.get(backend)!.trigger;
/**
 * Changes ride the next wait, which may tell of some of what is ready at a time: how many calls that takes is the
 * mechanism's choice.
 */
const batched = ({ backend }: Kind) => capabilities.get(backend)!.batchedChanges;
/** System calls that one change of interest is. */
const callsPerChange = ({ backend }: Kind) => (backend.startsWith('epoll') ? 1 : 0);

function measured(
  kind: Kind & { lookFirst?: boolean },
  spec: Omit<CostSpec, 'impl' | 'backend' | 'length'>,
  perRound: number,
): Cost {
  const line = measure({ ...kind, ...spec, length });
  assert.equal(line.mode, spec.mode);
  assert.equal(line.rounds, rounds);
  assert.equal(line.events, rounds * perRound);
  assert.ok(line.nsPerEvent > 0);
  return line;
}

test('the contract lists the modes that the program has, in its order', () => {
  const { command } = costCommand({ ...kinds[0]!, mode: 'drain' });
  const { stderr } = run(command, ['--backend', 'poll', '--mode', '?']);
  const listed = stderr.match(/--mode must be (.*), not/)?.[1]?.split(/, | or /);
  assert.deepEqual(
    listed,
    costModes.map(({ name }) => name),
  );
});

test('the contract says of every mode which options it takes', () => {
  const { command } = costCommand({ ...kinds[0]!, mode: 'drain' });
  for (const { name, active, writes, budget } of costModes) {
    for (const [option, takes] of [
      ['active', active !== 'unused'],
      ['writes', writes],
      ['budget', budget],
    ] as const) {
      const args = ['--backend', 'poll', '--mode', name, `--${option}`, '7', '--rounds', '1'];
      const { stderr } = run(command, args);
      assert.equal(stderr.includes(`--${option} is nothing to --mode ${name}`), !takes, `${name} ${option}`);
    }
  }
});

test('what a mode opens beside the pairs is counted into the limit', () => {
  assert.equal(furtherDescriptors('drain', 50), 0);
  assert.equal(furtherDescriptors('udp-fan-in', 50), 50);
  const { command } = costCommand({ ...kinds[0]!, mode: 'drain' });
  const { stderr } = run(command, ['--backend', 'poll', '--mode', 'teardown', '--active', '1000000']);
  assert.match(stderr, /need 20\d{5} descriptors .*RLIMIT_NOFILE/);
});

test('the contract knows which mechanisms tell of what is left unread once', () => {
  for (const { name, capabilities } of available)
    assert.equal((edgeTriggered as string[]).includes(name), capabilities!.trigger === 'edge', name);
});

for (const kind of kinds.filter((one) => triggerOf(one) !== 'edge')) {
  test(`what is left unread is told by every wait: ${nameOf(kind)}`, () => {
    const active = 7;
    const whole = measured(kind, { mode: 'unread', pairs: 30, active }, 100 * active);
    if (!batched(kind)) assert.equal(whole.waits, rounds * 100);
    if (kind.impl === 'baseline') return;
    assert.equal(whole.counters!.events, whole.events);
    assert.equal(whole.counters!.rearms, capabilities.get(kind.backend)!.needsRearm ? whole.events : 0);
    const one = measured(kind, { mode: 'unread', pairs: 30, active, maxEvents: 1 }, 100 * active);
    if (!batched(kind)) assert.equal(one.waits, one.events, 'a wait of its own for each');
  });
}

test('a look before each sleep is a system call more where nothing is ready, and none where something is', () => {
  for (const backend of ['select', 'poll', 'epoll'] as const) {
    if (!capabilities.has(backend)) continue;
    const kind = { impl: 'native', backend, lookFirst: true } as const;
    const drain = measured(kind, { mode: 'drain', pairs: 20, active: 4, writes: 8 }, 12);
    assert.equal(drain.lookFirst, true);
    const plain = measured(
      { ...kind, lookFirst: false },
      { mode: 'drain', pairs: 20, active: 4, writes: 8 },
      12,
    );
    assert.deepEqual([drain.waits, plain.lookFirst], [plain.waits, undefined]);
    const { waits, writer } = measured(kind, { mode: 'wakeup-threads', pairs: 20 }, 1);
    assert.ok(waits >= rounds + (writer?.sleptRounds ?? 0) && waits <= 2 * rounds, `${waits} waits`);
  }
});

for (const kind of kinds) {
  test(`changes of interest are counted, those that are timed: ${nameOf(kind)}`, () => {
    const active = 10;
    for (const mode of ['add', 'remove', 'modify'] as const) {
      const changes = mode === 'modify' ? 2 * active : active;
      const line = measured(kind, { mode, pairs: 30, active }, changes);
      assert.equal(line.waits, 0);
      if (batched(kind)) continue;
      assert.equal(line.changeCalls, rounds * changes * callsPerChange(kind), mode);
      // What was put back lies outside the clock.
      if (line.counters) assert.equal(line.counters.changes, rounds * 2 * active);
    }
  });

  test(`toggling write interest is two changes and one event: ${nameOf(kind)}`, () => {
    const line = measured(kind, { mode: 'toggle-write', pairs: 30, active: 10 }, 10);
    if (batched(kind)) return;
    assert.equal(line.changeCalls, rounds * 20 * callsPerChange(kind));
    assert.equal(line.waits, rounds);
    assert.equal(line.counters?.events ?? line.events, line.events);
    assert.equal(line.counters?.rearms ?? 0, 0);
  });

  test(`an accept storm by budget: ${nameOf(kind)}`, () => {
    const edge = triggerOf(kind) === 'edge';
    const active = 12;
    for (const [budget, turns] of [
      [1, active],
      [5, 3],
      [50, 1],
    ] as const) {
      const line = measured(kind, { mode: 'accept-storm', pairs: 5, active, budget }, active);
      if (batched(kind)) continue;
      assert.equal(line.counted.turns, rounds * (edge ? 1 : turns), `budget ${budget}`);
      assert.equal(line.waits, line.counted.turns);
      // The last turn of a budget that does not divide them finds none.
      assert.equal(line.counted.acceptedNone, edge || budget > 1 ? rounds : 0, `budget ${budget}`);
    }
  });

  test(`UDP fan-in by budget: ${nameOf(kind)}`, () => {
    const edge = triggerOf(kind) === 'edge';
    const [active, writes] = [6, 12];
    for (const [budget, turns] of [
      [1, 3],
      [2, 2],
      [9, 1],
    ] as const) {
      const line = measured(kind, { mode: 'udp-fan-in', pairs: 5, active, writes, budget }, active + writes);
      if (batched(kind)) continue;
      assert.equal(line.counted.turns, rounds * active * (edge ? 1 : turns), `budget ${budget}`);
      const inVain = edge || budget > 1 ? rounds * active : 0;
      assert.equal(line.counted.receivedNone, inVain, `budget ${budget}`);
    }
  });

  test(`a loud talker is read by budget while others wait: ${nameOf(kind)}`, () => {
    const [active, writes] = [8, 40];
    const [one, all] = [1, 100].map((budget) => {
      const line = measured(kind, { mode: 'loud-talker', pairs: 20, active, writes, budget }, active - 1);
      const { loudBytesMeanwhile = -1 } = line.counted;
      if (!batched(kind)) assert.equal(line.waits, rounds, 'all are ready in the first wait');
      return loudBytesMeanwhile;
    }) as [number, number];
    if (batched(kind)) return;
    // It is read at most once before the last of the others, by the budget or to its end.
    assert.ok(all <= rounds * (1 + writes), `${all}`);
    assert.ok(triggerOf(kind) === 'edge' || one <= rounds, `${one}`);
    assert.equal(all % (1 + writes), 0);
  });

  test(`a teardown is one change each: ${nameOf(kind)}`, () => {
    const line = measured(kind, { mode: 'teardown', pairs: 5, active: 10 }, 10);
    assert.equal(line.waits, 0);
    if (!batched(kind)) assert.equal(line.changeCalls, rounds * 10 * callsPerChange(kind));
  });

  test(`after a spike a wake-up is one wait and one event: ${nameOf(kind)}`, () => {
    const line = measured(kind, { mode: 'after-spike', pairs: 5, active: 200 }, 1);
    assert.ok(line.waits >= rounds && (batched(kind) || line.waits === rounds), `${line.waits} waits`);
    if (line.counters) assert.equal(line.counters.stale + line.counters.spurious, 0);
  });

  test(`sparse descriptors are dispatched all the same: ${nameOf(kind)}`, () => {
    const line = measured(kind, { mode: 'drain', pairs: 10, active: 10, stride: 9, writes: 5 }, 15);
    assert.equal(line.stride, 9);
  });
}

test('a baseline and a Poller make the same system calls in every mode', () => {
  const pairs = kinds.filter(({ impl }) => impl === 'baseline');
  assert.ok(pairs.length > 0);
  for (const { backend } of pairs) {
    for (const { name: mode, active } of costModes) {
      const more = active === 'unused' ? {} : { active: 4 };
      const effort = (['native', 'baseline'] as const).map((impl) => {
        const { waits, changeCalls, events } = measure({ impl, backend, mode, pairs: 8, ...more, length });
        return { waits, changeCalls, events };
      });
      assert.deepEqual(effort[0], effort[1], `${mode} on ${backend}`);
    }
  }
});

const refused: [args: string[], says: RegExp][] = [
  [['--mode', 'loud-talker'], /--active must be 2 or more/],
  [['--mode', 'loud-talker', '--active', '2', '--writes', '5000'], /--writes must be less than/],
  [['--mode', 'udp-fan-in', '--active', '2', '--writes', '5000'], /--writes is too large/],
  [['--mode', 'accept-storm', '--active', '200000'], /RLIMIT_NOFILE|somaxconn/],
  [['--mode', 'modify', '--active', '101'], /--active 101 is more than the --pairs 100/],
  [['--impl', 'baseline', '--look-first'], /--look-first is of our pollers/],
];

test('what a mode cannot do is refused in one sentence', () => {
  const { command } = costCommand({ ...kinds[0]!, mode: 'drain' });
  for (const [args, says] of refused) {
    const { status, stderr } = run(command, ['--backend', 'poll', ...args]);
    assert.equal(status, 1, args.join(' '));
    assert.match(stderr, says);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});
