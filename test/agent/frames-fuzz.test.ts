/** Frames of a protocol, mutated and cut anywhere: each is read or refused in one sentence, the same however it arrives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { encodeFrame } from '../../src/carriers/frames.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';
import { readFrames } from '../support/read-frames.js';

const schema = z.strictObject({
  frame: z.enum(['ping', 'result']),
  id: z.int(),
  values: z.array(z.number()),
});
const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1));
const hostileWords = [
  '\n',
  '\0',
  '"',
  '{',
  ']',
  '1e999',
  '-0',
  '\ud800',
  '__proto__',
  '\u001b[2J',
  ' '.repeat(300),
];

function mutated(random: Random): Buffer {
  let text = '';
  for (let frames = upTo(random, 4); frames >= 0; frames--) {
    text += encodeFrame({ frame: 'ping', id: upTo(random, 9), values: [random()] });
  }
  for (let changes = upTo(random, 2); changes > 0; changes--) {
    const at = upTo(random, text.length);
    const word = hostileWords[upTo(random, hostileWords.length - 1)]!;
    text = text.slice(0, at) + word + text.slice(at + upTo(random, 3));
  }
  return Buffer.from(text);
}

const seed = 1 + Math.floor(Math.random() * 1e9);
test(`2000 mutated streams of frames, seed ${seed}`, () => {
  const random = randomFrom(seed);
  for (let i = 0; i < 2000; i++) {
    const bytes = mutated(random);
    const [frames, refusal] = readFrames(schema, bytes, bytes.length);
    assert.match(refusal, /^$|^not a frame/, `stream ${i} of seed ${seed}`);
    for (const piece of [1, 7]) {
      const [cutFrames, cutRefusal] = readFrames(schema, bytes, piece);
      assert.equal(cutRefusal, refusal, `stream ${i} of seed ${seed}`);
      assert.deepEqual(cutFrames, frames, `stream ${i} of seed ${seed}`);
    }
  }
});
