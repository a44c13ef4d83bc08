/** The schedule of intended times: exact rate, even or exponential gaps, nothing that drifts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parts } from './parts.js';

const second = 1e9;

/** Anderson-Darling statistic of values that are uniform on (0, 1) if the hypothesis holds. */
function andersonDarling(uniform: number[]): number {
  const sorted = uniform.toSorted((a, b) => a - b);
  const n = sorted.length;
  const sum = sorted.reduce(
    (total, value, index) =>
      total + (2 * index + 1) * (Math.log(value) + Math.log1p(-sorted[n - 1 - index]!)),
    0,
  );
  return -n - sum / n;
}

/** Critical value at 1 % for a distribution whose parameters are given, not estimated (Stephens 1974, case 0). */
const criticalOnePercent = 3.857;

function gaps(times: Float64Array): number[] {
  return Array.from(times.subarray(1), (time, index) => time - times[index]!);
}

for (const rate of [1, 3, 7, 999, 1000, 20_000, 333_333, 1_000_000]) {
  test(`fixed schedule at ${rate}/s: exactly ${rate} times in every second, the first at its start`, () => {
    const times = parts.dueTimes(false, rate, 1, 10 * rate + 1);
    assert.equal(times[0], 0);
    for (let s = 1; s <= 10; s++) {
      assert.ok(times[s * rate]! >= s * second, `the first of second ${s} is not early`);
      assert.ok(times[s * rate - 1]! < s * second, `the last before second ${s} is not late`);
    }
  });

  test(`fixed schedule at ${rate}/s: no gap is off by more than its rounding`, () => {
    for (const gap of gaps(parts.dueTimes(false, rate, 1, 10_000))) {
      assert.ok(Math.abs(gap - second / rate) <= 1, `gap ${gap}`);
    }
  });
}

test('exponential schedule: gaps follow the exponential distribution, for every seed', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const rate = 5000;
    const uniform = gaps(parts.dueTimes(true, rate, seed, 20_000)).map(
      (gap) => -Math.expm1((-gap * rate) / second),
    );
    const statistic = andersonDarling(uniform.map((u) => Math.min(Math.max(u, 1e-12), 1 - 1e-12)));
    assert.ok(statistic < criticalOnePercent, `seed ${seed}: A² = ${statistic}`);
  }
});

test('exponential schedule: the test statistic tells a fixed schedule and a wrong rate from it', () => {
  const distance = (times: Float64Array, rate: number) =>
    andersonDarling(gaps(times).map((gap) => Math.min(-Math.expm1((-gap * rate) / second), 1 - 1e-12)));
  assert.ok(distance(parts.dueTimes(false, 5000, 1, 2000), 5000) > 10 * criticalOnePercent);
  assert.ok(distance(parts.dueTimes(true, 5000, 1, 20_000), 5500) > 10 * criticalOnePercent);
});

test('exponential schedule: a seed gives the same times again, another seed others', () => {
  const times = parts.dueTimes(true, 100, 9, 50);
  assert.deepEqual(parts.dueTimes(true, 100, 9, 50), times);
  assert.notDeepEqual(parts.dueTimes(true, 100, 10, 50), times);
});
