/** Several processes seen as one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeLoads, share, sumSnapshots } from '../../src/stage/merge.js';
import { measured } from '../../src/trials/sample.js';
import { syntheticSample } from '../support/samples.js';

const window = (name: 'closed' | 'open', medianLatency: number) =>
  measured(syntheticSample({ cell: {}, cpuUs: 10, rate: 500, medianLatency }), name, 'load')!;

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
  const one = { ...window('closed', 50_000).after, eventsPerWait: [1, 2] };
  const both = sumSnapshots([one, { ...one, monotonicNs: 5 }]);
  assert.equal(both.monotonicNs, one.monotonicNs);
  assert.equal(both.requests, 2 * one.requests!);
  assert.equal(both.cpu.systemUs, 2 * one.cpu.systemUs);
  assert.equal(both.counters!.waits, 2 * one.counters!.waits);
  assert.deepEqual(both.eventsPerWait, [2, 4]);
  const without = { ...one, counters: null, eventsPerWait: null };
  assert.equal(sumSnapshots([without, without]).counters, null);
  assert.equal(sumSnapshots([one, { ...one, requests: null }]).requests, null, 'a part is no sum');
  const carried = { ...one, carrierCpu: { userUs: 7, systemUs: 8 } };
  assert.deepEqual(sumSnapshots([carried, carried]).carrierCpu, carried.carrierCpu, 'one carries them all');
});

test('results of several clients: counts add up, distributions are merged', () => {
  const [fast, slow] = [50_000, 500_000].map((median) => window('open', median).load);
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
