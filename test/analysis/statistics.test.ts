import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { autobench2012 } from '../../src/analysis/reference/autobench-2012.js';
import { changePoints, steadyFrom } from '../../src/statistics/change-points.js';
import {
  blockedRatio,
  differenceInterval,
  type Interval,
  meanInterval,
  position,
  ratioInterval,
  relativeHalfWidth,
  robustBeside,
} from '../../src/statistics/interval.js';
import { knee } from '../../src/statistics/knee.js';
import { leastSquares } from '../../src/statistics/least-squares.js';
import { percentile, quantileRanks } from '../../src/statistics/percentiles.js';
import { randomFrom } from '../../src/statistics/random.js';
import { cliffsDelta, hodgesLehmann, holm, mannWhitney } from '../../src/statistics/ranks.js';
import { predict, scalingModel, straightLine } from '../../src/statistics/scaling.js';
import { normalQuantile, studentCdf, studentQuantile } from '../../src/statistics/student.js';
import { metric } from '../../src/trials/registry.js';
import { measured } from '../../src/trials/sample.js';
import { normal, syntheticSample } from '../support/samples.js';

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
  it('are Student on the logarithms, and on the values where those may be 0', () => {
    const { values, low, high } = oracles.tInterval;
    const onLogs = meanInterval(values.map(Math.exp));
    close(Math.log(onLogs.low!), low, 1e-8);
    close(Math.log(onLogs.high!), high, 1e-8);
    const shifted = meanInterval(values.map((value) => value - 1000));
    close(shifted.low!, low - 1000, 1e-8);
  });

  it('have no ends for fewer than three trials, and say so by position', () => {
    for (const values of [[5], [5, 6]]) {
      const { low, high, low90, high90, n } = meanInterval(values);
      assert.deepEqual([low, high, low90, high90, n], [null, null, null, null, values.length]);
      assert.equal(position(meanInterval(values), 0, 10), 'unclear');
    }
    assert.equal(ratioInterval([1, 2], [1, 2, 3]).low, null);
    assert.equal(differenceInterval([1, 2, 3], [1, 2]).low, null);
  });

  it('compare independent groups', () => {
    const random = randomFrom(3);
    const group = (centre: number) => Array.from({ length: 12 }, () => centre * (1 + 0.02 * normal(random)));
    const [a, b] = [group(30), group(10)];
    const ratio = ratioInterval(a, b);
    assert.ok(ratio.low! < 3 && ratio.high! > 3 && ratio.high! - ratio.low! < 0.3);
    const difference = differenceInterval(a, b);
    assert.ok(difference.low! < 20 && difference.high! > 20 && difference.high! - difference.low! < 2);
  });

  it('pair by block what both sides have of it', () => {
    const trial = (block: number, value: number) => ({ block, value });
    const a = [trial(0, 2), trial(1, 4), trial(2, 8), trial(3, 99)];
    const b = [trial(2, 4), trial(0, 1), trial(1, 2), trial(7, 99)];
    const { estimate, low, high, n } = blockedRatio(a, b);
    assert.deepEqual(
      [estimate, low, high, n].map((value) => value!.toFixed(9)),
      [2, 2, 2, 3].map((value) => value.toFixed(9)),
    );
    // Only two blocks have both: the groups are compared as independent ones.
    assert.equal(blockedRatio(a, b.slice(1)).low === null, false);
  });

  it('place a figure against a band: equivalence by the 90 % interval, everything else by the 95 % one', () => {
    const at = (low: number, high: number, inner = 0, band: [number, number] = [0.9, 1.11]) =>
      position({ estimate: (low + high) / 2, low, high, low90: low + inner, high90: high - inner }, ...band);
    assert.equal(at(0.95, 1.05), 'inside');
    assert.equal(at(0.89, 1.05), 'unclear');
    assert.equal(at(0.89, 1.05, 0.02), 'inside');
    assert.equal(at(0.89, 1.05, 0.02, [0.9, Number.POSITIVE_INFINITY]), 'unclear');
    assert.equal(at(0.1, 0.2), 'below');
    assert.equal(at(1.2, 1.3), 'above');
  });

  it('put a robust estimate beside a mean that one trial decides', () => {
    assert.equal(robustBeside([10, 10.1, 9.9, 10.05, 9.95]), null);
    close(robustBeside([10, 10.1, 9.9, 10.05, 9.95, 30])!, 10.05, 0.01);
  });
});

