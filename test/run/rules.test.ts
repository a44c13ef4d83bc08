/** The pure rules of a run: order, stopping, limits, plans, counters of the kernel. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Machine, TrialSpec } from '../../src/experiments/experiment.js';
import { idleConnections } from '../../src/experiments/idle-connections.js';
import { parseCpuList } from '../../src/hosts/linux-facts.js';
import { networkDifference, parseNetworkCounters } from '../../src/hosts/network-counters.js';
import { impossible, type Limits } from '../../src/run/limits.js';
import { pinning } from '../../src/run/pinning.js';
import { builtInPlan, filePlan } from '../../src/run/plan.js';
import { stopBeforeNextBlock, widestInterval } from '../../src/run/precision.js';
import { block } from '../../src/run/schedule.js';
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

const limits: Limits = {
  backends: new Map([
    ['epoll', { available: true, reason: '', maxDescriptor: -1 }],
    ['select-posix', { available: true, reason: '', maxDescriptor: 1023 }],
    ['kqueue', { available: false, reason: 'only BSD and macOS have it', maxDescriptor: -1 }],
  ]),
  descriptors: { soft: 20_000, hard: 20_000 },
  ephemeralPorts: { first: 32_768, last: 60_999 },
  memoryAvailableBytes: 8 * 2 ** 30,
  nodeBackend: 'epoll',
};
const trial = (backend: TrialSpec['server']['backend'], idle: number, connections: number): TrialSpec => ({
  server: { protocol: 'tcp-echo', impl: 'ts', backend, io: 'batch' },
  idle,
  windows: [{ name: 'closed', connections, rate: null, warmupMs: 0, durationMs: 1, size: 1 }],
});
const limitCases: [string, TrialSpec, Partial<Limits>, RegExp | null][] = [
  ['fits', trial('epoll', 16_000, 100), {}, null],
  ['backend missing', trial('kqueue', 0, 1), {}, /kqueue is not available here: only BSD and macOS have it/],
  [
    'descriptors',
    trial('epoll', 30_000, 100),
    {},
    /30100 connections need 30200 .* hard limit is 20000: raise it/,
  ],
  ['FD_SETSIZE', trial('select-posix', 1000, 100), {}, /select-posix watches descriptors up to 1023 only/],
  [
    'ports',
    trial('epoll', 0, 500),
    { ephemeralPorts: { first: 1, last: 400 } },
    /500 active .* has 400: widen it/,
  ],
  [
    'memory',
    trial('epoll', 10_000, 100),
    { memoryAvailableBytes: 1 << 28 },
    /about \d+ MiB .* 256 MiB are available/,
  ],
];
for (const [name, spec, change, expected] of limitCases) {
  test(`what the machine cannot run: ${name}`, () => {
    const reason = impossible(spec, { ...limits, ...change });
    if (expected === null) assert.equal(reason, null);
    else assert.match(reason ?? 'possible', expected);
  });
}

test('built-in plans: the profiles hold the levels they promise', () => {
  const levels = (profile: 'quick' | 'thesis' | 'full') => idleConnections.profile(profile, machine);
  assert.deepEqual(levels('quick').idle, [0, 1000, 4000, 16_000]);
  assert.equal(levels('thesis').connections, 1000);
  assert.equal(Math.max(...levels('thesis').idle), 15_000);
  assert.ok(
    levels('full').idle.includes(machine.descriptorLimit - 100 - 100),
    'as many as one process can hold',
  );
  const far = idleConnections.cells(levels('full'), machine).find(({ idle }) => idle === 64_000)!;
  assert.equal(idleConnections.trial(far, levels('full'), machine).servers, 4);
  assert.equal(idleConnections.trial(far, levels('quick'), machine).servers, 1);
  const cells = idleConnections.cells(levels('quick'), machine);
  assert.equal(cells.length, 16);
  assert.equal(new Set(cells.map((cell) => JSON.stringify(cell))).size, 16);
  for (const { impl, backend, io } of cells) {
    assert.equal(io === null, impl !== 'ts');
    if (impl === 'libuv') assert.equal(backend, 'epoll');
  }
});

function planFile(text: string): string {
  const path = join(freshFolder(), 'plan.yaml');
  writeFileSync(path, text);
  return path;
}

test('a plan file lays its settings over a profile; a run takes its own plan again', () => {
  const path = planFile(
    'name: mine\nseed: 4\nbudget: 2m\nexperiments:\n  - experiment: idle-connections\n    settings: { idle: [7] }\n',
  );
  const plan = filePlan(path, {}, machine);
  assert.equal(plan.name, 'mine');
  assert.equal(plan.budgetMs, 120_000);
  assert.deepEqual((plan.experiments[0]!.settings as { idle: number[] }).idle, [7]);
  assert.deepEqual((plan.experiments[0]!.settings as { backends: string[] }).backends, [
    'select',
    'poll',
    'epoll',
  ]);
  assert.deepEqual(filePlan(planFile(JSON.stringify(plan)), {}, machine), plan);
  assert.equal(filePlan(path, { seed: 9, budgetMs: 5 }, machine).seed, 9);
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
      () => filePlan(planFile(text), {}, machine),
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
  const pairs = (cpu: number) => (cpu < 2 ? [0, 1] : [2, 3]);
  const single = (cpu: number) => [cpu];
  assert.deepEqual(pinning([0, 1, 2, 3], pairs), {
    server: [3],
    client: [0],
    shared: false,
    siblings: false,
  });
  assert.deepEqual(pinning([0, 1], pairs), { server: [1], client: [0], shared: false, siblings: true });
  assert.deepEqual(pinning([0, 1], single), { server: [1], client: [0], shared: false, siblings: false });
  assert.deepEqual(pinning([5], single), { server: [5], client: [5], shared: true, siblings: false });
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
