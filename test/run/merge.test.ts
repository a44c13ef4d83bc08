/** Several processes seen as one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeLoads, share, sumSnapshots } from '../../src/run/merge.js';
import { syntheticSample } from '../support/samples.js';

const sample = (medianLatency: number) => syntheticSample({ cell: {}, cpuUs: 10, rate: 500, medianLatency });

test('shares are whole, nearly equal and add up', () => {
  for (const [total, parts] of [
    [10, 3],
    [2, 2],
    [19_999, 7],
  ] as const) {
    const shares = Array.from({ length: parts }, (_, index) => share(total, parts, index));
    assert.equal(
      shares.reduce((sum, one) => sum + one, 0),
      total,
    );
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
  }
});

test('snapshots of several processes are summed at the time of the first', () => {
  const one = { ...sample(50_000).windows.closed!.after, eventsPerWait: [1, 2] };
  const both = sumSnapshots([one, { ...one, monotonicNs: 5 }]);
  assert.equal(both.monotonicNs, one.monotonicNs);
  assert.equal(both.requests, 2 * one.requests);
  assert.equal(both.cpu.systemUs, 2 * one.cpu.systemUs);
  assert.equal(both.counters!.waits, 2 * one.counters!.waits);
  assert.deepEqual(both.eventsPerWait, [2, 4]);
  const without = { ...one, counters: null, eventsPerWait: null };
  assert.equal(sumSnapshots([without, without]).counters, null);
});

test('results of several clients: counts add up, distributions are merged', () => {
  const [fast, slow] = [sample(50_000), sample(500_000)].map(({ windows }) => windows.open!.load);
  const merged = mergeLoads([
    fast!,
    { ...slow!, saturation: ['late'], errors: { ...slow!.errors, reset: 3 } },
  ]);
  assert.equal(merged.offeredRate, 1000);
  assert.equal(merged.replies, fast!.replies + slow!.replies);
  assert.equal(merged.errors.reset, 3);
  assert.deepEqual(merged.saturation, ['late']);
  assert.equal(merged.latency.count, fast!.latency.count + slow!.latency.count);
  assert.ok(Math.abs(merged.latency.max / slow!.latency.max - 1) < 0.001, 'three digits of the slowest');
  assert.ok(merged.latency.p50 > fast!.latency.p50 && merged.latency.p50 < slow!.latency.p50);
  assert.equal(merged.client.busyShare, fast!.client.busyShare + slow!.client.busyShare);
  assert.equal(mergeLoads([fast!]), fast);
});
