import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Analysis, analyse } from '../../src/analysis/analyse.js';
import { compareRuns } from '../../src/analysis/compare.js';
import { rowConditions } from '../../src/analysis/gate.js';
import { trends } from '../../src/analysis/history.js';
import { comparisonFormats, formatComparison, gateFor } from '../../src/report/comparison.js';
import { randomFrom } from '../../src/statistics/random.js';
import { metric } from '../../src/trials/registry.js';
import type { Sample } from '../../src/trials/sample.js';
import { host, idleRun, runInfo, syntheticSample, udpSample } from '../support/samples.js';

const analysed = (samples: Sample[]): Analysis => analyse(runInfo(), { samples, refused: [], notices: [] });

/** A cell's trials; `slower` multiplies the cost. */
function cells(costs: number[], slower = 1): Sample[] {
  return costs.map((cpuUs, block) =>
    syntheticSample({
      cell: { backend: 'epoll', impl: 'native', io: null, idle: 0, connections: 100 },
      block,
      cpuUs: cpuUs * slower,
    }),
  );
}

describe('comparison of runs', () => {
  const random = randomFrom('recorded');
  const { cpuPerRequest: recorded } = JSON.parse(readFileSync('test/analysis/recorded.json', 'utf8')) as {
    cpuPerRequest: number[];
  };
  const draw = (n: number) =>
    Array.from({ length: n }, () => recorded[Math.floor(random() * recorded.length)]!);
  /** Two groups of different trials. */
  const drawTwo = (n: number): [number[], number[]] => {
    const order = recorded.map((value) => ({ value, key: random() })).sort((a, b) => a.key - b.key);
    const values = order.map(({ value }) => value);
    return [values.slice(0, n), values.slice(n, 2 * n)];
  };
  const change = (a: number[], b: number[], slower = 1) =>
    compareRuns(analysed(cells(a)), analysed(cells(b, slower)), ['cpu-per-request']).rows[0]!;

  it('calls identical cells different in at most 5 % of 200 draws from a recorded run of 120 trials', () => {
    let different = 0;
    for (let i = 0; i < 200; i++) if (change(...drawTwo(10)).change !== '~') different++;
    assert.ok(different <= 10, `${different} of 200`);
  });

  it('finds a slowdown of 3 % in at least 90 % of 50 cases with 15 trials', () => {
    let found = 0;
    for (let i = 0; i < 50; i++) {
      const row = change(...drawTwo(15), 1.03);
      if (row.change === 'worse') found++;
    }
    assert.ok(found >= 45, `${found} of 50`);
  });

  it('brings an injected shift back inside its interval', () => {
    const { shift, low, high, effect } = change(draw(20), draw(20), 1.1);
    assert.ok(low < 0.1 && high > 0.1 && Math.abs(shift - 0.1) < 0.02 && effect > 0.9);
  });

  it('names what cannot be shown for want of trials', () => {
    const row = change([1, 2, 3], [10, 11, 12]);
    assert.equal(row.change, '~');
    assert.equal(row.hopeless, true);
    assert.ok(row.confidence < 0.95);
  });

  it('corrects for the number of cells', () => {
    const row = compareRuns(analysed(idleRun({ trials: 5 })), analysed(idleRun({ trials: 5, seed: 2 }))).rows;
    for (const { p, hopeless } of row)
      assert.ok(p > 0.05 && hopeless, 'five trials cannot show anything in forty cells');
  });

  it('corrects for the number of metrics, so that fewer of them show more', () => {
    const [a, b] = [analysed(cells([6.1, 6.2, 6.3, 6.4])), analysed(cells([7.1, 7.2, 7.3, 7.4]))];
    const [among] = compareRuns(a, b).rows.filter(({ metric: { id } }) => id === 'cpu-per-request');
    assert.equal(among!.change, '~');
    assert.equal(among!.hopeless, true);
    const alone = compareRuns(a, b, ['cpu-per-request']).rows;
    assert.deepEqual(
      alone.map(({ change }) => change),
      ['worse'],
    );
  });

  it('puts differences of the environment first and leaves cells apart that differ in a factor', () => {
    const b = analysed(idleRun({ idle: [0, 1000, 2000] }));
    b.samples[0]!.host = { ...host, kernel: 'Linux 6.9.0' };
    const comparison = compareRuns(analysed(idleRun()), b);
    assert.deepEqual(comparison.environment, [{ what: 'kernel', a: 'Linux 6.1.0', b: 'Linux 6.9.0' }]);
    assert.ok(comparison.unmatched.some(({ run, cell }) => run === 'A' && cell.includes('idle=16000')));
    assert.ok(comparison.unmatched.some(({ run, cell }) => run === 'B' && cell.includes('idle=2000')));
    const text = formatComparison(comparison, 'terminal', null);
    assert.match(text.split('\n')[0]!, /^! kernel differs/);
  });

  it('refuses runs without a common cell and of different classes', () => {
    const none = analysed(idleRun({ idle: [7] }));
    assert.throws(
      () => compareRuns(analysed(idleRun()), none),
      /no cell of A exists in B: every one differs/,
    );
    const emulated = idleRun().map((sample) => ({
      ...sample,
      host: { ...host, executionClass: 'emulated' as const },
    }));
    assert.throws(() => compareRuns(analysed(idleRun()), analysed(emulated)), /compared only within a class/);
  });

  it('prints every format, at most 100 columns in a terminal', () => {
    const comparison = compareRuns(analysed(cells(draw(12))), analysed(cells(draw(12), 1.2)));
    const gate = gateFor('slower<3%', comparison.rows);
    const of = Object.fromEntries(
      comparisonFormats.map((format) => [format, formatComparison(comparison, format, gate)]),
    );
    const table = of.terminal!.split('\n').filter((line) => /^[│┌├└]/.test(line));
    assert.ok(table.length > 0 && table.every((line) => line.length <= 100));
    assert.match(of.markdown!, /\| epoll · native, idle 0, connections 100 \|/);
    assert.ok(JSON.parse(of.json!).rows.some((row: { fails: boolean }) => row.fails));
    assert.match(of.junit!, /<testsuite [^>]*failures="[1-9]/);
    assert.match(of.benchstat!, /^Benchmarkidle-connections\/run=A\/backend=epoll\/.* 1 [\d.]+ req\/s$/m);
    assert.equal(of['node-csv']!.split('\n')[0], '"binary", "filename", "configuration", "rate", "time"');
    const smaller = JSON.parse(of.customSmallerIsBetter!) as { name: string; range: string; value: number }[];
    const bigger = JSON.parse(of.customBiggerIsBetter!) as { name: string }[];
    assert.equal(smaller.length + bigger.length, comparison.rows.length);
    assert.ok(smaller.some(({ name }) => /backend=epoll.* CPU per request/.test(name)));
    assert.ok(smaller.every(({ value, range }) => value > 0 && /^± [\d.e-]+$/.test(range)));
    const samples = of.prometheus!.split('\n').filter((line) => !line.startsWith('# '));
    for (const line of samples)
      assert.match(line, /^dispatchbench_\w+\{[a-z_]+="[^"]*"(,\w+="[^"]*")*\} -?[\d.e-]+$/);
    assert.ok(samples.some((line) => /_figure\{.*backend="epoll".*side="B"\}/.test(line)));
    assert.ok(samples.includes('dispatchbench_threshold{condition="slower<3%"} 1'));
    assert.match(of['node-csv']!, /^"new", "idle-connections", "backend=epoll .*", [\d.]+, [\d.e-]+$/m);
  });

  it('reads failure conditions', () => {
    const row = change(draw(12), draw(12), 1.1);
    for (const [text, outcome] of [
      ['slower<3%', 'failed'],
      ['slower <= 30 %', 'passed'],
      ['faster<1%', 'passed'],
      ['unchanged', 'failed'],
      ['cpu-per-request<+3%', 'failed'],
      ['cpu_per_request<+30%', 'passed'],
      ['cpu-per-request>-1%', 'passed'],
      ['cpu-per-request<-5%', 'failed'],
      ['cpu-per-request>+5%', 'passed'],
      ['cpu-per-request>+10%', 'not resolved'],
    ] as const)
      assert.equal(rowConditions(text)[0]!.row(row)?.outcome, outcome, text);
    assert.equal(rowConditions('throughput>-3%')[0]!.row(row), null, 'it speaks of another metric');
    for (const text of ['bigger', 'slower<3', 'slower>3%', 'slower<-3%', 'charm<+1%', 'p99<5ms', 'slower=3%'])
      assert.throws(() => rowConditions(text), /write|share|upper bound/, text);
  });
});

