/** How well pairs decide: false alarms, power at what ten minutes allow, equality, and rows from samples. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type AbRow, compareArms } from '../../src/analysis/ab.js';
import { formatAb } from '../../src/report/ab.js';
import { type comparisonFormats, gateFor } from '../../src/report/comparison.js';
import { paired, unitsNeeded } from '../../src/statistics/paired.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';
import { holm } from '../../src/statistics/ranks.js';
import type { Sample } from '../../src/trials/sample.js';
import { host, normal, syntheticSample } from '../support/samples.js';

const level = 0.05;

/** A machine that is 1.33 times as slow for stretches of ten trials on average, as recorded runs show. */
function twoStates(random: Random): () => number {
  let slow = random() < 0.5;
  return () => {
    if (random() < 0.1) slow = !slow;
    return slow ? Math.log(1.33) : 0;
  };
}

/** Logarithms of `rows` figures of pairs of equal trials on it; what is not the machine is 5 % of noise. */
function pairsOn(state: () => number, pairs: number, rows: number, random: Random): number[][] {
  const all = Array.from({ length: rows }, () => [] as number[]);
  for (let pair = 0; pair < pairs; pair++) {
    const [first, second] = [state(), state()];
    const sign = random() < 0.5 ? 1 : -1;
    for (const logs of all) logs.push(sign * (second - first) + 0.05 * Math.SQRT2 * normal(random));
  }
  return all;
}

describe('paired comparison', () => {
  const sets = 2000;
  for (const [machine, stateOf] of [
    ['a steady machine', () => () => 0],
    ['a machine of two states', twoStates],
  ] as const) {
    for (const pairs of [5, 20, 60]) {
      it(`raises an alarm in at most 5 % of ${sets} families of four equal rows, ${pairs} pairs on ${machine}`, (t) => {
        const random = randomFrom(`${machine} ${pairs}`);
        let alarms = 0;
        for (let set = 0; set < sets; set++) {
          const rows = pairsOn(stateOf(random), pairs, 4, random).map((logs) => paired(logs).p);
          if (holm(rows).some((p) => p <= level)) alarms++;
        }
        t.diagnostic(`${((100 * alarms) / sets).toFixed(1)} %`);
        // 5 % and what 2000 draws of it scatter (1.6 standard deviations).
        assert.ok(
          alarms <= sets * level + 1.6 * Math.sqrt(sets * level * (1 - level)),
          `${alarms} of ${sets}`,
        );
      });
    }
  }

  it('calls two equal in at most 5 % of cases where they differ by the margin', () => {
    const random = randomFrom('margin');
    let equal = 0;
    for (let set = 0; set < 1000; set++) {
      const { interval } = paired(Array.from({ length: 30 }, () => Math.log(1.03) + 0.02 * normal(random)));
      if (interval!.high90 < Math.log(1.03)) equal++;
    }
    assert.ok(equal <= 65, `${equal} of 1000`);
  });

  it('has its interval from Student, and none with fewer than three pairs', () => {
    const { interval, p, deviation } = paired([0.1, 0.2, 0.3]);
    // t(0.975, 2) = 4.3027, sd 0.1: half-width 0.24841
    assert.ok(Math.abs(interval!.low - (0.2 - 0.24841)) < 1e-4 && Math.abs(deviation - 0.1) < 1e-12);
    // t = 3.4641 with 2 degrees of freedom
    assert.ok(Math.abs(p - 0.07418) < 1e-4, `${p}`);
    assert.deepEqual([paired([0.1, 0.2]).interval, paired([0.1, 0.2]).p], [null, 1]);
    assert.equal(paired([0, 0, 0]).p, 1);
    assert.equal(paired([1, 1, 1]).p, 0);
    assert.throws(() => paired([]), /at least one pair/);
  });

  for (const deviation of [0.02, 0.1]) {
    it(`says how many pairs decide in nine of ten cases, deviation ${deviation}`, (t) => {
      const margin = 0.03;
      const n = unitsNeeded(deviation, margin);
      const random = randomFrom('needed');
      const share = (of: (logs: number[]) => boolean, true_: number) => {
        let found = 0;
        for (let set = 0; set < 500; set++)
          if (of(Array.from({ length: n }, () => true_ + deviation * normal(random)))) found++;
        return found / 500;
      };
      const equal = share((logs) => {
        const { low90, high90 } = paired(logs).interval!;
        return high90 < Math.log1p(margin) && low90 > -Math.log1p(margin);
      }, 0);
      const different = share((logs) => paired(logs).p <= level, Math.log1p(margin));
      t.diagnostic(`${n} pairs: equal shown in ${100 * equal} %, different in ${100 * different} %`);
      assert.ok(equal >= 0.87 && different >= 0.87 && Math.min(equal, different) <= 0.97);
    });
  }
});

/** Of trials that stood alone on a machine whose states are wide, with short windows. */
function restlessPairs(): { logs: number[]; trialMs: number } {
  const { pairLogs, trialMs } = JSON.parse(readFileSync('test/analysis/recorded-restless.json', 'utf8')) as {
    pairLogs: number[];
    trialMs: number;
  };
  return { logs: pairLogs, trialMs };
}

