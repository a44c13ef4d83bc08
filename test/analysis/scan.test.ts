import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomFrom } from '../../src/statistics/random.js';
import { type Scanned, scanCost, scanModel } from '../../src/statistics/scan-cost.js';
import { normal } from '../support/samples.js';

/** Windows of a sweep, few and many events a wait, of a scan of 0.4 ns x 1000 a descriptor. */
function windows(pastBend: number, seed: number, noise = 0.03): Scanned[] {
  const random = randomFrom(seed);
  const cost = { request: 5, wait: 20, perDescriptor: 0.4, bend: 4100, pastBend };
  return [0, 1, 2, 3, 4].flatMap((block) =>
    [100, 1100, 4100, 8100, 16_100].flatMap((registered) =>
      [0.01, 0.1, 1].map((waitsPerRequest) => ({
        block,
        registered,
        waitsPerRequest,
        cpuUs: scanCost(cost, registered, waitsPerRequest) * Math.exp(noise * normal(random)),
      })),
    ),
  );
}

describe('the scan model', () => {
  it('brings cost and bend back, and predicts a level left out within 10 %', () => {
    const { cost, perDescriptor, leftOut } = scanModel(windows(0.8, 1))!;
    assert.equal(cost.bend, 4100);
    assert.ok(Math.abs(cost.pastBend - 0.8) < 0.05, `${cost.pastBend}`);
    assert.ok(perDescriptor.low! < 0.4 && perDescriptor.high! > 0.4);
    const inner = leftOut.find(({ registered }) => registered === 8100)!;
    assert.ok(inner.error < 0.1, `${inner.error}`);
  });

  it('has no bend where none is', () => {
    const bends = Array.from({ length: 20 }, (_, seed) => scanModel(windows(0.4, seed))!.cost.bend);
    assert.ok(bends.filter((bend) => bend !== null).length <= 2);
  });

  it('needs three numbers of descriptors', () => {
    assert.equal(scanModel(windows(0.4, 1).filter(({ registered }) => registered < 2000)), null);
  });
});
