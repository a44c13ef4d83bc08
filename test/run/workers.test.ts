/** Several workers as a factor of experiments: which cells there are, what they ask, and how their spread is told. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CpuTimes } from '../../src/contract/host.js';
import { runEvent } from '../../src/contract/run.js';
import type { SnapshotBody } from '../../src/contract/server.js';
import { nodeBackend } from '../../src/dispatch/registry.js';
import type { Machine } from '../../src/experiments/experiment.js';
import { idleConnections } from '../../src/experiments/idle-connections.js';
import { rateRamp } from '../../src/experiments/rate-ramp.js';
import { everyState } from '../../src/hosts/cpu-times.js';
import { RunFolder } from '../../src/results/folder.js';
import { sumSpans } from '../../src/stage/merge.js';
import { metric } from '../../src/trials/registry.js';
import { measured } from '../../src/trials/sample.js';
import { serverBusyShare } from '../../src/trials/served.js';
import { dispatchbench } from '../support/command.js';
import { syntheticSample } from '../support/samples.js';
import { freshFolder } from './fake-run.js';

const machine: Machine = { available: ['poll', 'epoll'], nodeBackend: 'epoll', descriptorLimit: 20_000 };

test('cells: only the native server has workers, and only epoll wakes one of them', () => {
  const levels = (more: object) => {
    const settings = idleConnections.profile('quick', machine) as object;
    const chosen = { ...settings, impls: ['native', 'ts'], references: [], idle: [0], ...more };
    return idleConnections
      .cells(chosen, machine)
      .map(({ impl, backend, workers, accept }) => [impl, backend, workers, accept]);
  };
  assert.deepEqual(levels({}), [
    ['native', 'poll', undefined, undefined],
    ['native', 'epoll', undefined, undefined],
    ['ts', 'poll', undefined, undefined],
    ['ts', 'epoll', undefined, undefined],
  ]);
  assert.deepEqual(levels({ workers: [1, 2] }), [
    ['native', 'poll', 1, null],
    ['native', 'poll', 2, 'reuseport'],
    ['native', 'poll', 2, 'shared'],
    ['native', 'epoll', 1, null],
    ['native', 'epoll', 2, 'exclusive'],
    ['native', 'epoll', 2, 'reuseport'],
    ['native', 'epoll', 2, 'shared'],
    ['ts', 'poll', 1, null],
    ['ts', 'epoll', 1, null],
  ]);
  assert.deepEqual(
    levels({ workers: [4], impls: ['native'], backends: ['epoll'], accepts: ['shared'], engines: ['uring'] }),
    [
      ['native', 'epoll', 4, 'shared'],
      ['native', 'uring', 1, null],
    ],
  );
  assert.deepEqual(levels({ workers: [4], accepts: ['exclusive'], impls: ['native'] }), [
    ['native', 'epoll', 4, 'exclusive'],
  ]);
});

test('trials ask the server for what their cell says, and for nothing where it says one', () => {
  const settings = rateRamp.profile('quick', machine) as object;
  const cell = { backend: 'epoll', impl: 'native', io: null, rate: 1000, calls: 10, connections: 10 };
  const asked = (levels: object) => {
    const { subject } = rateRamp.trial({ ...cell, ...levels }, { ...settings, foreign: [] }, machine) as {
      subject: { workers?: number; accept?: string };
    };
    return [subject.workers, subject.accept];
  };
  assert.deepEqual(asked({}), [undefined, undefined]);
  assert.deepEqual(asked({ workers: 1, accept: null }), [undefined, undefined]);
  assert.deepEqual(asked({ workers: 4, accept: 'shared' }), [4, 'shared']);
});

const plain = syntheticSample({ cell: {}, cpuUs: 10 });
const window = measured(plain, 'closed', 'load')!;
const row = (accepted: number, requests = 0, emptyAccepts = 0) => ({
  accepted,
  requests,
  emptyAccepts,
  connections: accepted,
});
type Rows = NonNullable<SnapshotBody['workers']>;

function figuresOf(before: Rows, after: Rows) {
  const accepted = after.reduce((sum, one) => sum + one.accepted, 0);
  const closed = {
    ...window,
    before: { ...window.before, workers: before },
    after: { ...window.after, workers: after, accepted },
  };
  const of = (
    id: 'accepts-max-over-mean' | 'accepts-variation' | 'requests-max-over-mean' | 'empty-accepts',
  ) => metric(id).of({ ...plain, measurements: { closed } });
  return [
    of('accepts-max-over-mean'),
    of('accepts-variation'),
    of('requests-max-over-mean'),
    of('empty-accepts'),
  ];
}

for (const [name, before, after, expected] of [
  ['even', [row(50), row(50)], [row(50, 100), row(50, 100)], [1, 0, 1, 0]],
  ['one has all', [row(0), row(0)], [row(90, 900), row(0)], [2, 100, 2, 0]],
  ['in between', [row(10, 7), row(10, 7)], [row(30, 107), row(10, 17, 20)], [1.5, 50, 200 / 110, 50]],
  ['nothing came', [row(0), row(0)], [row(0), row(0)], [null, null, null, null]],
  ['one worker', [row(3)], [row(3, 4)], [null, null, null, 0]],
] as const)
  test(`spread over workers: ${name}`, () => assert.deepEqual(figuresOf([...before], [...after]), expected));

test('windows of one server keep what each worker did', () => {
  const span = (from: number, to: number) => ({
    ...window,
    before: { ...window.before, workers: [row(from), row(0)] },
    after: { ...window.after, workers: [row(to), row(1)] },
  });
  assert.deepEqual(
    sumSpans([span(10, 15), span(20, 27)]).after.workers!.map(({ accepted }) => accepted),
    [22, 2],
  );
});

test('workers may keep as many CPUs busy as there are, and no more', () => {
  const idle = Object.fromEntries(everyState.map((state) => [state, 0])) as Omit<CpuTimes, 'cpu'>;
  const cpu = (number: number): CpuTimes => ({ cpu: number, ...idle });
  const share = (workers: Rows | undefined, cpus: number) => {
    const { workers: _, ...after } = { ...window.after, workers };
    return serverBusyShare({
      before: window.before,
      after: workers ? { ...after, workers } : after,
      cpus: { server: Array.from({ length: cpus }, (_, at) => cpu(at)), client: [] },
    });
  };
  const one = share(undefined, 2);
  assert.ok(one > 0);
  assert.equal(share([row(1), row(1)], 2), one / 2);
  assert.equal(share([row(1), row(1), row(1)], 2), one / 2);
  assert.equal(share([row(1), row(1)], 1), one);
});

test('a run with several workers: every way is a cell, and its samples tell the spread', {
  skip: nodeBackend !== 'epoll' && 'no epoll',
}, () => {
  const out = freshFolder();
  const plan = join(out, 'plan.json');
  const window = { warmupMs: 10, durationMs: 100 };
  const settings = {
    backends: ['epoll'],
    impls: ['native'],
    idle: [10],
    connections: 10,
    rounds: 0,
    closed: window,
    open: { ...window, rate: 200 },
  };
  const experiments = [{ experiment: 'idle-connections', settings }];
  writeFileSync(plan, JSON.stringify({ name: 'workers', blocks: { min: 1, max: 1 }, experiments }));
  const asked = ['--plan', plan, '--workers', '1,2', '--out', out, '--json'];
  const { status, stdout, stderr } = dispatchbench('run', 'idle-connections', ...asked);
  assert.equal(status, 0, stderr);
  const last = runEvent.parse(JSON.parse(stdout.trim().split('\n').at(-1)!));
  assert.equal(last.event, 'run-end');
  const samples = RunFolder.open(out, last.event === 'run-end' ? last.folder : '').samples();
  assert.deepEqual(samples.map(({ cell }) => `${cell.accept}`).sort(), [
    'exclusive',
    'null',
    'reuseport',
    'shared',
  ]);
  for (const sample of samples) {
    const spread = metric('accepts-max-over-mean').of(sample);
    assert.equal(spread === null, sample.cell.workers === 1);
    if (spread !== null) assert.ok(spread >= 1 && spread <= 2, `${spread}`);
    assert.equal(
      sample.server!.subject === 'dispatch' && sample.server!.workers?.accept,
      sample.cell.accept ?? undefined,
    );
  }
});
