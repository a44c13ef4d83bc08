/** Shapes of ramps by simulation: what is called a fall, and what a ramp says of the way up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge } from '../../src/analysis/evidence.js';
import type { KneeTest, TestedClaim } from '../../src/claims/claim.js';
import { claims } from '../../src/claims/claims.js';
import { rampShape } from '../../src/statistics/ramp.js';
import { randomFrom } from '../../src/statistics/random.js';
import { normal } from '../support/samples.js';

const [test] = (claims.find(({ id }) => id === 'T2') as TestedClaim).tests as readonly [KneeTest];
const peak = 100_000;

const sharp = (x: number) => Math.min(x, peak);
/** Bends over a wide range of rates, as a queue does. */
const rounded = (x: number) => x / (1 + (x / peak) ** 6) ** (1 / 6);
const falling = (x: number) => Math.min(x, peak - 0.2 * (x - peak));

/** Outcomes of so many simulated ramps, counted. */
function outcomes(replies: (x: number) => number, { noise = 0.03, trials = 5, rates = 14, runs = 400 }) {
  const random = randomFrom(`${replies} ${noise} ${trials} ${rates}`);
  const counts = { before: new Map<string, number>(), past: new Map<string, number>() };
  for (let run = 0; run < runs; run++) {
    const levels = Array.from({ length: rates }, (_, i) => {
      const offered = (2 * peak * (i + 1)) / rates;
      // Below saturation the schedule decides, whatever the machine does.
      const spread = offered < 0.9 * peak ? 0.001 : noise;
      return {
        offered,
        replies: Array.from({ length: trials }, (_, block) => ({
          block,
          value: replies(offered) * Math.exp(spread * normal(random)),
        })),
      };
    });
    const { below, last } = rampShape(levels);
    for (const side of ['before', 'past'] as const) {
      const outcome = judge(side === 'before' ? below : last!, test[side]);
      counts[side].set(outcome, (counts[side].get(outcome) ?? 0) + 1);
    }
  }
  const of = (side: 'before' | 'past', outcome: string) => counts[side].get(outcome) ?? 0;
  return of;
}

describe('a ramp', () => {
  for (const [name, plateau] of Object.entries({ sharp, rounded })) {
    for (const design of [
      { rates: 14, trials: 5 },
      { rates: 6, trials: 3 },
    ]) {
      it(`is not called falling on a ${name} plateau, ${design.rates} rates x ${design.trials} trials, 3 % noise`, () => {
        const of = outcomes(plateau, design);
        assert.ok(of('past', 'supported') <= 1, `${of('past', 'supported')} of 400`);
        assert.ok(of('before', 'contradicted') <= 8, `${of('before', 'contradicted')} of 400`);
      });
    }
  }

  it('that is a plateau to 0.5 % contradicts a fall', () => {
    assert.ok(outcomes(sharp, { noise: 0.005 })('past', 'contradicted') >= 380);
  });

  it('that falls by a fifth is seen to', () => {
    const of = outcomes(falling, {});
    assert.ok(of('past', 'supported') >= 380, `${of('past', 'supported')} of 400`);
    assert.ok(of('before', 'contradicted') <= 8);
  });

  it('that loses a tenth of every offer does not follow it', () => {
    assert.ok(outcomes((x) => 0.9 * sharp(x), {})('before', 'contradicted') >= 380);
  });
});
