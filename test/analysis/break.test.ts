/** T5's break by simulation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cellsOf } from '../../src/analysis/cells.js';
import { runTest } from '../../src/analysis/claim-tests.js';
import type { TestedClaim } from '../../src/claims/claim.js';
import { claims } from '../../src/claims/claims.js';
import { randomFrom } from '../../src/statistics/random.js';
import { normal, syntheticSample } from '../support/samples.js';

const [test] = (claims.find(({ id }) => id === 'T5') as TestedClaim).tests;
const idle = [0, 1000, 2500, 5000, 7500, 10_000, 12_500, 15_000];
const bent = (from: number, fast: number) => (x: number) =>
  1 - 0.04 * (Math.max(0, x - from) / 1000) - 0.04 * (Math.max(0, x - fast) / 1000);

function outcomes(throughput: (idle: number) => number, noise: number, { trials = 5, runs = 150 } = {}) {
  const random = randomFrom(`${throughput} ${noise}`);
  const counts: Record<string, number> = { supported: 0, contradicted: 0, inconclusive: 0 };
  for (let run = 0; run < runs; run++) {
    const samples = idle.flatMap((count) =>
      Array.from({ length: trials }, (_, block) =>
        syntheticSample({
          cell: { backend: 'devpoll', impl: 'native', idle: count, connections: 1000 },
          block,
          cpuUs: 10 / (throughput(count) * Math.exp(noise * normal(random))),
        }),
      ),
    );
    const [row] = runTest(test, cellsOf(samples)).evidence;
    counts[row!.outcome]!++;
  }
  return counts;
}

describe('claim T5', () => {
  for (const noise of [0.01, 0.03, 0.1]) {
    it(`is not contradicted where it is true, ${100 * noise} % noise`, () => {
      const { contradicted, supported } = outcomes(bent(5000, 10_000), noise);
      assert.ok(contradicted! <= 6, `contradicted in ${contradicted} of 150`);
      if (noise < 0.1) assert.ok(supported! >= 142, `supported in ${supported} of 150`);
    });
  }

  it('is contradicted by a precise line without a break, and not by one that scatters', () => {
    assert.ok(outcomes(() => 1, 0.01).contradicted! >= 142);
    assert.ok(outcomes(() => 1, 0.4).contradicted! <= 6);
  });

  it('is contradicted by a break elsewhere', () => {
    assert.ok(outcomes((x) => 1 - 0.1 * (Math.min(x, 2500) / 1000), 0.01).contradicted! >= 142);
  });

  it('needs eight levels and five trials', () => {
    const samples = idle.map((count) =>
      syntheticSample({ cell: { backend: 'devpoll', impl: 'native', idle: count }, cpuUs: 10 }),
    );
    assert.match(runTest(test, cellsOf(samples)).missing!, /8 levels of idle with 5 trials each/);
  });
});
