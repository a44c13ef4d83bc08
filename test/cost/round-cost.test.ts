/** The model of a round gives back the parameters that its rounds were made of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MeasuredRound, roundCost } from '../../src/statistics/round-cost.js';

const grid = (registered: number[], active: number[], blocks = 3): MeasuredRound[] =>
  Array.from({ length: blocks }, (_, block) =>
    registered.flatMap((n) =>
      // Blocks differ by their state, as a machine's do.
      active.map((k) => ({
        block,
        registered: n,
        active: k,
        ns: (200 + 3 * n + 500 * k) * (1 + 0.01 * block),
      })),
    ),
  ).flat();

test('nanoseconds per registered and per active descriptor', () => {
  const model = roundCost(grid([10, 100, 1000], [1, 10, 50]))!;
  assert.ok(Math.abs(model.perRegistered!.estimate - 3.03) < 1e-6, JSON.stringify(model));
  assert.ok(Math.abs(model.perActive!.estimate - 505) < 1e-6);
  assert.ok(Math.abs(model.fixed.estimate - 202) < 1e-6);
  const { low, high } = model.perRegistered!;
  assert.ok(low! < 3.03 && high! > 3.03 && low! > 2.9 && high! < 3.2);
});

test('a number that does not vary has no parameter', () => {
  const model = roundCost(grid([10, 100, 1000], [5]))!;
  assert.equal(model.perActive, null);
  assert.ok(Math.abs(model.perRegistered!.estimate - 3.03) < 1e-6);
  assert.equal(roundCost(grid([10], [5])), null);
});
