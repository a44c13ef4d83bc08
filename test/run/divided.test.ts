/** A sweep divided among hosts: each cell on one of them, what is compared together, and hosts that share a CPU take turns. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunInfo } from '../../src/contract/run.js';
import type { CellLevels } from '../../src/contract/sample.js';
import { arranged } from '../../src/hosts/arranged.js';
import type { Roles } from '../../src/hosts/host.js';
import { divide, type Lane, lanesOf, type Part } from '../../src/planner/sweep.js';
import { dividedCells, expectedMs } from '../../src/run/divided.js';
import { lanesOfHosts, type Working } from '../../src/run/lanes.js';
import type { PlannedCell } from '../../src/run/plan.js';
import { resumedPlan } from '../../src/run/resume.js';
import { fakeHost, fakeRun, tinyPlan } from './fake-run.js';

const part = (name: string, ms: number, hosts = [0, 1, 2]): Part => ({ name, ms, hosts });
const hosts: Lane[] = [
  { name: 'alone', lane: 0 },
  { name: 'sharing', lane: 1 },
  { name: 'with it', lane: 1 },
];

describe('division', () => {
  test('balanced ends earlier than in turn where hosts share a lane', () => {
    const parts = Array.from({ length: 6 }, (_, at) => part(`p${at}`, 1000));
    const turns = divide(parts, hosts, 'round-robin', 1e5);
    const even = divide(parts, hosts, 'balanced', 1e5);
    assert.ok(!('placement' in turns) && !('placement' in even));
    assert.deepEqual(turns.where, [0, 1, 2, 0, 1, 2]);
    assert.deepEqual(turns.lanesMs, [2000, 4000]);
    assert.deepEqual(even.lanesMs, [3000, 3000]);
    // Those of one lane have about as much each.
    assert.deepEqual(
      [0, 1, 2].map((host) => even.where.filter((one) => one === host).length).sort(),
      [1, 2, 3],
    );
    assert.deepEqual(lanesOf(parts, hosts, even.where), even);
  });

  test('a part is only where it can be, in both ways', () => {
    const parts = [part('a', 5, [2]), part('b', 5, [2]), part('c', 1, [0, 2]), part('d', 1)];
    for (const way of ['balanced', 'round-robin'] as const) {
      const found = divide(parts, hosts, way, 100);
      assert.ok(!('placement' in found));
      for (const [at, { hosts: able }] of parts.entries()) assert.ok(able.includes(found.where[at]!), way);
    }
  });

  test('without a limit of time everything fits, on one host as well', () => {
    const parts = Array.from({ length: 7 }, (_, at) => part(`p${at}`, 1051, [0]));
    const found = divide(parts, hosts.slice(0, 1), 'balanced', null);
    assert.ok(!('placement' in found));
    assert.equal(found.makespanMs, 7 * 1051);
  });

  test('what does not fit is said', () => {
    const none = divide([part('lost', 1, [])], hosts, 'balanced', 100);
    assert.ok('placement' in none);
    assert.equal(none.reason, 'no host can have lost');
    const long = divide([part('long', 9000)], hosts, 'balanced', 1000);
    assert.ok('placement' in long);
    assert.match(long.reason, /no host that may have long has 9 seconds for a block/);
    const all = divide([part('a', 900), part('b', 900), part('c', 900)], hosts, 'balanced', 1000);
    assert.ok('placement' in all);
    assert.match(all.reason, /all items take 2.7 seconds for a block, and all hosts have 2/);
  });
});

const cpus = (count: number, siblings = (cpu: number) => [cpu]) =>
  Array.from({ length: count }, (_, cpu) => ({ cpu, siblings: siblings(cpu) }));

function working(
  pin: [server: number, client: number],
  given: Partial<Record<'boot' | 'clientBoot' | 'executionClass', string>> & {
    all?: ReturnType<typeof cpus>;
    link?: number[];
  } = {},
): Working {
  const { boot = 'one', all = cpus(4), executionClass = 'native', link = [] } = given;
  const { clientBoot = boot } = given;
  const host = (bootId: string | null) =>
    ({ look: { bootId, cpus: all }, facts: { executionClass } }) as unknown as Working['roles']['server'];
  return {
    roles: {
      server: host(boot),
      client: host(clientBoot),
      ...(link.length > 0 && { link: { cpus: link } as unknown as NonNullable<Roles['link']> }),
    },
    pinning: { server: [pin[0]], client: [pin[1]], shared: false, siblings: false },
  };
}

describe('lanes', () => {
  const cases: [string, Working[], number[]][] = [
    ['no CPU in common', [working([0, 1]), working([2, 3])], [0, 1]],
    ['one CPU in common', [working([0, 1]), working([1, 2])], [0, 0]],
    ['a third joins two', [working([0, 0]), working([1, 1]), working([0, 1])], [0, 0, 0]],
    ['other machines', [working([0, 1]), working([0, 1], { boot: 'two' })], [0, 1]],
    [
      'two threads of a core',
      [working([0, 0], { all: cpus(4, (cpu) => [cpu, cpu ^ 1]) }), working([1, 1])],
      [0, 0],
    ],
    ['the CPU of an emulated link', [working([0, 1], { link: [3] }), working([2, 3])], [0, 0]],
    [
      'a guest that this machine carries may be on any of its CPUs',
      [working([0, 1], { boot: 'guest', clientBoot: 'one', executionClass: 'vm' }), working([2, 3])],
      [0, 0],
    ],
    [
      'a guest elsewhere',
      [working([0, 1], { boot: 'guest', clientBoot: 'two', executionClass: 'vm' }), working([2, 3])],
      [0, 1],
    ],
  ];
  for (const [name, some, lanes] of cases) test(name, () => assert.deepEqual(lanesOfHosts(some), lanes));
});

const planned = (levels: CellLevels, durationMs = 100) =>
  ({
    experiment: { id: 'x', axis: 'idle' },
    levels,
    trial: { kind: 'load', idle: levels.idle, windows: [{ durationMs }] },
  }) as unknown as PlannedCell;

test('cells that differ in mechanism or along the axis stay together, and where all of them can be', () => {
  const all = ['a', 'b', 'c', 'd'].flatMap((impl) =>
    ['poll', 'epoll'].flatMap((backend) => [0, 1000].map((idle) => planned({ impl, backend, idle }))),
  );
  const lacking = all.filter(({ levels }) => !(levels.impl === 'b' && levels.backend === 'epoll'));
  const why = 'no epoll';
  const refused = all.filter((cell) => !lacking.includes(cell)).map((cell) => ({ cell, why }));
  const sides = [
    { name: 'whole', lane: 0, possible: all, refused: [] },
    { name: 'lacking', lane: 1, possible: lacking, refused },
  ];
  for (const way of ['balanced', 'round-robin'] as const) {
    const { possible, parts, refused: left } = dividedCells(sides, way, 1e9);
    assert.equal(possible.length, all.length);
    assert.equal(new Set(possible).size, all.length);
    assert.equal(parts.length, 4);
    assert.deepEqual(parts.find(({ name }) => name === 'x impl=b')!.hosts, [0]);
    assert.deepEqual(left, []);
  }
  assert.throws(
    () => dividedCells(sides, 'balanced', 1000),
    /^Error: the cells cannot be divided among the hosts: /,
  );
});

test('what no host can have is told once, as impossible', () => {
  const cell = planned({ impl: 'a', backend: 'epoll', idle: 0 });
  const sides = ['one', 'two'].map((name, lane) => ({
    name,
    lane,
    possible: [],
    refused: [{ cell, why: 'none' }],
  }));
  assert.deepEqual(dividedCells(sides, 'balanced', 1e9).refused, [{ cell, why: 'none' }]);
});

test('what a trial is asked for is in what it is expected to take', () => {
  const { trial } = planned({ idle: 0 });
  const longer = planned({ idle: 2000 }, 600).trial;
  assert.equal(expectedMs(longer) - expectedMs(trial), 500 + 100);
});

test('a run goes on as it was divided, and is not taken up with another division', () => {
  const before = { id: 'r', plan: tinyPlan({ divide: 'balanced' }) } as unknown as RunInfo;
  assert.equal(resumedPlan(before, null, {}).divide, 'balanced');
  assert.throws(
    () => resumedPlan(before, null, { divide: 'round-robin' }),
    /run r cannot be resumed .* divide/,
  );
});

async function pinned(name: string, cpu: number): Promise<Roles> {
  const all = cpus(4);
  const roles = await fakeHost({ look: { cpus: all } });
  return arranged(roles, { name, resources: {}, pin: { server: [cpu], client: [cpu] }, role: 'both' });
}

test('a run that is divided measures each cell once, on hosts that work at one time', async () => {
  const roles = [await pinned('one', 0), await pinned('two', 1)];
  const settings = { impls: ['ts', 'native'], backends: ['poll', 'epoll'], idle: [0], references: [] };
  const changes = { blocks: { min: 1, max: 1 }, budgetMs: 3_600_000 };
  const plan = tinyPlan({ hosts: ['one', 'two'], divide: 'balanced', ...changes }, settings);
  const { events, folder, reason } = await fakeRun({ plan, hosts: roles });
  assert.equal(reason, 'blocks');
  const samples = folder.samples();
  const where = new Map<string, Set<string>>();
  for (const { cell, host } of samples) {
    const key = `${cell.impl} ${cell.backend}`;
    where.set(key, (where.get(key) ?? new Set()).add(host.name));
  }
  assert.deepEqual(
    [...where.values()].map((names) => names.size),
    [1, 1, 1, 1],
  );
  assert.equal(samples.length, 4);
  assert.equal(new Set(samples.map(({ host }) => host.name)).size, 2);
  for (const impl of ['ts', 'native'])
    assert.deepEqual(
      where.get(`${impl} poll`),
      where.get(`${impl} epoll`),
      'what is compared is on one host',
    );
  // Both have begun before either has ended.
  const order = events.filter(({ event }) => event === 'trial-start' || event === 'trial-end');
  assert.deepEqual(
    order.slice(0, 2).map(({ event }) => event),
    ['trial-start', 'trial-start'],
  );
  assert.equal(folder.info().plan.divide, 'balanced');
});
