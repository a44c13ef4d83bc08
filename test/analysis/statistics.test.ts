import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { autobench2012 } from '../../src/analysis/reference/autobench-2012.js';
import { changePoints, steadyFrom } from '../../src/statistics/change-points.js';
import {
  differenceInterval,
  intervalNarrowEnough,
  meanInterval,
  position,
  ratioInterval,
} from '../../src/statistics/interval.js';
import { knee } from '../../src/statistics/knee.js';
import { leastSquares } from '../../src/statistics/least-squares.js';
import { percentile, quantileRanks } from '../../src/statistics/percentiles.js';
import { randomFrom } from '../../src/statistics/random.js';
import { cliffsDelta, hodgesLehmann, holm, mannWhitney } from '../../src/statistics/ranks.js';
import { predict, scalingModel, straightLine } from '../../src/statistics/scaling.js';
import { normalQuantile, studentCdf, studentQuantile } from '../../src/statistics/student.js';
import { normal } from '../support/samples.js';

interface TwoSamples {
  a: number[];
  b: number[];
  u: number;
  p: number;
  hodgesLehmann: number;
  interval: [number, number, number] | null;
  cliffsDelta: number;
}

/** Computed by SciPy, NumPy and ruptures: see oracles.py beside it. */
const oracles = JSON.parse(readFileSync('test/analysis/oracles.json', 'utf8')) as {
  twoSamples: TwoSamples[];
  studentQuantiles: { p: number; df: number; t: number }[];
  holm: { p: number[]; adjusted: number[] };
  quantileRanks: { n: number; p: number; low: number | null; high: number | null }[];
  changePoints: { values: number[]; penalty: number; changes: number[] }[];
  weightedLine: {
    x: number[];
    y: number[];
    w: number[];
    coefficients: number[];
    rss: number;
    covariance: number[][];
  };
  kneeTable49: { at: number; below: number; past: number };
  power: { x: number[]; y: number[]; intercept: number; slope: number; exponent: number };
  tInterval: { values: number[]; low: number; high: number };
};

function close(actual: number, expected: number, relative = 1e-9) {
  const scale = Math.max(Math.abs(expected), 1e-12);
  assert.ok(Math.abs(actual - expected) <= relative * scale, `${actual} is not ${expected}`);
}

describe('quantiles', () => {
  it('of the normal distribution are the published ones', () => {
    close(normalQuantile(0.975), 1.959964, 1e-6);
    close(normalQuantile(0.01), -2.326348, 1e-6);
  });

  it('of Student agree with SciPy', () => {
    for (const { p, df, t } of oracles.studentQuantiles) {
      close(studentQuantile(p, df), t, 1e-8);
      close(studentQuantile(1 - p, df), -t, 1e-8);
      close(studentCdf(t, df), p, 1e-10);
    }
  });
});

describe('rank statistics', () => {
  it('agree with SciPy: exact, exact with ties and normal', () => {
    for (const { a, b, u, p, cliffsDelta: delta, hodgesLehmann: shift, interval } of oracles.twoSamples) {
      const test = mannWhitney(a, b);
      assert.equal(test.u, u);
      close(test.p, p, 1e-6);
      close(cliffsDelta(a, b), delta, 1e-9);
      const found = hodgesLehmann(a, b);
      close(found.estimate, shift, 1e-9);
      if (!interval) continue;
      close(found.low, interval[0]);
      close(found.high, interval[1]);
      close(found.confidence, interval[2]);
    }
  });

  it('reproduce the example of Hollander and Wolfe (p. 69, as in R help of wilcox.test)', () => {
    const a = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const b = [1.15, 0.88, 0.9, 0.74, 1.21];
    const { u, p } = mannWhitney(a, b);
    assert.equal(u, 35);
    assert.equal(p.toFixed(4), '0.2544');
    const { estimate, low, high } = hodgesLehmann(a, b);
    assert.deepEqual(
      [estimate, low, high].map((value) => value.toFixed(3)),
      ['0.305', '-0.150', '0.760'],
    );
  });

  it('say the confidence really reached when trials are too few', () => {
    const { confidence, low, high } = hodgesLehmann([1, 2, 3], [4, 5, 6]);
    close(confidence, 0.9);
    assert.deepEqual([low, high], [-5, -1]);
  });

  it('find no difference between identical groups', () => {
    assert.equal(mannWhitney([1, 1, 1], [1, 1, 1]).p, 1);
    assert.equal(cliffsDelta([1, 1], [1, 1]), 0);
  });

  it('correct a family by Holm', () => {
    assert.deepEqual(
      holm(oracles.holm.p).map((p) => p.toFixed(9)),
      oracles.holm.adjusted.map((p) => p.toFixed(9)),
    );
  });
});

