/** The pure rules of a run: order, stopping, limits, plans, counters of the kernel. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MechanismName } from '../../src/contract/common.js';
import { parseCpuList } from '../../src/cpu-list.js';
import type { Machine } from '../../src/experiments/experiment.js';
import { idleConnections } from '../../src/experiments/idle-connections.js';
import { udpPorts } from '../../src/experiments/udp-ports.js';
import { networkDifference, parseNetworkCounters } from '../../src/hosts/network-counters.js';
import { builtInPlan, filePlan, type PlanOptions, readPlanFile } from '../../src/run/plan.js';
import { stopBeforeNextBlock, widestInterval } from '../../src/run/precision.js';
import { block } from '../../src/run/schedule.js';
import { impossible, ofSubject } from '../../src/stage/limits.js';
import { places } from '../../src/stage/places.js';
import { load } from '../../src/trials/load.js';
import { freshFolder, tinyPlan } from './fake-run.js';

const machine: Machine = {
  available: ['select', 'poll', 'epoll'],
  nodeBackend: 'epoll',
  descriptorLimit: 20_000,
};

test('a block holds every cell once, in an order that seed and index decide', () => {
  const cells = Array.from({ length: 50 }, (_, cell) => cell);
  const order = block(cells, 1, 0);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    cells,
  );
  assert.deepEqual(block(cells, 1, 0), order);
  assert.notDeepEqual(block(cells, 1, 1), order);
  assert.notDeepEqual(block(cells, 2, 0), order);
});

test('every cell comes in every place about equally often', () => {
  const first = new Map<string, number>();
  for (let index = 0; index < 3000; index++) {
    const [cell] = block(['a', 'b', 'c'], 5, index);
    first.set(cell!, (first.get(cell!) ?? 0) + 1);
  }
  // Binomial(3000, 1/3): standard deviation 26.
  for (const times of first.values()) assert.ok(Math.abs(times - 1000) < 130, `${times} of 3000`);
});

test('the widest interval is unknown until every cell has two valid trials', () => {
  assert.equal(widestInterval([[1, 1.01, 1.02], [1]]), null);
  assert.equal(widestInterval([[1, 1.01, 1.02], []]), null);
  const width = widestInterval([
    [1, 1, 1],
    [1, 1.1, 1.2],
  ])!;
  assert.ok(width > 0.05 && width < 0.5, String(width));
});

test('when a run stops', () => {
  const plan = tinyPlan({ blocks: { min: 3, max: 5 }, precision: 0.05, budgetMs: 1000 });
  const cases: [Parameters<typeof stopBeforeNextBlock>[1], ReturnType<typeof stopBeforeNextBlock>][] = [
    [{ blocks: 0, precision: null, elapsedMs: 5000, blockMs: 100 }, null],
    [{ blocks: 1, precision: null, elapsedMs: 500, blockMs: 100 }, null],
    [{ blocks: 1, precision: null, elapsedMs: 950, blockMs: 100 }, 'budget'],
    [{ blocks: 2, precision: 0.01, elapsedMs: 500, blockMs: 100 }, null],
    [{ blocks: 3, precision: 0.01, elapsedMs: 500, blockMs: 100 }, 'precision'],
    [{ blocks: 3, precision: 0.06, elapsedMs: 500, blockMs: 100 }, null],
    [{ blocks: 5, precision: 0.06, elapsedMs: 500, blockMs: 100 }, 'blocks'],
  ];
  for (const [progress, expected] of cases) {
    assert.equal(stopBeforeNextBlock(plan, progress), expected, JSON.stringify(progress));
  }
});

type Limits = Parameters<typeof impossible>[1]['server'];
const limits: Limits = {
  backends: [
    { name: 'epoll', available: true, reason: '', maxDescriptor: -1 },
    { name: 'select-posix', available: true, reason: '', maxDescriptor: 1023 },
    { name: 'select', available: true, reason: '', maxDescriptor: -1 },
    { name: 'poll', available: true, reason: '', maxDescriptor: -1 },
    { name: 'kqueue', available: false, reason: 'only BSD and macOS have it', maxDescriptor: -1 },
  ],
  engines: [{ name: 'uring', available: false, reason: 'this kernel has no io_uring' }],
  environment: {
    os: 'Linux 6.1.0',
    arch: 'x64',
    descriptorLimit: { soft: 20_000, hard: 20_000 },
    ephemeralPorts: { first: 32_768, last: 60_999 },
    mitigations: {},
    settings: {},
  },
  memoryAvailableBytes: 8 * 2 ** 30,
  bootId: 'one',
  cpus: [{ cpu: 0, siblings: [0] }],
  versions: { node: '20.0.0' },
};
const needsOf = (backend: MechanismName, idle: number, connections: number) =>
  load.needs({
    kind: 'load',
    subject: { kind: 'dispatch', protocol: 'tcp-echo', impl: 'ts', backend, io: 'batch' },
    processes: 1,
    idle,
    windows: [{ name: 'closed', connections, rate: null, warmupMs: 0, durationMs: 1, size: 1 }],
  });
const libevent = (backend: 'select' | 'poll') =>
  ({ kind: 'peer', protocol: 'http', impl: 'libevent', backend }) as const;
const limitCases: [string, ReturnType<typeof needsOf>, Partial<Limits>, RegExp | null][] = [
  ['fits', needsOf('epoll', 16_000, 100), {}, null],
  [
    'backend missing',
    needsOf('kqueue', 0, 1),
    {},
    /kqueue is not available here: only BSD and macOS have it/,
  ],
  ['engine missing', needsOf('uring', 0, 1), {}, /^this kernel has no io_uring$/],
  [
    'engine not told',
    needsOf('uring', 0, 1),
    { engines: [] },
    /does not tell whether it has the engine uring/,
  ],
  ['engine', needsOf('uring', 0, 1), { engines: [{ name: 'uring', available: true, reason: '' }] }, null],
  [
    'descriptors',
    needsOf('epoll', 30_000, 100),
    {},
    /30100 connections need 30200 .* hard limit is 20000: raise it/,
  ],
  ['FD_SETSIZE', needsOf('select-posix', 1000, 100), {}, /select-posix watches descriptors up to 1023 only/],
  [
    'ports',
    needsOf('epoll', 0, 500),
    { environment: { ...limits.environment, ephemeralPorts: { first: 1, last: 400 } } },
    /500 active .* has 400: widen it/,
  ],
  [
    "libevent's select",
    { ...needsOf('select', 1000, 100), ...ofSubject(libevent('select')), missing: undefined },
    {},
    /backend select watches descriptors up to 1023 only and 1100 connections need more/,
  ],
  [
    "libevent's poll",
    { ...needsOf('poll', 1000, 100), ...ofSubject(libevent('poll')), missing: undefined },
    {},
    null,
  ],
  ['no Node', needsOf('epoll', 0, 1), { versions: {} }, /no Node on this host .*--impl native,baseline/],
  [
    'memory',
    needsOf('epoll', 10_000, 100),
    { memoryAvailableBytes: 1 << 28 },
    /about \d+ MiB .* 256 MiB are available/,
  ],
];
for (const [name, needs, change, expected] of limitCases) {
  test(`what the machine cannot run: ${name}`, () => {
    const host = { ...limits, ...change };
    const reason = impossible(needs, { server: host, client: host });
    if (expected === null) assert.equal(reason, null);
    else assert.match(reason ?? 'possible', expected);
  });
}

test('two machines have one end each of a connection', () => {
  const needs = needsOf('epoll', 60_000, 100);
  const environment = { ...limits.environment, descriptorLimit: { soft: 200_000, hard: 200_000 } };
  const host = { ...limits, environment, memoryAvailableBytes: 1e9 };
  assert.match(impossible(needs, { server: host, client: host }) ?? 'possible', /are available/);
  const other = { ...host, bootId: 'another', cpus: [...host.cpus] };
  assert.equal(impossible(needs, { server: host, client: other }), null);
});

test('built-in plans: the profiles hold the levels they promise', () => {
  const levels = (profile: 'quick' | 'thesis' | 'full') =>
    idleConnections.profile(profile, machine) as { idle: number[]; connections: number };
  assert.deepEqual(levels('quick').idle, [0, 4000, 16_000]);
  assert.equal(levels('thesis').connections, 1000);
  assert.equal(Math.max(...levels('thesis').idle), 15_000);
  assert.ok(
    levels('full').idle.includes(machine.descriptorLimit - 100 - 100),
    'as many as one process can hold',
  );
  const far = idleConnections.cells(levels('full'), machine).find(({ idle }) => idle === 64_000)!;
  const processes = (profile: 'quick' | 'full') => {
    const trial = idleConnections.trial(far, levels(profile), machine);
    return trial.kind === 'load' && trial.processes;
  };
  assert.equal(processes('full'), 4);
  assert.equal(processes('quick'), 1);
  const cells = idleConnections.cells(levels('quick'), machine);
  assert.equal(cells.length, 13);
  assert.equal(new Set(cells.map((cell) => JSON.stringify(cell))).size, 13);
  for (const { impl, backend, io } of cells) {
    assert.equal(io === null, impl !== 'ts');
    if (impl === 'libuv') assert.equal(backend, 'epoll');
  }
});

test('a full run has rows of engines where there are some, and a quick one when asked', () => {
  const withEngine: Machine = { ...machine, engines: ['uring'] };
  const servers = ['native', 'ts batch'];
  for (const experiment of [idleConnections, udpPorts]) {
    const rowsOf = (profile: 'quick' | 'full', on: Machine, settings: object = {}) => [
      ...new Set(
        experiment
          .cells({ ...(experiment.profile(profile, on) as object), ...settings } as never, on)
          .map((cell) => cell as { backend: string; impl: string; io: string | null })
          .filter(({ backend }) => backend === 'uring')
          .map(({ impl, io }) => [impl, io ?? []].flat().join(' ')),
      ),
    ];
    assert.deepEqual(rowsOf('full', withEngine), servers);
    assert.deepEqual(rowsOf('full', machine), []);
    assert.deepEqual(rowsOf('quick', withEngine), []);
    const asked = { engines: ['uring'], impls: ['ts', 'native', 'baseline', 'libuv'] };
    assert.deepEqual(rowsOf('quick', machine, asked), servers);
  }
});

function planFile(text: string): string {
  const path = join(freshFolder(), 'plan.yaml');
  writeFileSync(path, text);
  return path;
}

const planIn = (path: string, options: PlanOptions = {}) =>
  filePlan(readPlanFile(path), path, options, machine);

test('a plan file lays its settings over a profile; a run takes its own plan again', () => {
  const path = planFile(
    'name: mine\nseed: 4\nbudget: 2m\nexperiments:\n  - experiment: idle-connections\n    settings: { idle: [7] }\n',
  );
  const plan = planIn(path);
  assert.equal(plan.name, 'mine');
  assert.equal(plan.budgetMs, 120_000);
  assert.deepEqual((plan.experiments[0]!.settings as { idle: number[] }).idle, [7]);
  assert.deepEqual((plan.experiments[0]!.settings as { backends: string[] }).backends, [
    'select',
    'poll',
    'epoll',
  ]);
  assert.deepEqual(planIn(planFile(JSON.stringify(plan))), plan);
  assert.equal(planIn(path, { seed: 9, budgetMs: 5 }).seed, 9);
});

const badPlans: [string, RegExp][] = [
  ['experiments: []', /experiments: /],
  ['experiments: [{ experiment: nonsense }]', /unknown experiment 'nonsense': known are idle-connections/],
  ['experiments: [{ experiment: constructor }]', /unknown experiment 'constructor'/],
  ['experiments: [{ experiment: idle-connections, settings: { backends: [epol] } }]', /backends\.0/],
  ['experiments: [{ experiment: idle-connections, settings: { idle: [-1] } }]', /idle\.0/],
  ['experiments: [{ experiment: idle-connections, settings: { idel: [1] } }]', /idel/],
  ['name: ../evil\nexperiments: [{ experiment: idle-connections }]', /name: may hold letters/],
  ['blocks: { min: 5, max: 2 }\nexperiments: [{ experiment: idle-connections }]', /min must not exceed max/],
  ['budget: soon\nexperiments: [{ experiment: idle-connections }]', /'soon' is not a duration/],
  ['{', /cannot be read/],
  ['just words', /the plan .*: /],
];
for (const [text, expected] of badPlans) {
  test(`a plan is refused in one sentence: ${text.replaceAll('\n', ' ')}`, () => {
    assert.throws(
      () => planIn(planFile(text)),
      (error: Error) => {
        assert.match(error.message, expected);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test('built-in plans check the settings of the command line', () => {
  const bad = { settings: { connections: 0 } };
  assert.throws(() => builtInPlan('x', ['idle-connections'], bad, machine), /connections: /);
});

test('server and client get CPUs of different cores where there are two', () => {
  const host = (cpus: number[], siblingsOf: (cpu: number) => number[], bootId = 'one') => ({
    bootId,
    cpus: cpus.map((cpu) => ({ cpu, siblings: siblingsOf(cpu) })),
  });
  const pairs = (cpu: number) => (cpu < 2 ? [0, 1] : [2, 3]);
  const single = (cpu: number) => [cpu];
  const cases = [
    [host([0, 1, 2, 3], pairs), { server: [3], client: [0], shared: false, siblings: false }],
    [host([0, 1], pairs), { server: [1], client: [0], shared: false, siblings: true }],
    [host([0, 1], single), { server: [1], client: [0], shared: false, siblings: false }],
    [host([5], single), { server: [5], client: [5], shared: true, siblings: false }],
  ] as const;
  for (const [one, expected] of cases) {
    assert.deepEqual(places(one, one), expected);
    // Two namespaces of one machine have its CPUs in common.
    assert.deepEqual(places(one, { ...one }), expected);
  }
});

test('hosts of their own have all of their CPUs to themselves', () => {
  const host = (bootId: string | null) => ({ bootId, cpus: [{ cpu: 0, siblings: [0] }] });
  const own = { server: [0], client: [0], shared: false, siblings: false };
  assert.deepEqual(places(host('one'), host('other')), own);
  assert.deepEqual(places(host(null), host(null)), own);
});

test('CPU lists of the kernel', () => {
  assert.deepEqual(parseCpuList('0-2,5\n'), [0, 1, 2, 5]);
  assert.deepEqual(parseCpuList('7'), [7]);
});

test('counters of the kernel are read by name and subtracted', () => {
  const text = (overflows: number, retransmits: number) =>
    `TcpExt: A ListenOverflows TCPSynRetrans DelayedACKs\nTcpExt: 1 ${overflows} ${retransmits} 3\n` +
    'Udp: InDatagrams RcvbufErrors\nUdp: 10 4\n';
  const before = parseNetworkCounters(text(2, 5));
  assert.equal(before.listenOverflows, 2);
  assert.equal(before.udpRcvbufErrors, 4);
  assert.equal(before.listenDrops, 0);
  const difference = networkDifference(before, parseNetworkCounters(text(3, 9)));
  assert.equal(difference.listenOverflows, 1);
  assert.equal(difference.synRetransmits, 4);
  assert.equal(difference.delayedAcks, 0);
});