describe('a condition on separate runs', () => {
  const few = [6.1, 6.2, 6.3];
  const many = [...few, 6.15, 6.25, 6.35, 6.12, 6.22, 6.32, 6.17, 6.27, 6.37];
  const outcomes: [string, number[], number, string][] = [
    ['60 % slower, three trials', few, 1.6, 'not resolved'],
    ['60 % slower, twelve trials', many, 1.6, 'failed'],
    ['equal, three trials', few, 1, 'not resolved'],
    ['equal, twelve trials', many, 1, 'passed'],
  ];
  for (const [what, costs, slower, outcome] of outcomes) {
    it(`is ${outcome} when ${what}, in every form alike`, () => {
      const comparison = compareRuns(analysed(cells(costs)), analysed(cells(costs, slower)));
      const gate = gateFor('slower<3%', comparison.rows);
      assert.equal(gate.outcome, outcome);
      assert.equal((gate.summaries[0]!.needed ?? 0) > costs.length, outcome === 'not resolved');
      const of = (format: (typeof comparisonFormats)[number]) => formatComparison(comparison, format, gate);
      assert.equal(JSON.parse(of('json')).outcome, outcome);
      assert.equal(/<error message="[^"]*about \d+ trials/.test(of('junit')), outcome === 'not resolved');
      assert.equal(/<failure /.test(of('junit')), outcome === 'failed');
      for (const format of ['terminal', 'markdown'] as const) {
        const said = {
          failed: / does not hold in /,
          passed: / holds in all of /,
          'not resolved': /about \d+ trials in either/,
        };
        assert.match(of(format), said[outcome as keyof typeof said]);
        assert.match(of(format), /'dispatchbench ab'/);
      }
    });
  }
});

