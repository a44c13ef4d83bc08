import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../src/analysis/random.js';
import { checks, closeRow, efforts } from '../../src/selftest/checks.js';
import { compare, falseAlarmShare } from '../../src/selftest/false-alarms.js';
import { withKnownAnswer } from '../../src/selftest/known-answer.js';
import {
  andersonDarlingExponential,
  EXPONENTIAL_LIMIT,
  gapsOf,
  unevenShare,
} from '../../src/selftest/pacing.js';

const exponential = (count: number, seed: string): number[] => {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => -Math.log(1 - random()) * 5e6);
};

test('the pacing test accepts exponential gaps about as often as it should', () => {
  const refused = Array.from({ length: 400 }, (_, run) =>
    andersonDarlingExponential(exponential(200, `${run}`)),
  ).filter((statistic) => statistic > EXPONENTIAL_LIMIT).length;
  // 1 % of 400 is 4; 5 standard deviations (2) above it.
  assert.ok(refused <= 14, `${refused} of 400`);
});

test('and refuses even gaps, bursts, and gaps with a floor', () => {
  const gaps = exponential(400, 'x');
  for (const wrong of [
    Array.from({ length: 400 }, (_, i) => 5e6 + (i % 7)),
    gaps.map((gap, i) => (i % 10 === 0 ? gap * 10 : 1000)),
    gaps.map((gap) => gap + 2e6),
  ])
    assert.ok(andersonDarlingExponential(wrong) > EXPONENTIAL_LIMIT);
});

test('uneven gaps are counted', () => {
  assert.deepEqual(gapsOf([0, 10, 20, 35]), [10, 10, 15]);
  assert.equal(unevenShare([10, 10, 15, 11], 10, 0.2), 0.25);
});

test('equal trials are rarely called different, and different ones are', () => {
  const random = randomFrom('aa');
  const equal = Array.from({ length: 40 }, () => 10 + random());
  assert.ok(falseAlarmShare(equal, 300, random) <= 0.1);
  assert.equal(
    compare(
      equal,
      equal.map((value) => value * 1.2),
    ).different,
    true,
  );
});

test('a figure that is off by more than its limit does not hold', () => {
  assert.equal(closeRow('x', 100e6, 100.9e6, 1000).holds, true);
  assert.equal(closeRow('x', 100e6, 101.1e6, 1000).holds, false);
  assert.equal(closeRow('x', 100e6, 98.9e6, 1000).holds, false);
  // The grain of a small number.
  assert.equal(closeRow('x', 20, 21, 0).holds, false);
  assert.equal(closeRow('x', 20, 21, 1).holds, true);
});

test('loss is reported to the request', async () => {
  const check = checks.find(({ name }) => name === 'loss')!;
  const rows = await check.run({ ...efforts.quick, seconds: 1 });
  assert.deepEqual(
    rows.map(({ truth, reported, holds }) => [truth === reported, holds]),
    [
      [true, true],
      [true, true],
    ],
  );
});

test('a known-answer server tells what it did, not what it was told', async () => {
  const { truth } = await withKnownAnswer({ delayMs: 30 }, async (port) => {
    for (let request = 0; request < 3; request += 1) await (await fetch(`http://127.0.0.1:${port}/`)).text();
  });
  assert.equal(truth.answered, 3);
  assert.ok(truth.delayP50Ns >= 30e6);
  assert.ok(truth.delayMaxNs >= truth.delayP50Ns);
});

test('a behaviour that does not exist is refused', async () => {
  await assert.rejects(
    withKnownAnswer({ explode: true } as never, async () => {}),
    /ended with code 1/,
  );
});
