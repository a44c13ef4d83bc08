/** The published table of offloading beside a run's, from cells whose figures are known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Analysis, ExperimentAnalysis } from '../../src/analysis/analyse.js';
import { besideOffload, publishedOffload } from '../../src/analysis/beside-offload.js';
import { referenceSection } from '../../src/report/references.js';
import { meanInterval } from '../../src/statistics/interval.js';
import { metric } from '../../src/trials/registry.js';

/** Tasks a second, a block each. */
function ran(levels: object, rates: readonly number[], host = 'local') {
  const trials = rates.map((tasks, block) => ({
    block,
    measurements: { offload: { kind: 'offload', offload: { tasks, elapsedNs: 1e9 } } },
  }));
  const figure = { metric: metric('offload-rate'), interval: meanInterval(rates), values: rates };
  return {
    cell: {
      levels: { backend: null, io: null, providers: 1, workers: 2, ...levels },
      host: { name: host },
      trials,
    },
    figures: new Map([['offload-rate', figure]]),
  };
}
const page = { impl: 'browser', transport: 'webtransport' };
const run = (...cells: ReturnType<typeof ran>[]) =>
  [{ name: 'offload', cells }] as unknown as ExperimentAnalysis[];

test('published systems have both tasks, and the ratio of their rates', () => {
  assert.equal(publishedOffload.length, 8);
  const smallest = publishedOffload.filter(({ on }) => on === '4 machines');
  assert.deepEqual(
    smallest.map(({ who, ratio, failures }) => [who, ratio!.toFixed(1), failures]),
    [
      ['wasimoff', '9.4', 0],
      ['serverledge', '27.0', 1675],
    ],
  );
});

test('a run has a row for each way and transport, with ratios within blocks', () => {
  const [table, ...more] = besideOffload(
    run(
      ran({ ...page, task: 'tsp-8' }, [100, 200, 400]),
      ran({ ...page, task: 'tsp-10' }, [10, 20, 40]),
      ran({ ...page, task: 'noop' }, [1, 1, 1]),
      ran({ impl: 'native', transport: null, task: 'tsp-10' }, [7, 7, 7]),
    ),
  );
  assert.equal(more.length, 0);
  const [first, second] = table!.ours;
  assert.deepEqual([first!.who, first!.on], ['browser webtransport', 'providers 1, workers 2']);
  assert.equal(first!.ratio!.estimate.toFixed(6), '10.000000');
  assert.deepEqual([second!.who, second!.rates['tsp-8'], second!.ratio], ['native', null, null]);
});

test('the report has both, and neither where nothing was offloaded', () => {
  const section = (experiments: ExperimentAnalysis[]) =>
    referenceSection({ run: null, experiments } as unknown as Analysis).text;
  const shown = section(run(ran({ ...page, task: 'tsp-8' }, [100, 200, 400])));
  assert.match(shown, /<span class="soft">serverledge<\/span>/);
  assert.match(shown, /<td>browser webtransport<\/td>/);
  assert.doesNotMatch(section(run(ran({ ...page, task: 'noop' }, [1, 2, 3]))), /serverledge/);
  assert.doesNotMatch(section([]), /serverledge/);
});
