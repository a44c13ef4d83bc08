/** Predictors are what their names say, judged walk-forward, and the net's gradient is one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { dwcpLstm2025, dwcpProcessor } from '../../src/analysis/reference/dwcp-2025.js';
import { claims } from '../../src/claims/claims.js';
import { forwardFlop, initialWeights, Net, weightCount } from '../../src/planner/prediction/lstm.js';
import { chosen, methods } from '../../src/planner/prediction/methods.js';
import { flopPerSecond, plausibility } from '../../src/planner/prediction/plausibility.js';
import type { Predictor } from '../../src/planner/prediction/predictor.js';
import { madeUp, makers } from '../../src/planner/prediction/series.js';
import { floorOf, positive, walkForward } from '../../src/planner/prediction/walk-forward.js';
import { randomFrom } from '../../src/statistics/random.js';

const made = (id: string) => methods.find((one) => one.id === id)!.make(1);

function after(id: string, values: readonly number[]): number {
  const predictor = made(id);
  for (const value of values) predictor.observe(value);
  return predictor.predict()!;
}

const near = (value: number, wanted: number, share: number) =>
  assert.ok(Math.abs(value - wanted) <= share * wanted, `${value}, not about ${wanted}`);

describe('each predictor', () => {
  for (const { id, make } of methods) {
    test(`${id}: says nothing of nothing, one level of one level, and the same for the same seed`, () => {
      assert.equal(make(1).predict(), null);
      near(after(id, new Array<number>(120).fill(50)), 50, 0.02);
      const { values } = madeUp(150, 3)[2]!;
      assert.equal(walkForward(make(5), values, 50), walkForward(make(5), values, 50));
    });

    test(`${id}: has seen nothing of what it is judged on`, () => {
      const seen: number[] = [];
      const inner = make(1);
      const spy: Predictor = {
        predict() {
          return inner.predict();
        },
        observe(value) {
          seen.push(value);
          inner.observe(value);
        },
      };
      const { values } = madeUp(100, 1)[0]!;
      const error = walkForward(spy, values, 50);
      assert.deepEqual(seen, values);
      // A later value changes no earlier prediction.
      const changed = values.with(99, values[99]! * 2);
      const last = (all: readonly number[]) => {
        const one = make(1);
        for (const value of all.slice(0, 99)) one.observe(value);
        return one.predict()!;
      };
      assert.equal(last(values), last(changed));
      assert.ok(walkForward(make(1), changed, 50) > error - 1);
    });
  }

  test('their arithmetic, by hand', () => {
    assert.equal(after('last', [10, 20, 40]), 40);
    near(after('ewma', [10, 20]), 13, 1e-12);
    near(after('harmonic', [20, 60]), 30, 1e-12);
    // Before the second value 20 was expected of 60: an error of 2/3.
    near(after('robust-harmonic', [20, 60]), 18, 1e-12);
    const line = Array.from({ length: 200 }, (_, at) => 100 + 5 * at);
    near(after('holt', line), 1100, 0.001);
    near(after('ar-rls', line), 1100, 0.001);
    // What a wave does next follows from its last two values.
    const wave = Array.from({ length: 200 }, (_, at) => 100 + 40 * Math.sin(at / 4));
    near(after('ar-rls', wave), 100 + 40 * Math.sin(50), 0.005);
  });

  test('the Kalman filter learns that noise is noise, and a walk a walk', () => {
    const random = randomFrom('kalman');
    const noise = Array.from({ length: 600 }, () => 100 + 40 * (random() - 0.5));
    let at = 1000;
    const walk = Array.from({ length: 600 }, () => {
      at += 40 * (random() - 0.5);
      return at;
    });
    const ratio = (values: readonly number[]) =>
      walkForward(made('kalman'), values, 100) / walkForward(made('last'), values, 100);
    // The best of noise is its mean, which is off by 3/4 of what the last value is.
    assert.ok(ratio(noise) < 0.85, `${ratio(noise)}`);
    // The best of a walk is the last value.
    assert.ok(ratio(walk) < 1.1, `${ratio(walk)}`);
  });
});

describe('series', () => {
  test('nobody is better than the floor by more than chance, and on one level somebody is near it', () => {
    for (const { id, values, expected } of madeUp(400, 2)) {
      const floor = floorOf(values, expected!, 100);
      const errors = methods
        .filter((one) => one.id !== 'lstm')
        .map(({ make }) => walkForward(make(1), values, 100));
      assert.ok(Math.min(...errors) > 0.9 * floor, `${id}: ${Math.min(...errors)} against ${floor}`);
      if (id === 'stable' || id === 'volatile')
        assert.ok(Math.min(...errors) < 1.25 * floor, `${id}: ${Math.min(...errors)} against ${floor}`);
    }
  });

  test('the seed makes them, and every kind is there', () => {
    assert.deepEqual(madeUp(50, 1), madeUp(50, 1));
    assert.notDeepEqual(madeUp(50, 1), madeUp(50, 2));
    assert.deepEqual(
      madeUp(5, 1).map(({ id }) => id),
      makers.map(({ id }) => id),
    );
  });

  test('an error is a share of the value, and a series too short for it is refused', () => {
    const constant = (): Predictor => ({ predict: () => 90, observe() {} });
    near(walkForward(constant(), [1, 100, 60], 1), (0.1 + 0.5) / 2, 1e-12);
    assert.throws(() => walkForward(constant(), [1, 2], 2), RangeError);
  });
});

test('the one that is chosen has the least error on recorded series, of all that need no training', () => {
  const { series } = JSON.parse(readFileSync(join(packageRoot, 'bench/recorded/bandwidth.json'), 'utf8')) as {
    series: { goodput: number[]; deliveryRate: number[] }[];
  };
  const all = series.flatMap(({ goodput, deliveryRate }) => [goodput, deliveryRate]);
  assert.ok(all.length >= 8 && all.every((values) => values.length >= 400));
  const errors = methods
    .filter(({ id }) => id !== 'lstm')
    .map(({ id, make }) => ({
      id,
      // Each series counts alike, whatever its noise.
      error: all.reduce((sum, values) => sum + Math.log(walkForward(make(1), positive(values), 100)), 0),
    }));
  errors.sort((a, b) => a.error - b.error);
  assert.equal(chosen.id, errors[0]!.id);
});

describe('the net', () => {
  const shape = { sequence: 5, hidden: 3 };
  const random = randomFrom('net');
  const inputs = Float64Array.from({ length: 5 }, () => 2 * random() - 1);

  test('its gradient is that of finite differences, for every weight', () => {
    const weights = initialWeights(shape, random);
    const net = new Net(shape, weights);
    const gradient = new Float64Array(weightCount(shape));
    net.forward(inputs, 0);
    net.backward(inputs, 0, 1, gradient);
    const tiny = 1e-6;
    for (let at = 0; at < weights.length; at++) {
      const kept = weights[at]!;
      weights[at] = kept + tiny;
      const above = net.forward(inputs, 0);
      weights[at] = kept - tiny;
      const below = net.forward(inputs, 0);
      weights[at] = kept;
      const slope = (above - below) / (2 * tiny);
      assert.ok(Math.abs(slope - gradient[at]!) < 1e-6, `weight ${at}: ${gradient[at]} and ${slope}`);
    }
  });

  test('it learns a wave better than the last value tells it', () => {
    const values = Array.from({ length: 300 }, (_, at) => 100 + 40 * Math.sin(at / 3));
    const error = walkForward(made('lstm'), values, 150);
    assert.ok(error < 0.5 * walkForward(made('last'), values, 150), `${error}`);
  });

  test('operations are counted from its shape', () => {
    assert.equal(forwardFlop({ sequence: 1, hidden: 1 }), 2 * 4 * 2 + 2);
    assert.equal(forwardFlop({ sequence: 10, hidden: 32 }), 10 * 2 * 4 * 32 * 33 + 64);
  });
});

test('a time that asks for more than a core can do is impossible, as all that were published do', () => {
  const { peakFlopPerSecond: peak } = dwcpProcessor;
  const asked = dwcpLstm2025.map((one) => ({ flop: forwardFlop(one), us: one.us }));
  for (const { flop, us } of asked) {
    assert.equal(plausibility(flop, us, peak), 'impossible');
    assert.equal(plausibility(flop, 100 * us, peak), 'possible');
  }
  const rates = asked.map(({ flop, us }) => Math.round(flopPerSecond(flop, us) / 1e9));
  const claim = claims.find(({ id }) => id === 'D21')!;
  assert.ok('standing' in claim);
  assert.equal(claim.standing!.is, 'impossible');
  for (const figure of [...rates, Math.floor(peak / 1e9)])
    assert.match(claim.standing!.because, new RegExp(`\\b${figure}\\b`));
});
