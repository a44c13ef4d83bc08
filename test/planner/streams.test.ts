/** How many streams the planner takes, over links of arithmetic: what they carry, and what a queue does to the round trip. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkCourse } from '../../src/contract/link.js';
import { chosen } from '../../src/planner/prediction/methods.js';
import { courseOf } from '../../src/planner/prediction/series.js';
import { type SeenInterval, StreamPlanner } from '../../src/planner/streams.js';
import { randomFrom } from '../../src/statistics/random.js';

const most = 64;
/** Intervals of a block that are seen, and that are not, because its connections find their pace. */
const [unseen, seen] = [2, 8];

/** Streams that each have a pace, over a link that carries so much: what they bring, and the queue where they would bring more. */
function interval(sockets: number, pace: number, carries: number): SeenInterval {
  const wanted = sockets * pace;
  return {
    sockets,
    goodput: Math.min(wanted, carries),
    roundTripMs: wanted > carries ? 60 : 41,
    leastRoundTripMs: 40,
  };
}

/** Bits that a sequence of blocks carries. @param streams of the next block */
function carriedBy(course: readonly number[], pace: number, streams: () => number, planner?: StreamPlanner) {
  let bits = 0;
  const taken: number[] = [];
  for (let at = 0; at + unseen + seen <= course.length; at += unseen + seen) {
    const n = streams();
    taken.push(n);
    const block = course
      .slice(at, at + unseen + seen)
      .map((share) => interval(n, pace * (0.95 + 0.1 * random()), 1e8 * share));
    bits += block.reduce((sum, { goodput }) => sum + goodput / 10, 0);
    planner?.observe(block.slice(unseen));
  }
  return { bits, taken };
}
const random = randomFrom('streams of a test');

const planned = (course: readonly number[], pace: number) => {
  const planner = new StreamPlanner(chosen.make(1), most);
  return carriedBy(course, pace, () => planner.next().streams, planner);
};
const fixed = (course: readonly number[], pace: number, n: number) => carriedBy(course, pace, () => n).bits;

test('a link that stays is filled after a few blocks, by not many more streams than it takes', () => {
  for (const pace of [2e6, 5e6, 3e7]) {
    const { taken } = planned(new Array<number>(300).fill(1), pace);
    const enough = Math.ceil(1e8 / pace);
    for (const n of taken.slice(8))
      assert.ok(
        n >= Math.min(enough, most) && n <= Math.min(Math.max(16, 2.5 * enough + 1), most),
        `pace ${pace}: ${taken.join(' ')}`,
      );
  }
});

test('one that carries less gets fewer streams, and more again when it carries more', () => {
  const course = [1, 0.2, 1].flatMap((share) => new Array<number>(100).fill(share));
  const { taken } = planned(course, 5e6);
  const [before, less, after] = [taken.slice(4, 10), taken.slice(12, 20), taken.slice(22)];
  assert.ok(Math.max(...less) < Math.min(...before) / 2, taken.join(' '));
  assert.ok(Math.min(...after) >= 20, taken.join(' '));
});

for (const course of ['periodic', 'volatile', 'regime'] satisfies LinkCourse[])
  test(`over a ${course} link it comes near the best fixed number, and far beyond the worst`, () => {
    const ratios = [1, 2, 3, 4, 5, 6].map((seed) => {
      const shares = courseOf(course, 600, seed);
      const { bits } = planned(shares, 5e6);
      const rivals = [1, 4, 16, 64].map((n) => fixed(shares, 5e6, n));
      assert.ok(bits > 3 * Math.min(...rivals), `${bits} against ${rivals}`);
      return bits / Math.max(...rivals);
    });
    const mean = ratios.reduce((sum, one) => sum + one, 0) / ratios.length;
    // A stream too many costs nothing here, so that the most are the best: what is lost is what it takes to notice a change.
    assert.ok(mean > 0.9, ratios.map((one) => one.toFixed(3)).join(' '));
  });

test('a block of which nothing was seen changes nothing, and none was seen before the first', () => {
  const planner = new StreamPlanner(chosen.make(1), 3);
  assert.deepEqual(planner.next(), { streams: 3, expected: null });
  planner.observe([]);
  planner.observe([interval(3, 0, 1e8)]);
  assert.deepEqual(planner.next(), { streams: 3, expected: null });
  planner.observe([interval(3, 1e6, 1e8)]);
  assert.equal(planner.next().expected, 6e6);
});

test('what a predictor says that cannot be is held to what just arrived', () => {
  for (const [says, taken] of [
    [1, 0.5],
    [1e12, 2],
  ] as const) {
    const planner = new StreamPlanner({ predict: () => says, observe() {} }, most);
    planner.observe([interval(2, 1e7, 1e8)]);
    planner.observe([interval(20, 1e7, 1e8)]);
    assert.equal(planner.next().expected, taken * 1e8);
  }
});
