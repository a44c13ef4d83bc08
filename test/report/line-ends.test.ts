/** Names at the ends of lines stand apart, each as near to its line as the others allow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apart } from '../../src/report/chart.js';

for (const [what, heights, expected] of [
  ['far apart: where they are', [10, 100], [10, 100]],
  ['at one height: around it', [50, 50], [42.5, 57.5]],
  ['too close: around their middle, in their order', [54, 50], [59.5, 44.5]],
  ['three on each other, and one that they push', [50, 50, 50, 66], [31.5, 46.5, 61.5, 76.5]],
  ['none', [], []],
] as const)
  test(what, () => assert.deepEqual(apart(heights, 15), expected));
