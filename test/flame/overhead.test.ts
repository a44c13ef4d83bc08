import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeOverhead, profilerOverhead, windowOrder } from '../../src/flame/overhead.js';

const window = (requests: number, cpuUs: number) => ({ durationNs: 1e9, requests, cpuUs });
const pair = (profiled: number, cpuUs: number) => ({
  profiled: window(profiled, cpuUs),
  unprofiled: window(1000, 1000),
});

describe('overhead of the profiler', () => {
  test('is the median change of the pairs with their range', () => {
    // CPU per request of the profiled windows: 1.25, 1.0, 2.0
    const overhead = profilerOverhead([pair(800, 1000), pair(1000, 1000), pair(500, 1000)]);
    assert.deepEqual(overhead.rate, { change: 800 / 1000 - 1, low: -0.5, high: 0 });
    assert.deepEqual(overhead.cpuPerRequest, { change: 0.25, low: 0, high: 1 });
    assert.equal(overhead.coverage, 0.75);
    assert.match(describeOverhead(overhead), /throughput -20\.0 % \[-50\.0 %, \+0\.0 %\].*3 pairs.*75\.0 %/);
  });

  test('of an even number of pairs is between the middle two', () => {
    assert.equal(profilerOverhead([pair(750, 750), pair(500, 500)]).rate!.change, -0.375);
  });

  test('is not invented where nothing was served', () => {
    const overhead = profilerOverhead([{ profiled: window(0, 5), unprofiled: window(0, 5) }]);
    assert.equal(overhead.rate, null);
    assert.match(describeOverhead(overhead), /not measured/);
  });

  test('windows alternate so that each kind comes first as often', () => {
    assert.deepEqual(windowOrder(2), [false, true, true, false]);
    const order = windowOrder(7);
    assert.equal(order.filter((profiled) => profiled).length, 7);
    for (let pairIndex = 0; pairIndex < 7; pairIndex++) {
      assert.notEqual(order[2 * pairIndex], order[2 * pairIndex + 1]);
    }
  });
});
