/** run.json of a stranger: read, or refused in one sentence that can be printed. */
import assert from 'node:assert/strict';
import { parseInfo } from '../../../src/results/info.js';
import { runInfo } from '../../support/samples.js';
import type { Target } from '../engine.js';

const good = JSON.stringify(runInfo());

export const target: Target = {
  seeds: [good, '{}', 'null', '[]', '{"schemaVersion":1}'].map((text) => Buffer.from(text)),
  words: [
    '"schemaVersion"',
    '"versions"',
    '"dispatchbench"',
    '"plan"',
    '"hosts"',
    '"seed"',
    '{}',
    '[]',
    '"../../x"',
    '"\\u001b[2J"',
  ],
  longest: 8000,
  stepsPerByte: 500,
  judge(input) {
    try {
      parseInfo(input.toString('utf8'), 'run.json');
    } catch (error) {
      assert.equal((error as Error).constructor, Error);
      assert.match((error as Error).message, /^run\.json[^\p{Cc}]+$/u);
    }
  },
};
