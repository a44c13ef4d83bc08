/** A guest's clock is refused when it is another one, too coarse, or runs off. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClockEstimate } from '../../src/hosts/clock.js';
import { clockFault, rateError } from '../../src/hosts/guest-clock.js';
import type { Host } from '../../src/hosts/host.js';

const at = (atNs: number, offsetNs: number, boundNs = 0): ClockEstimate => ({
  atNs,
  offsetNs,
  boundNs,
  drift: 0,
});

test('what the comparisons leave open is no error', () => {
  assert.equal(rateError(at(0, 0), at(1000, 20)), 0.02);
  assert.equal(rateError(at(0, 0), at(1000, -20)), -0.02);
  assert.equal(rateError(at(0, 0, 8), at(1000, 20, 7)), 0.005);
  assert.equal(rateError(at(0, 0, 20), at(1000, 20, 7)), 0);
});

/** Its clock gains `gained` of each nanosecond. */
function host(facts: { clockSource: string; clockStepNs: number }, gained = 0): Host {
  const clock = async () => {
    const now = performance.now() * 1e6;
    return at(now, now * gained, 1000);
  };
  return { facts, clock } as unknown as Host;
}
const good = { clockSource: 'tsc', clockStepNs: 50 };

test('each fault is named', async () => {
  assert.equal(await clockFault(host(good), 'tsc'), null);
  assert.equal(await clockFault(host({ ...good, clockSource: 'hpet' }), null), null);
  assert.equal(
    await clockFault(host({ ...good, clockSource: 'hpet' }), 'tsc'),
    "its kernel keeps time by 'hpet' and not by 'tsc'",
  );
  assert.equal(
    await clockFault(host({ ...good, clockStepNs: 4e6 }), 'tsc'),
    'its clock goes in steps of 4000000 ns',
  );
  assert.match((await clockFault(host(good, 0.05), 'tsc')) ?? '', /^its clock runs [45]\.\d % too fast$/);
  assert.match((await clockFault(host(good, -0.05), 'tsc')) ?? '', /^its clock runs [45]\.\d % too slow$/);
});