describe('comparison of losses', () => {
  /** Trials of one cell that sent 1000 datagrams each. */
  const losing = (lost: number[]) =>
    analysed(
      lost.map((count, block) =>
        udpSample({ backend: 'epoll', ports: 10, offered: 1000, cpuUs: 6, block, lost: count }),
      ),
    );
  const none = (trials: number) => new Array<number>(trials).fill(0);
  const some = [10, 20, 30, 40, 50];
  const lossRow = (a: number[], b: number[]) =>
    compareRuns(losing(a), losing(b)).rows.find(({ metric: { id } }) => id === 'loss-rate');

  it('is by difference, in percentage points, corrected over all rows', () => {
    const comparison = compareRuns(losing(none(5)), losing(some));
    assert.deepEqual(
      comparison.rows.map(({ metric: { id } }) => id),
      ['open-cpu-per-request', 'latency-p50', 'latency-p99', 'loss-rate'],
    );
    const row = comparison.rows.at(-1)!;
    // Every one of B is above every one of A: 2 of the 10 over 5 arrangements are as far apart.
    const p = 2 / 252;
    assert.ok(Math.abs(row.p - 4 * p) < 1e-12, `${row.p}`);
    assert.deepEqual([row.scale, row.shift, row.effect, row.change], ['difference', 3, 1, 'worse']);
    assert.deepEqual([row.low, row.high], [1, 5]);
    assert.equal(lossRow(some, none(5))!.change, 'better');
    assert.equal(lossRow(some, some)!.change, '~');
  });

  it('is worse when less than half of the trials lose some, although the median difference is 0', () => {
    const row = lossRow(none(20), [...none(11), ...new Array<number>(9).fill(10)])!;
    // All nine on one side: 2 C(20, 9) / C(40, 9).
    assert.ok(Math.abs(row.p - 4 * ((2 * 167_960) / 273_438_880)) < 1e-12, `${row.p}`);
    assert.deepEqual([row.shift, row.change], [0, 'worse']);
  });

  it('is left out where neither run lost any, and where there are no datagrams', () => {
    assert.equal(lossRow(none(5), none(5)), undefined);
    const tcp = analysed(cells([6, 7, 8]));
    assert.ok(compareRuns(tcp, tcp).rows.every(({ scale }) => scale === 'ratio'));
  });

  it('has a condition of its own, and its points in every format', () => {
    const comparison = compareRuns(losing(none(5)), losing(some));
    const row = comparison.rows.at(-1)!;
    const fails = (text: string) => rowConditions(text)[0]!.row(row)?.outcome === 'failed';
    assert.deepEqual(['loss<+2.9%', 'loss<3pp', 'slower<0%', 'unchanged'].map(fails), [
      true,
      false,
      false,
      true,
    ]);
    const of = (format: (typeof comparisonFormats)[number]) =>
      formatComparison(comparison, format, gateFor('loss<+1%', comparison.rows));
    assert.match(of('terminal'), /Datagrams lost \(%\)/);
    assert.match(of('markdown'), /\| Datagrams lost \(%\) \| 0 \| 3 \| \+3 pp \[\+1 pp, \+5 pp\] \|/);
    assert.equal(JSON.parse(of('json')).rows.at(-1).scale, 'difference');
    assert.match(of('junit'), /failures="1".*\n(.*\n)*.*loss-rate"><failure message=/);
    assert.match(of('benchstat'), /^Benchmarkudp-ports\/run=B\/\S+ 1 5 loss-rate-%$/m);
    assert.equal(of('node-csv').split('\n').length, 1, 'rates only');
  });
});

describe('history', () => {
  it('follows a cell over runs and finds where it changed', () => {
    const runs = Array.from({ length: 12 }, (_, i) => ({
      id: `run-${i}`,
      startedAt: `2026-01-${10 + i}T00:00:00Z`,
      samples: idleRun({ trials: 3, seed: i + 1, impls: ['native'], backends: ['epoll'], idle: [0] }).map(
        (sample) => (i < 7 ? sample : syntheticSample({ cell: sample.cell, cpuUs: 8 + 0.02 * (i % 3) })),
      ),
    }));
    const [trend] = trends(runs.reverse(), metric('cpu-per-request'));
    assert.deepEqual(
      trend!.points.map(({ run }) => run),
      Array.from({ length: 12 }, (_, i) => `run-${i}`),
    );
    assert.deepEqual(
      trend!.changes.map(({ run }) => run),
      ['run-7'],
    );
    assert.ok(trend!.changes[0]!.after > trend!.changes[0]!.before);
    assert.deepEqual(
      trends(runs.slice(0, 1), metric('cpu-per-request'))[0]!.changes,
      [],
      'one run has no trend',
    );
  });
});
