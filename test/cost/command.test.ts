/** `dispatchbench cost` and the experiment's rounds: every one of them is something a program can be asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { cost, costModes } from '../../src/contract/cost.js';
import { cellLevels } from '../../src/contract/sample.js';
import { dispatchCost } from '../../src/experiments/dispatch-cost.js';
import type { Machine } from '../../src/experiments/experiment.js';
import { missingPeer } from '../../src/programs/cost.js';
import { countInstructions, withoutInstructions } from '../../src/stage/instructions.js';
import type { CostTrial } from '../../src/trials/cost.js';
import { dispatchbench } from '../support/command.js';
import { available, measure } from './programs.js';

const brief = ['--duration', '5ms', '--warmup', '1ms'];

test('cost prints a row for each combination, and a model over them', () => {
  const args = ['--backend', 'poll', '--pairs', '10,40', '--active', '1,8', '--repeat', '3', ...brief];
  const { status, stdout, stderr } = dispatchbench('cost', ...args);
  assert.equal(status, 0, stderr);
  assert.equal(stdout.match(/│ (native|baseline) +│ poll/g)?.length, 8);
  assert.match(stdout, /per registered/);
  assert.match(stdout, /native poll/);
});

const answer = z.object({ lines: z.array(cost), models: z.array(z.looseObject({ impl: z.string() })) });

test('cost --json prints the lines as they were measured', () => {
  const { status, stdout, stderr } = dispatchbench(
    ...['cost', '--mode', 'wakeup', '--impl', 'native', '--backend', 'poll,select', '--repeat', '2'],
    ...brief,
    '--json',
  );
  assert.equal(status, 0, stderr);
  const { lines, models } = answer.parse(JSON.parse(stdout));
  assert.deepEqual(
    lines.map(({ backend }) => backend),
    ['poll', 'poll', 'select', 'select'],
  );
  for (const line of lines) assert.equal(line.waits, line.events);
  assert.deepEqual(models, [], 'nothing varies');
});

test('cost says what it cannot do in one sentence', () => {
  for (const [args, says] of [
    [['--impl', 'livevent'], /unknown implementation 'livevent'/],
    [['--mode', 'wakeup', '--writes', '5'], /--writes is nothing to --mode wakeup/],
    [['--impl', 'baseline', '--backend', 'epoll-et'], /there is a baseline for/],
  ] as const) {
    const { status, stderr } = dispatchbench('cost', ...args, ...brief);
    assert.equal(status, 1);
    assert.match(stderr, says);
  }
});

const machine: Machine = {
  available: available.map(({ name }) => name),
  nodeBackend: 'epoll',
  descriptorLimit: 20_000,
};
const full = dispatchCost.profile('full', machine);
const trials = dispatchCost.cells(full as never, machine).map((cell) => ({
  cell,
  trial: dispatchCost.trial(cell as never, full as never, machine) as CostTrial,
}));

test('the full profile has every mode and every implementation', () => {
  assert.deepEqual(
    [...new Set(trials.map(({ trial }) => trial.mode))].sort(),
    costModes.map(({ name }) => name).sort(),
  );
  const impls = new Set(trials.map(({ trial }) => trial.impl));
  assert.deepEqual([...impls].sort(), ['baseline', 'libev', 'libevent', 'libuv-c', 'native', 'ts']);
});

test('the quick profile keeps to the rounds that answer the question', () => {
  const quick = dispatchCost.profile('quick', machine);
  const modes = dispatchCost
    .cells(quick as never, machine)
    .map((cell) => (dispatchCost.trial(cell as never, quick as never, machine) as CostTrial).mode);
  assert.deepEqual([...new Set(modes)].sort(), ['drain', 'wakeup', 'wakeup-threads']);
});

test('every round of the experiment can be measured', () => {
  const one = (impl: string) =>
    trials.filter(({ trial }) => trial.impl === impl && trial.backend === 'epoll');
  const among = [...one('native'), ...one('libevent')].filter(
    ({ trial }) => trial.pairs === 100 && missingPeer(trial.impl) === undefined,
  );
  for (const { cell, trial } of among) {
    const { kind: _, warmupMs: __, durationMs: ___, ...spec } = trial;
    const line = measure({ ...spec, length: { rounds: 3, warmupRounds: 0 } });
    assert.ok(line.events >= 3, JSON.stringify(cell));
  }
});

const without = withoutInstructions() ?? false;

/** One for each file of native/dispatch that runs here: their triggers share what changing takes. */
const families = ['select', 'poll', 'epoll', 'epoll-batched', 'uring-poll'] as const;

test('changing interest takes as many instructions among many as among few', { skip: without }, async () => {
  const here: readonly string[] = machine.available;
  const cells = families
    .filter((backend) => here.includes(backend))
    .flatMap((backend) => (['add', 'modify', 'remove'] as const).map((mode) => ({ backend, mode })));
  const worker = async () => {
    for (let cell = cells.shift(); cell; cell = cells.shift()) {
      const among = async (pairs: number) =>
        (await countInstructions({ ...cell!, impl: 'native', pairs, active: 40 }, 10)).perEvent;
      const [few, many] = [await among(50), await among(500)];
      assert.ok(few > 5, `${cell.mode} on ${cell.backend} takes ${few}`);
      // By who is drawn: the highest descriptor of select's bitmaps, the last entry of poll's array.
      assert.ok(
        Math.abs(many - few) < Math.max(4, 0.1 * few),
        `${cell.mode} on ${cell.backend}: ${few} and ${many}`,
      );
    }
  };
  await Promise.all([worker(), worker()]);
});

test('instructions are the same in every run, and not counted where no two runs take as many', {
  skip: without,
}, async () => {
  const spec = { mode: 'drain', impl: 'native', backend: 'epoll', pairs: 20, active: 5 } as const;
  const [once, again] = [await countInstructions(spec, 20), await countInstructions(spec, 20)];
  assert.equal(once.perEvent, again.perEvent);
  for (const [args, says] of [
    [['--mode', 'wakeup-threads'], /in --mode wakeup-threads two threads wait for each other/],
    [['--mode', 'unread', '--impl', 'ts'], /of TypeScript no two runs take as many instructions/],
  ] as const) {
    const { status, stderr } = dispatchbench('cost', ...args, '--instructions');
    assert.equal(status, 1);
    assert.match(stderr, says);
  }
});

test('what lies outside the clock is no part of the instructions: adding and removing are told apart', {
  skip: without,
}, async () => {
  const of = async (mode: 'add' | 'remove') =>
    (await countInstructions({ mode, impl: 'native', backend: 'poll', pairs: 20, active: 20 }, 10)).perEvent;
  const [add, remove] = [await of('add'), await of('remove')];
  assert.ok(Math.abs(add - remove) > 1, `${add} and ${remove}`);
});

test('a sample of every round can be read again', () => {
  const cells = dispatchCost.cells(dispatchCost.profile('full', machine), machine);
  assert.ok(cells.length > 0);
  for (const cell of cells) assert.deepEqual(cellLevels.parse(cell), cell);
});
