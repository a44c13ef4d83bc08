/** Readers with faults that the fuzzer has to find, each behind something that chance alone does not pass. */
import type { Target } from './engine.js';

const planted = (judge: Target['judge']): Target => ({
  seeds: [Buffer.from('hello')],
  words: ['F', 'U', 'Z'],
  longest: 100,
  stepsPerByte: 10,
  judge,
});

/** Four bytes at their places, found one after the other because each opens a block of its own. */
export const throws = planted((input) => {
  if (input[0] === 0x46) {
    if (input[1] === 0x55) {
      if (input[2] === 0x5a) {
        if (input[3] === 0x5a) throw new Error('planted');
      }
    }
  }
});

export const hangs = planted((input) => {
  while (input[0] === 0x46);
});

export const neverAnswers = planted((input) => (input[0] === 0x46 ? new Promise(() => {}) : undefined));

/** Steps that grow with the square of its length. */
export const slow = planted((input) => {
  let sum = 0;
  for (const a of input) for (const b of input) for (let i = 0; i < 100; i++) sum += a * b;
  return void sum;
});