/** Of trials of one cell of a quieter machine with windows of 0.4 s, in the order they were made. */
function quietPairs(): number[] {
  const { cpuPerRequest } = JSON.parse(readFileSync('test/analysis/recorded.json', 'utf8')) as {
    cpuPerRequest: number[];
  };
  return cpuPerRequest.flatMap((value, i) => (i % 2 ? [Math.log(value / cpuPerRequest[i - 1]!)] : []));
}

describe('a slowdown within ten minutes of measuring', () => {
  const restless = restlessPairs();
  const pairs = Math.floor(600_000 / (2 * restless.trialMs));
  const spread = (logs: readonly number[]) =>
    Math.sqrt(logs.reduce((sum, x) => sum + x * x, 0) / logs.length);
  const power = (logs: readonly number[], slowdown: number) => {
    const random = randomFrom(`power ${slowdown}`);
    const draw = () => (random() < 0.5 ? 1 : -1) * logs[Math.floor(random() * logs.length)]!;
    let found = 0;
    for (let set = 0; set < 400; set++) {
      const { p, mean } = paired(Array.from({ length: pairs }, () => Math.log1p(slowdown) + draw()));
      if (p <= level && mean > 0) found++;
    }
    return found / 400;
  };
  for (const [slowdown, least, from, logs] of [
    [0.6, 0.95, 'the restless machine', restless.logs],
    [0.1, 0.95, 'the restless machine', restless.logs],
    // 3 % asks for more pairs there than ten minutes have, and ab says so.
    [0.03, 0.5, 'the restless machine', restless.logs],
    [0.03, 0.9, 'the quiet machine', quietPairs()],
  ] as const) {
    it(`of ${100 * slowdown} % is found in at least ${100 * least} % with pairs of ${from}`, (t) => {
      const share = power(logs, slowdown);
      const deviation = spread(logs);
      t.diagnostic(
        `${pairs} pairs, deviation ${deviation.toFixed(3)}: ${(100 * share).toFixed(1)} %; nine of ten need ${unitsNeeded(deviation, slowdown)} pairs`,
      );
      assert.ok(share >= least, `${share}`);
    });
  }
});

describe('rows of an A/B run', () => {
  const cell = { backend: 'epoll', impl: 'ts', io: 'batch', idle: 0, connections: 100 };
  const trial = (arm: string, block: number, cpuUs: number, status: Sample['status'] = 'ok'): Sample => ({
    ...syntheticSample({ cell, block, cpuUs, status }),
    host: { ...host, name: arm },
  });
  const noise = [0.01, -0.01, 0.005, -0.005, 0.002, -0.002, 0.008, -0.008];
  /** The machine's state differs from block to block far more than the arms do. */
  const run = (slower: number, pairs = noise.length) =>
    noise.slice(0, pairs).flatMap((by, block) => {
      const state = block % 2 ? 8 : 6;
      return [trial('baseline', block, state), trial('candidate', block, state * slower * (1 + by))];
    });
  const compared = (samples: Sample[]) =>
    compareArms(
      samples,
      ({ host: { name }, cell: levels }) => ({ arm: name as 'baseline' | 'candidate', levels }),
      { chosen: ['cpu-per-request'], margin: 0.03, baseline: 'A', candidate: 'B' },
    );

  for (const [slower, pairs, verdict, gate] of [
    [1.05, 8, 'slower', 'failed'],
    [0.9, 8, 'faster', 'passed'],
    [1, 8, 'equal', 'passed'],
    [1.02, 3, 'not resolved', 'not resolved'],
    [3, 2, 'not resolved', 'not resolved'],
  ] as const) {
    it(`say '${verdict}' of a factor of ${slower} in ${pairs} pairs, and the gate is ${gate} in every form`, () => {
      const ab = compared(run(slower, pairs));
      const row: AbRow = ab.rows[0]!;
      assert.deepEqual([row.verdict, row.pairs], [verdict, pairs]);
      assert.equal(row.pairsNeeded === null, verdict !== 'not resolved');
      const judged = gateFor('slower<3%', ab.rows);
      assert.equal(judged.outcome, gate);
      const of = (format: (typeof comparisonFormats)[number]) => formatAb(ab, format, judged);
      assert.equal(JSON.parse(of('json')).rows[0].gate.outcome, gate);
      assert.equal(/<failure /.test(of('junit')), gate === 'failed');
      assert.equal(/<error [^>]*pairs would decide/.test(of('junit')), gate === 'not resolved');
      assert.equal(/about \d+ pairs would decide/.test(of('markdown')), gate === 'not resolved');
      const table = of('terminal').split('\n');
      assert.ok(table.filter((line) => /^[│┌]/.test(line)).every((line) => line.length <= 100));
    });
  }

  it('leave out pairs of which one half does not count', () => {
    const samples = [
      ...run(1),
      trial('baseline', 20, 6),
      trial('candidate', 20, 60, 'invalid'),
      trial('baseline', 21, 6),
    ];
    const { rows, lost } = compared(samples);
    assert.deepEqual([rows[0]!.pairs, lost], [8, 2]);
    assert.deepEqual(compared([trial('baseline', 0, 6)]).rows, []);
  });
});
