/** "epoll or io_uring?": what a run with rows of both says of each server, and what it leaves open. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { analyse } from '../../src/analysis/analyse.js';
import { cellsOf, seriesAlong } from '../../src/analysis/cells.js';
import { contestsOf } from '../../src/analysis/contest.js';
import { knownExperiment } from '../../src/experiments/registry.js';
import { answerInWords } from '../../src/report/answer.js';
import { randomFrom } from '../../src/statistics/random.js';
import type { Sample } from '../../src/trials/sample.js';
import { normal, runInfo, syntheticSample } from '../support/samples.js';

const servers = [
  { impl: 'native', io: null },
  { impl: 'ts', io: 'batch' },
] as const;

/** Cost on the engine over that on epoll. */
type FactorOf = (impl: string, idle: number) => number;

function samplesOf(
  factorOf: FactorOf,
  { blocks = 6, noise = 0.004, idle = [0, 4000, 16_000], backends = ['epoll', 'uring'], seed = 7 } = {},
): Sample[] {
  const random = randomFrom(seed);
  return Array.from({ length: blocks }, (_, block) => {
    // A block is slow or fast as a whole.
    const state = 1 + 0.1 * normal(random);
    return servers.flatMap((server) =>
      backends.flatMap((backend) =>
        idle.map((count, sequence) =>
          syntheticSample({
            cell: { backend, ...server, idle: count, connections: 100 },
            block,
            sequence,
            cpuUs:
              8 *
              state *
              (backend === 'uring' ? factorOf(server.impl, count) : 1) *
              (1 + noise * normal(random)),
          }),
        ),
      ),
    );
  }).flat();
}

const experimentOf = (...asked: Parameters<typeof samplesOf>) =>
  analyse(runInfo(), { samples: samplesOf(...asked), refused: [], notices: [] }).experiments[0]!;

describe('epoll or io_uring?', () => {
  it('calls equal servers different in one run of twenty at most, whatever is asked of it', () => {
    const asked = knownExperiment('idle-connections')!.answers;
    let wrong = 0;
    const runs = 200;
    for (let seed = 1; seed <= runs; seed++) {
      const series = seriesAlong(
        cellsOf(samplesOf(() => 1, { seed, idle: [0, 16_000], noise: 0.02 })),
        'idle',
      );
      const outcomes = contestsOf(asked, series).flatMap(({ bouts }) =>
        bouts.flatMap(({ at }) => at.map(({ outcome }) => outcome)),
      );
      assert.equal(outcomes.length, 8);
      if (outcomes.some((one) => one === 'less' || one === 'more')) wrong += 1;
    }
    // Of 200 at 5 %: 10, with a standard deviation of 3.1.
    assert.ok(wrong <= 16, `${wrong} of ${runs}`);
  });

  it('is answered for each server, by both costs and at both ends of the axis', () => {
    const experiment = experimentOf((impl) => (impl === 'native' ? 0.95 : 1.08));
    const [contest, ...others] = experiment.contests;
    assert.deepEqual(others, []);
    assert.deepEqual(
      contest!.bouts.map(({ series, metric, at }) => [
        series.levels.impl,
        metric.id,
        at.map(({ x, outcome }) => [x, outcome]),
      ]),
      ['native', 'ts'].flatMap((impl) =>
        ['open-cpu-per-request', 'cpu-per-request'].map((metric) => [
          impl,
          metric,
          [0, 16_000].map((x) => [x, impl === 'native' ? 'less' : 'more']),
        ]),
      ),
    );
    for (const { series, at } of contest!.bouts) {
      const factor = series.levels.impl === 'native' ? 0.95 : 1.08;
      for (const { ratio } of at) assert.ok(Math.abs(ratio.estimate / factor - 1) < 0.01);
    }
    const { questions, sentences } = answerInWords(experiment, runInfo())!;
    assert.deepEqual(questions, [
      'epoll or io_uring? What a request costs with io_uring: less (native server), more (TypeScript server, io=batch).',
    ]);
    assert.match(
      sentences[0]!,
      /with io_uring over that with epoll, .*native server × 0\.9\d+ \[.*\] at 0 \(less\), × .* at 16.000 \(less\); TypeScript server/,
    );
  });

  it('says where it depends, and what is the same', () => {
    const { questions, sentences } = answerInWords(
      experimentOf((impl, idle) => (impl === 'native' && idle > 10_000 ? 0.9 : 1)),
      runInfo(),
    )!;
    assert.match(questions[0]!, /: less or as much\.$/);
    assert.match(
      sentences[0]!,
      /native server .* at 0 \(as much\), .* at 16.000 \(less\); TypeScript server.*\(as much\)/,
    );
  });

  it('is left open by too few blocks, and not asked without rows of both', () => {
    const few = experimentOf(() => 0.5, { blocks: 2 });
    assert.match(answerInWords(few, runInfo())!.questions[0]!, /: not resolved\.$/);
    assert.deepEqual(experimentOf(() => 1, { backends: ['epoll'] }).contests, []);
    assert.deepEqual(experimentOf(() => 1, { backends: ['uring', 'poll'] }).contests, []);
  });
});
