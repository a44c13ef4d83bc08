/** Waits from TypeScript: the same as native ones by every count, and what they cost more given back as it was made. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { crossings } from '../../src/analysis/crossings.js';
import type { Cost } from '../../src/contract/cost.js';
import { dispatchbench } from '../support/command.js';
import { available, costCommand, measure, run } from './programs.js';

const length = { rounds: 5, warmupRounds: 1 };
const spec = { mode: 'unread', pairs: 20, active: 5, length } as const;

for (const backend of ['select', 'poll', 'epoll', 'epoll-oneshot'] as const) {
  const skip = available.some(({ name }) => name === backend) ? false : `there is no ${backend} here`;
  test(`TypeScript waits as often as native code, for the same rows: ${backend}`, { skip }, () => {
    const [ts, native] = (['ts', 'native'] as const).map((impl) => measure({ ...spec, impl, backend })) as [
      Cost,
      Cost,
    ];
    assert.equal(ts.impl, 'ts');
    assert.equal(ts.versions.node, process.versions.node);
    assert.deepEqual(ts.capabilities, native.capabilities);
    const counts = ({ events, waits, changeCalls, counters, rounds, warmupRounds }: Cost) => ({
      ...{ events, waits, changeCalls, rounds, warmupRounds },
      saturated: counters!.saturatedWaits,
      rearms: counters!.rearms,
    });
    assert.deepEqual(counts(ts), counts(native));
    assert.equal(ts.events, length.rounds * 100 * spec.active);
  });
}

test('with one row to a wait every event crosses alone', () => {
  const line = measure({ ...spec, impl: 'ts', backend: 'poll', maxEvents: 1 });
  assert.deepEqual([line.waits, line.counters!.saturatedWaits], [line.events, line.events]);
});

test('what TypeScript does not measure is refused in one sentence', () => {
  const { command, args } = costCommand({ ...spec, impl: 'ts', backend: 'poll' });
  const [script] = args as [string];
  for (const [words, says] of [
    [['--mode', 'drain', '--backend', 'poll'], /--impl ts has the mode unread alone/],
    [['--mode', 'unread', '--backend', 'epoll-et'], /'epoll-et' tells once/],
    [['--mode', 'unread', '--backend', 'epol'], /no backend is named 'epol'/],
    [['--mode', 'unread', '--backend', 'poll', '--active', '101'], /--active 101 is more than/],
  ] as const) {
    const { status, stderr } = run(command, [script, ...words]);
    assert.equal(status, 1, words.join(' '));
    assert.match(stderr, says);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});

test('the end of its control channel ends the program in TypeScript', async () => {
  const { command, args } = costCommand({
    ...{ ...spec, impl: 'ts', backend: 'poll', control: true },
    length: { durationMs: 60_000 },
  });
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  child.stdin.end();
  const [text] = await Promise.all([once(child.stderr, 'data'), once(child, 'close')]);
  assert.match(String(text), /ended by end-of-control/);
  assert.equal(child.exitCode, 1);
});

test('cost says what TypeScript adds to native', () => {
  const { status, stdout, stderr } = dispatchbench(
    ...['cost', '--mode', 'unread', '--impl', 'native,ts', '--backend', 'poll', '--pairs', '20'],
    ...['--active', '1,8', '--repeat', '1', '--duration', '5ms', '--warmup', '1ms'],
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /what TypeScript adds to native/);
  assert.match(stdout, /^poll: .* ns .*for a wait, and .* ns .*for each event/m);
});

/** A wait takes 400 ns and 30 more for each row; from TypeScript 150 and 12 more. Repetitions differ, as a machine does. */
function made(impl: 'native' | 'ts', active: number): Cost[] {
  const [wait, row] = impl === 'ts' ? [550, 42] : [400, 30];
  return [1, 1.1, 0.9].map((pace) => {
    const cell = { mode: 'unread', impl, backend: 'poll', pairs: 100, active, maxEvents: 1024 };
    const cpu = { userUs: (wait + row * active) * pace, systemUs: 0 };
    return { ...cell, waits: 1000, events: 1000 * active, cpu } as unknown as Cost;
  });
}

test('what is added comes back as it was made: for a wait, and for each event', () => {
  const counts = [1, 8, 64];
  const measured = counts.flatMap((active) => [made('ts', active), made('native', active)]);
  const { cells, models } = crossings(measured);
  assert.deepEqual(
    cells.map(({ active, perWait, perEvent }) => [
      active,
      Math.round(perWait.estimate),
      Math.round(10 * perEvent.estimate),
    ]),
    counts.map((active) => [active, 150 + 12 * active, Math.round((10 * (150 + 12 * active)) / active)]),
  );
  const [{ backend, fixed, perActive }] = models as [(typeof models)[number]];
  assert.equal(backend, 'poll');
  assert.ok(Math.abs(fixed.estimate - 150) < 1e-6 && Math.abs(perActive.estimate - 12) < 1e-6);
  assert.ok(fixed.low! < 150 && fixed.high! > 150);
});

test('nobody is compared with somebody else', () => {
  assert.deepEqual(crossings([made('native', 8), made('ts', 1)]), { cells: [], models: [] });
});