/** Share of 2000 simulated runs whose 95 % and 90 % intervals hold the truth, 1. */
function coverage(
  name: string,
  run: (random: () => number) => Pick<Interval, 'low' | 'high' | 'low90' | 'high90'>,
) {
  const random = randomFrom(name);
  const runs = 2000;
  let [at95, at90] = [0, 0];
  for (let i = 0; i < runs; i++) {
    const { low, high, low90, high90 } = run(random);
    if (low! <= 1 && high! >= 1) at95++;
    if (low90! <= 1 && high90! >= 1) at90++;
  }
  return { at95: at95 / runs, at90: at90 / runs };
}

describe('coverage by simulation', () => {
  /** A two-state machine, as recorded: 1.33 times the cost in a third of the blocks. */
  const state = (random: () => number) => (random() < 1 / 3 ? 1.33 : 1);
  const noisy = (random: () => number, spread = 0.03) => Math.exp(spread * normal(random));
  const trials = (n: number, of: () => number) => Array.from({ length: n }, of);

  // Binomial(2000, 0.95) has a standard deviation of 0.5 %, Binomial(2000, 0.9) of 0.7 %: bounds are four of them.
  const right = ({ at95, at90 }: ReturnType<typeof coverage>, what: string) => {
    assert.ok(at95 > 0.93 && at95 < 0.97, `${what}: 95 % covers ${at95}`);
    assert.ok(at90 > 0.873 && at90 < 0.927, `${what}: 90 % covers ${at90}`);
  };

  for (const n of [3, 5, 10]) {
    it(`of means and ratios over ${n} trials`, () => {
      right(
        coverage(`mean ${n}`, (random) => meanInterval(trials(n, () => noisy(random, 0.2)))),
        'mean',
      );
      const paired = coverage(`paired ${n}`, (random) => {
        const blocks = trials(n, () => state(random));
        const side = () => blocks.map((effect, block) => ({ block, value: effect * noisy(random) }));
        return blockedRatio(side(), side());
      });
      right(paired, 'ratio with block effects');
    });
  }

  it('of a mean whose run stops once its interval is narrow, and only by its width', () => {
    const stopped = coverage('width', (random) => {
      const values = trials(3, () => noisy(random));
      while (values.length < 20 && relativeHalfWidth(meanInterval(values))! > 0.03)
        values.push(noisy(random));
      return meanInterval(values);
    });
    // A narrow interval is the likelier to stop: width alone costs some coverage, looking for a decision would cost 12 % a side.
    assert.ok(stopped.at95 > 0.9, `covers ${stopped.at95}`);
  });

  it('calls cells equal that lie on the bound in at most 5 % of runs', () => {
    const random = randomFrom('equivalence');
    let called = 0;
    for (let i = 0; i < 2000; i++) {
      const blocks = trials(5, () => state(random));
      const side = (level: number) =>
        blocks.map((effect, block) => ({ block, value: level * effect * noisy(random) }));
      if (position(blockedRatio(side(1.11), side(1)), 0.9, 1.11) === 'inside') called++;
    }
    assert.ok(called / 2000 < 0.07, `called equal in ${called} of 2000`);
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
    const trials = levels((x) => 6 + 0.009 * x, xs, 4);
    const { best, intervals } = scalingModel(trials)!;
    close(best.intercept, 6, 0.02);
    close(best.slope, 0.009, 0.02);
    const { slope } = straightLine(trials)!;
    assert.ok(slope!.low < 0.009 && slope!.high > 0.009);
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
    assert.deepEqual([intervals.intercept, intervals.exponent], [null, null]);
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

  it('are null as a figure of a trial with too few replies', () => {
    const p99Of = (count: number) => {
      const sample = syntheticSample({ cell: {}, cpuUs: 10 });
      const open = measured(sample, 'open', 'load')!;
      const latency = { ...open.load.latency, count };
      const measurements = { open: { ...open, load: { ...open.load, latency } } };
      return metric('latency-p99').of({ ...sample, measurements });
    };
    assert.equal(p99Of(39), null);
    assert.equal(p99Of(367), null);
    assert.ok(p99Of(368)! > 0);
  });

  it('come with their interval from counts', () => {
    const counts = { values: [10, 20, 30], counts: [500, 400, 100], total: 1000 };
    assert.deepEqual(percentile(counts, 0.7), { p: 0.7, value: 20, low: 20, high: 20 });
    assert.equal(percentile(counts, 0.9)!.value, 20);
    assert.equal(percentile(counts, 0.9)!.high, 30);
    assert.equal(percentile(counts, 0.9999), null);
  });
});
