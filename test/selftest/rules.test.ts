/** What a self-test concludes from figures: nothing is measured. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Disturbance } from '../../src/hosts/witness.js';
import { resolve } from '../../src/selftest/attempts.js';
import { slowdownRow } from '../../src/selftest/comparisons.js';
import { compare, falseAlarmLimit, falseAlarmShare } from '../../src/selftest/false-alarms.js';
import {
  andersonDarlingExponential,
  EXPONENTIAL_LIMIT,
  gapsOf,
  unevenShare,
} from '../../src/selftest/pacing.js';
import { closeRow, type Outcome } from '../../src/selftest/row.js';
import { twoClientsRow } from '../../src/selftest/two-clients.js';
import { blockedRatio } from '../../src/statistics/interval.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';

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

/** Every labelling tested on its own, with the same draws. */
function falseAlarmShareOneByOne(trials: readonly number[], comparisons: number, random: Random): number {
  let alarms = 0;
  for (let comparison = 0; comparison < comparisons; comparison += 1) {
    const a: number[] = [];
    const b: number[] = [];
    for (let pair = 0; pair + 1 < trials.length; pair += 2) {
      const second = random() < 0.5;
      a.push(trials[second ? pair + 1 : pair]!);
      b.push(trials[second ? pair : pair + 1]!);
    }
    if (compare(a, b).different) alarms += 1;
  }
  return alarms / comparisons;
}

// Up to 30 pairs the test is exact, 35 are beyond that.
for (const pairs of [1, 3, 6, 13, 30, 35])
  for (const [name, value] of [
    ['without ties', (random: Random) => random()],
    ['with ties', (random: Random) => Math.floor(4 * random())],
    ['half of them one value', (random: Random) => Math.max(0.5, random())],
    ['all equal', () => 1],
  ] as const)
    test(`false alarms of ${pairs} pairs ${name} are those of every comparison made on its own`, () => {
      const random = randomFrom(`${pairs} ${name}`);
      for (let set = 0; set < 5; set += 1) {
        const trials = Array.from({ length: 2 * pairs + (set % 2) }, () => value(random));
        assert.equal(
          falseAlarmShare(trials, 40, randomFrom(set)),
          falseAlarmShareOneByOne(trials, 40, randomFrom(set)),
        );
      }
    });

test('few trials alarm more unevenly than many', () => {
  const limit = (pairs: number) => falseAlarmLimit(pairs, 200, randomFrom('limit'));
  assert.ok(limit(6) > limit(40), `${limit(6)} and ${limit(40)}`);
  assert.ok(limit(6) < 0.25 && limit(40) > 0.05, `${limit(6)} and ${limit(40)}`);
});

test('a figure that is off by more than its limit does not hold', () => {
  assert.equal(closeRow('x', 100e6, 100.9e6, 1000).outcome, 'ok');
  assert.equal(closeRow('x', 100e6, 101.1e6, 1000).outcome, 'off');
  assert.equal(closeRow('x', 100e6, 98.9e6, 1000).outcome, 'off');
  // The grain of a small number.
  assert.equal(closeRow('x', 20, 21, 0).outcome, 'off');
  assert.equal(closeRow('x', 20, 21, 1).outcome, 'ok');
});

const quiet: Disturbance = { others: 0.01, steal: 0, pressure: 0.3 };
const busy: Disturbance = { others: 0.4, steal: 0, pressure: 0.6 };

for (const [name, machine, outcomes, expected, note] of [
  ['a check that holds is made once', [busy], ['ok'], 'ok', ''],
  ['one disturbance is no fault', [quiet, quiet], ['off', 'ok'], 'ok', 'in attempt 2'],
  ['a fault fails every time', [quiet, quiet, quiet], ['off', 'off', 'off'], 'off', ''],
  ['a fault is not excused by noise now and then', [busy, quiet, busy], ['off', 'off', 'off'], 'off', ''],
  [
    'on a busy machine nothing is concluded from a failure',
    [busy, busy, busy],
    ['off', 'off', 'off'],
    'not resolved',
    'machine busy (others used 40 % of its CPUs, pressure 60 %)',
  ],
  ['a system that does not tell excuses nothing', [null, null, null], ['off', 'off', 'off'], 'off', ''],
] as [string, (Disturbance | null)[], Outcome[], Outcome, string][])
  test(name, async () => {
    let attempt = 0;
    const run = async () => [{ ...closeRow('x', 1, 1, 0), outcome: outcomes[attempt++]! }];
    const [row] = await resolve(run, false, () => () => machine[attempt - 1]!);
    assert.deepEqual([row!.outcome, row!.note, attempt], [expected, note, outcomes.length]);
  });

for (const [name, ratio, spread, expected] of [
  ['that finds as much with two clients is the limit itself', 1, 0.01, 'ok'],
  ['that answers more of two clients was not', 1.3, 0.01, 'off'],
  ['whose rates scatter is not resolved', 1, 0.5, 'not resolved'],
] as const)
  test(`a server ${name}`, () => {
    const random = randomFrom('clients');
    const rates = (centre: number) =>
      Array.from({ length: 8 }, (_, block) => ({ block, value: centre * (1 + spread * (random() - 0.5)) }));
    assert.equal(twoClientsRow(blockedRatio(rates(ratio), rates(1))).outcome, expected);
  });

for (const [name, cost, spread, trials, expected] of [
  ['that is there is found', 1.1, 0.01, 10, 'ok'],
  ['that the trials scatter over is not resolved', 1.1, 0.8, 10, 'not resolved'],
  ['that is reported as none is off', 1, 0.005, 10, 'off'],
  ['that is reported much too large is off', 1.5, 0.01, 10, 'off'],
] as const)
  test(`an injected slowdown ${name}`, () => {
    const random = randomFrom('cost');
    const group = (centre: number) =>
      Array.from({ length: trials }, () => centre * (1 + spread * (random() - 0.5)));
    assert.equal(slowdownRow(group(1), group(cost), 0.1).outcome, expected);
  });
