/** Published tables of gateways beside a run's, from cells whose figures are known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExperimentAnalysis } from '../../src/analysis/analyse.js';
import { besidePublished } from '../../src/analysis/beside.js';
import { meanInterval } from '../../src/statistics/interval.js';
import { metric } from '../../src/trials/registry.js';

/** Starts of a gateway, milliseconds, a block each. */
function starts(impl: string, asking: string, ms: readonly number[], host = 'containers') {
  const trials = ms.map((value, block) => ({
    block,
    measurements: { start: { kind: 'start', firstReplyNs: value * 1e6 } },
  }));
  const figure = { metric: metric('first-reply'), interval: meanInterval(ms), values: ms };
  return {
    cell: { levels: { impl, asking }, host: { name: host }, trials },
    figures: new Map([['first-reply', figure]]),
  };
}

const run = (...cells: ReturnType<typeof starts>[]) =>
  [{ name: 'gateway-cold-start', cells }] as unknown as ExperimentAnalysis[];

test('each figure stands beside the published one, and ratios are taken within blocks', () => {
  // Blocks differ twofold, ratios by nothing.
  const [table, ...more] = besidePublished(
    run(
      starts('native_local', 'curl', [10, 20, 40]),
      starts('native_docker', 'curl', [30, 60, 120]),
      starts('native_docker', 'steadily', [1, 1, 1]),
      starts('event_epoll', 'curl', [5, 5, 5]),
    ),
  );
  assert.deepEqual([more.length, table!.host, table!.metric.id], [0, 'containers', 'first-reply']);
  const of = (variant: string) => table!.rows.find((row) => row.variant === variant)!;
  const { theirs, ours } = of('native_docker');
  assert.equal(theirs.value, 3143.39);
  assert.equal(theirs.overNative.toFixed(1), '17.8');
  assert.equal(ours!.overNative.estimate.toFixed(6), '3.000000');
  assert.equal(ours!.value.n, 3);
  assert.equal(of('wasm_host_cli').ours, null);
  assert.equal(table!.rows.length, 5);
});

test('one gateway alone, or none that is native, is no table; hosts have one each', () => {
  assert.deepEqual(besidePublished(run(starts('native_local', 'curl', [1, 2, 3]))), []);
  assert.deepEqual(besidePublished(run(starts('native_docker', 'curl', [1, 2, 3]))), []);
  const both = ['a', 'b'].flatMap((host) =>
    ['native_local', 'native_docker'].map((name) => starts(name, 'curl', [1, 2, 3], host)),
  );
  assert.deepEqual(
    besidePublished(run(...both)).map(({ host }) => host),
    ['a', 'b'],
  );
});