describe('intervals over trials', () => {
  it('is near Student on normal data', () => {
    const { values, low, high } = oracles.tInterval;
    const interval = meanInterval(values, { resamples: 20_000 });
    close(interval.high! - interval.low!, high - low, 0.05);
    close(interval.low!, low, 0.005);
  });

  it('covers the truth in about 95 % of runs, from 3 trials on', () => {
    for (const n of [3, 5, 10, 30]) {
      for (const draw of [
        normal,
        (random: () => number) => Math.exp(0.2 * normal(random)) - Math.exp(0.02),
      ]) {
        const random = randomFrom(`coverage ${n} ${draw.name}`);
        const runs = 400;
        let covered = 0;
        for (let i = 0; i < runs; i++) {
          const values = Array.from({ length: n }, () => 10 + draw(random));
          const { low, high } = meanInterval(values, { resamples: 300 });
          if (low! <= 10 && high! >= 10) covered++;
        }
        assert.ok(covered / runs > 0.91, `n = ${n}: covered ${covered} of ${runs}`);
      }
    }
  });

  it('gives ratios and differences their own intervals', () => {
    const random = randomFrom(3);
    const group = (centre: number) => Array.from({ length: 12 }, () => centre * (1 + 0.02 * normal(random)));
    const [a, b] = [group(30), group(10)];
    const ratio = ratioInterval(a, b);
    assert.ok(ratio.low! < 3 && ratio.high! > 3 && ratio.high! - ratio.low! < 0.3);
    const difference = differenceInterval(a, b);
    assert.ok(difference.low! < 20 && difference.high! > 20 && difference.high! - difference.low! < 2);
  });

  it('has no ends for a single trial, and says so by position', () => {
    const single = meanInterval([5]);
    assert.deepEqual([single.low, single.high], [null, null]);
    assert.equal(position(single, 0, 10), 'unclear');
  });

  it('is the same every time', () => {
    assert.deepEqual(meanInterval([1, 2, 3, 4]), meanInterval([1, 2, 3, 4]));
  });

  it('places an interval against a band', () => {
    const at = (low: number, high: number) =>
      position({ estimate: (low + high) / 2, low, high, n: 5, confidence: 0.95 }, 0.9, 1.11);
    assert.equal(at(0.95, 1.05), 'inside');
    assert.equal(at(0.85, 1.05), 'unclear');
    assert.equal(at(0.1, 0.2), 'below');
    assert.equal(at(1.2, 1.3), 'above');
  });

  it('decides when to stop repeating', () => {
    assert.equal(intervalNarrowEnough([100, 100.1], 0.05), false, 'never before three trials');
    assert.equal(intervalNarrowEnough([100, 100.1, 99.9, 100], 0.01), true);
    assert.equal(intervalNarrowEnough([100, 130, 70, 100], 0.01), false);
  });
});

describe('least squares', () => {
  it('agrees with NumPy', () => {
    const { x, y, w, coefficients, rss, covariance } = oracles.weightedLine;
    const fit = leastSquares(
      x.map((value, i) => ({ x: value, y: y[i]!, weight: w[i]! })),
      [() => 1, (value) => value],
    )!;
    fit.coefficients.forEach((value, i) => {
      close(value, coefficients[i]!, 1e-8);
    });
    close(fit.rss, rss, 1e-6);
    fit.covariance!.flat().forEach((value, i) => {
      close(value, covariance.flat()[i]!, 1e-6);
    });
  });

  it('refuses a design that cannot tell its terms apart', () => {
    assert.equal(leastSquares([{ x: 1, y: 1, weight: 1 }], [() => 1, (x) => x]), null);
  });
});

/** Levels with `trials` noisy values of a cost function. */
function levels(cost: (x: number) => number, xs: readonly number[], seed: number, noise = 0.01, trials = 6) {
  const random = randomFrom(seed);
  return xs.map((x) => ({
    x,
    values: Array.from({ length: trials }, () => cost(x) * (1 + noise * normal(random))),
  }));
}

