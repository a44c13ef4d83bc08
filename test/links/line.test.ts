/** One direction of an emulated link over virtual time: delay, chance, room and rate, with nothing left to a clock. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { test } from 'node:test';
import { addonPath } from '../../src/addon.js';

interface Shape {
  delayNs: number;
  lossPpb: number;
  bitsPerSecond: number;
  limit: number;
}

interface Carried {
  packets: number;
  bytes: number;
  lost: number;
  overflowed: number;
  passed: number;
  passedBytes: number;
  meanLatenessNs: number;
  /** when each packet left; -1: lost, -2: no room */
  left: Float64Array;
}

const { carry } = createRequire(import.meta.url)(
  resolve(dirname(addonPath), 'dispatchbench_testing.node'),
) as {
  carry(
    shape: Shape,
    seed: number,
    times: Float64Array,
    sizes: Float64Array,
    lateNs: number,
    changed?: Shape,
    from?: number,
  ): Carried;
};

const open: Shape = { delayNs: 0, lossPpb: 0, bitsPerSecond: 0, limit: 1e6 };
const lost = -1;
const noRoom = -2;

/** So many packets, one every `gapNs`. */
const every = (gapNs: number, packets: number) => Float64Array.from({ length: packets }, (_, n) => n * gapNs);
const all = (size: number, packets: number) => new Float64Array(packets).fill(size);

test('a delay is added to each packet, and nothing else is', () => {
  const times = every(1234, 1000);
  const { left, passed, meanLatenessNs } = carry({ ...open, delayNs: 20e6 }, 1, times, all(100, 1000), 0);
  assert.deepEqual(
    left,
    times.map((time) => time + 20e6),
  );
  assert.deepEqual([passed, meanLatenessNs], [1000, 0]);
});

test('who looks after the line late is counted late by that much, and nobody leaves early', () => {
  const times = every(50_000, 500);
  const { left, meanLatenessNs } = carry({ ...open, delayNs: 1e6 }, 1, times, all(100, 500), 7000);
  assert.equal(meanLatenessNs, 7000);
  assert.ok(left.every((time, n) => time - times[n]! === 1e6 + 7000));
});

for (const share of [0.001, 0.01, 0.5]) {
  test(`of 200 000 packets ${share * 100} % are lost, for every seed within 5 standard deviations`, () => {
    const packets = 200_000;
    const deviation = Math.sqrt(packets * share * (1 - share));
    const counts = [1, 2, 3, 4, 5].map((seed) => {
      const carried = carry({ ...open, lossPpb: share * 1e9 }, seed, every(1, packets), all(60, packets), 0);
      assert.equal(carried.left.filter((time) => time === lost).length, carried.lost);
      assert.equal(carried.lost + carried.passed, packets);
      assert.ok(
        Math.abs(carried.lost - packets * share) < 5 * deviation,
        `seed ${seed}: ${carried.lost} lost`,
      );
      return carried.lost;
    });
    assert.ok(new Set(counts).size > 1, 'seeds differ');
  });
}

test('losses come alone and in rows as often as chance has them', () => {
  const packets = 200_000;
  const share = 0.1;
  const { left } = carry({ ...open, lossPpb: share * 1e9 }, 9, every(1, packets), all(60, packets), 0);
  const pairs = left.filter((time, n) => n > 0 && time === lost && left[n - 1] === lost).length;
  const expected = packets * share ** 2;
  assert.ok(Math.abs(pairs - expected) < 5 * Math.sqrt(1.2 * expected), `${pairs} pairs`);
});

test('a seed stands for the same losses, whatever else the link does', () => {
  const which = (shape: Partial<Shape>) =>
    carry({ ...open, lossPpb: 2e7, ...shape }, 42, every(1e6, 5000), all(60, 5000), 0).left.map((time) =>
      time === lost ? 1 : 0,
    );
  assert.deepEqual(which({}), which({ delayNs: 5e6, bitsPerSecond: 1e9 }));
});

test('no chance loses nothing, and certainty everything', () => {
  const lostOf = (lossPpb: number) =>
    carry({ ...open, lossPpb }, 3, every(1, 10_000), all(60, 10_000), 0).lost;
  assert.deepEqual([lostOf(0), lostOf(1e9)], [0, 10_000]);
});

for (const bitsPerSecond of [1, 64_000, 9_999_991, 100e6, 7e9]) {
  test(`at ${bitsPerSecond} bit/s the last of many packets leaves when all bytes have had their time`, () => {
    const packets = 3000;
    const sizes = Float64Array.from({ length: packets }, (_, n) => 40 + ((n * 7919) % 1461));
    const bits = 8 * sizes.reduce((sum, size) => sum + size, 0);
    const { left, bytes, passedBytes } = carry(
      { ...open, bitsPerSecond },
      1,
      new Float64Array(packets),
      sizes,
      0,
    );
    assert.equal(bytes * 8, bits);
    assert.equal(passedBytes, bytes);
    // Whole nanoseconds, and no rest is forgotten on the way.
    assert.ok(Math.abs(left.at(-1)! - (bits * 1e9) / bitsPerSecond) <= 1, `${left.at(-1)}`);
    assert.ok(left.every((time, n) => n === 0 || time >= left[n - 1]!));
  });
}

test('a link that had nothing to do does not save its rate up', () => {
  const times = Float64Array.of(0, 0, 1e9, 1e9);
  const { left } = carry({ ...open, bitsPerSecond: 8e6 }, 1, times, all(1000, 4), 0);
  assert.deepEqual([...left], [1e6, 2e6, 1e9 + 1e6, 1e9 + 2e6]);
});

test('rate and delay add up once, not once for each packet before', () => {
  const { left } = carry({ ...open, delayNs: 20e6, bitsPerSecond: 8e6 }, 1, all(0, 3), all(1000, 3), 0);
  assert.deepEqual([...left], [21e6, 22e6, 23e6]);
});

test('what comes while as many are held as may be is dropped, and only that', () => {
  const shape = { ...open, delayNs: 10, limit: 3 };
  const carried = carry(shape, 1, Float64Array.of(0, 1, 2, 3, 9, 10, 11, 12), all(60, 8), 0);
  assert.deepEqual([...carried.left], [10, 11, 12, noRoom, noRoom, 20, 21, 22]);
  assert.deepEqual([carried.overflowed, carried.passed, carried.packets], [2, 6, 8]);
});

test('what comes after a change finds the new shape, and nothing that is held leaves sooner or later for it', () => {
  const slow = { ...open, bitsPerSecond: 8e6, delayNs: 1e6 };
  const times = new Float64Array([0, 0, 0, 0]);
  // 1000 bytes take 1 ms, and then 0.1 ms.
  const { left } = carry(slow, 1, times, all(1000, 4), 0, { ...slow, bitsPerSecond: 8e7 }, 2);
  assert.deepEqual([...left], [2e6, 3e6, 3.1e6, 3.2e6]);
  const closed = carry(open, 1, times, all(1000, 4), 0, { ...open, lossPpb: 1e9 }, 2);
  assert.deepEqual([...closed.left], [0, 0, lost, lost]);
});
