/** samples.ndjson of a stranger: each line is used or refused with a reason, and a good one before it is kept. */
import assert from 'node:assert/strict';
import { parseSamples } from '../../../src/results/parse.js';
import { syntheticSample } from '../../support/samples.js';
import type { Target } from '../engine.js';

const cell = { backend: 'epoll', impl: 'native', io: null, idle: 0 } as const;
const line = (block: number) =>
  `${JSON.stringify(syntheticSample({ cell: { ...cell }, cpuUs: 6, block, sequence: block }))}\n`;
const good = line(0);
const kept = parseSamples(good).samples[0];
assert.ok(kept);

export const target: Target = {
  seeds: [line(1), line(2), 'null\n', '{"schemaVersion":1}\n'].map((text) => Buffer.from(text)),
  words: [
    '"schemaVersion"',
    '"cell"',
    '"host"',
    '"measurements"',
    '"histogram"',
    '"clockStepNs"',
    '"executionClass"',
    '"__proto__"',
    '{}',
    '[]',
    '"\\u001b[2J"',
  ],
  longest: 20_000,
  stepsPerByte: 500,
  judge(input) {
    const text = good + input.toString('utf8');
    try {
      const { samples, refused } = parseSamples(text);
      assert.deepEqual(samples[0], kept);
      assert.ok(samples.length + refused.length <= text.split('\n').length);
      for (const { reason, cell, line } of refused) {
        assert.ok(line > 1 && reason !== '');
        assert.doesNotMatch(reason + cell, /\p{Cc}/u, 'it is printed');
      }
    } catch (error) {
      // Of another version: the file as a whole is not for us.
      if (
        !/ and this one reads schema version \d+: use the one that wrote it$/.test((error as Error).message)
      )
        throw error;
    }
  },
};