describe('scaling models', () => {
  const xs = [0, 500, 1000, 2000, 4000, 8000, 16_000];
  const cases = [
    { kind: 'constant', cost: () => 7 },
    { kind: 'linear', cost: (x: number) => 6 + 0.009 * x },
    { kind: 'n log n', cost: (x: number) => 6 + 0.001 * x * Math.log2(Math.max(1, x)) },
    { kind: 'power', cost: (x: number) => 6 + 0.00002 * x ** 1.8 },
    { kind: 'break-point', cost: (x: number) => 6 + 0.001 * x + 0.01 * Math.max(0, x - 2500) },
  ];
  for (const { kind, cost } of cases) {
    it(`recognises ${kind}`, () => {
      let right = 0;
      for (let seed = 1; seed <= 10; seed++) {
        if (scalingModel(levels(cost, xs, seed), { resamples: 2 })!.best.kind === kind) right++;
      }
      assert.ok(right >= 8, `${right} of 10 runs`);
    });
  }

  it('brings the coefficients back, with intervals around them', () => {
    const { best, intervals } = scalingModel(levels((x) => 6 + 0.009 * x, xs, 4))!;
    close(best.intercept, 6, 0.02);
    close(best.slope, 0.009, 0.02);
    assert.ok(intervals.linearSlope!.low < 0.009 && intervals.linearSlope!.high > 0.009);
    assert.ok(intervals.exponent!.low < 1 && intervals.exponent!.high > 1);
    close(predict(best, 10_000), 96, 0.02);
  });

  it('puts the exponent where SciPy curve_fit does', () => {
    const { x, y, exponent } = oracles.power;
    const model = scalingModel(
      x.map((value, i) => ({ x: value, values: [y[i]!] })),
      { resamples: 2 },
    )!;
    close(model.candidates.find(({ kind }) => kind === 'power')!.exponent!, exponent, 0.002);
  });

  it('finds a break-point with its interval', () => {
    const { intervals } = scalingModel(levels(cases[4]!.cost, xs, 2))!;
    assert.ok(intervals.breakAt!.low < 2500 && intervals.breakAt!.high > 2500);
  });

  it('covers the true slope in about 95 % of runs with three trials a level', () => {
    let covered = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const { slope } = straightLine(
        levels((x) => 6 + 0.001 * x, [0, 1000, 4000], seed, 0.03, 3),
        { resamples: 200 },
      )!;
      if (slope!.low <= 0.001 && slope!.high >= 0.001) covered++;
    }
    assert.ok(covered >= 182, `covered ${covered} of 200`);
  });

  it('has no intervals from single trials', () => {
    assert.equal(straightLine(levels((x) => x + 1, [0, 1, 2], 1, 0.01, 1))!.slope, null);
    const { intervals } = scalingModel(levels((x) => 6 + x, xs, 1, 0.01, 1))!;
    assert.deepEqual([intervals.intercept, intervals.exponent, intervals.linearSlope], [null, null, null]);
  });

  it('needs three levels', () => {
    assert.equal(scalingModel(levels(() => 7, [0, 1], 1)), null);
  });
});

describe('knee', () => {
  it('agrees with a brute-force fit of thesis table 4.9: a plateau, no fall', () => {
    const found = knee(autobench2012.map(({ offered, replies }) => ({ x: offered, y: replies.avg })))!;
    const { at, below, past } = oracles.kneeTable49;
    close(found.at, at, 0.01);
    close(found.before.estimate, below, 0.01);
    close(found.past.estimate, past, 0.01);
    assert.ok(found.past.low > 0, 'replies still grow past the knee');
  });

  it('sees a real fall', () => {
    const random = randomFrom(9);
    const points = Array.from({ length: 12 }, (_, i) => (i + 1) * 1000).flatMap((x) =>
      [1, 2, 3].map(() => ({ x, y: Math.min(x, 7000 - 0.5 * (x - 7000)) * (1 + 0.005 * normal(random)) })),
    );
    const found = knee(points)!;
    close(found.at, 7000, 0.03);
    assert.ok(found.before.low < 1 && found.before.high > 1);
    assert.ok(found.past.high < 0);
  });

  it('needs five rates', () => {
    assert.equal(knee([1, 2, 3, 4].map((x) => ({ x, y: x }))), null);
  });
});

describe('change-points', () => {
  it('agree with ruptures (PELT, l2)', () => {
    for (const { values, penalty, changes } of oracles.changePoints) {
      assert.deepEqual(changePoints(values, { penalty }), changes);
    }
  });

  it('tell when a warm-up is over', () => {
    const random = randomFrom(5);
    const rates = [20, 50, 80, ...Array.from({ length: 30 }, () => 100 + normal(random))];
    const start = steadyFrom(rates)!;
    assert.ok(start >= 2 && start <= 4, `steady from ${start}`);
    assert.equal(steadyFrom(rates.slice(0, 4)), null);
  });
});

describe('percentiles', () => {
  it('take the ranks SciPy gives, and refuse what too few values back', () => {
    for (const { n, p, low, high } of oracles.quantileRanks) {
      const ranks = quantileRanks(n, p);
      if (low === null || high === null) assert.equal(ranks, null, `n = ${n}, p = ${p}`);
      else assert.deepEqual(ranks, { low, high }, `n = ${n}, p = ${p}`);
    }
  });

  it('come with their interval from counts', () => {
    const counts = { values: [10, 20, 30], counts: [500, 400, 100], total: 1000 };
    assert.deepEqual(percentile(counts, 0.7), { p: 0.7, value: 20, low: 20, high: 20 });
    assert.equal(percentile(counts, 0.9)!.value, 20);
    assert.equal(percentile(counts, 0.9)!.high, 30);
    assert.equal(percentile(counts, 0.9999), null);
  });
});
