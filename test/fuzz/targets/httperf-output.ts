/** What httperf prints: read to figures that are numbers, or refused by the line that is missing. */
import assert from 'node:assert/strict';
import { parseHttperf } from '../../../src/httperf/parse.js';
import { httperfOutput } from '../../support/httperf-output.js';
import type { Target } from '../engine.js';

/** All numbers in it, at any depth. */
const numbers = (value: unknown): number[] => {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbers) : [];
};

export const target: Target = {
  seeds: [Buffer.from(httperfOutput)],
  words: ['Total: connections ', 'Reply rate', ' samples)', 'Errors: ', '.', '..', '1xx='],
  longest: 8000,
  stepsPerByte: 20,
  judge(input) {
    try {
      const figures = numbers(parseHttperf(input.toString('utf8')));
      assert.ok(
        figures.every((figure) => Number.isFinite(figure) && figure >= 0),
        `${figures}`,
      );
    } catch (error) {
      const { message } = error as Error;
      if (!/^httperf's output has no '/.test(message)) throw error;
      assert.doesNotMatch(message, /\p{Cc}/u);
    }
  },
};
