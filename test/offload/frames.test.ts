/** Messages on a stream of bytes, however it is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Frames, frameOf } from '../../src/offload/frames.js';

const texts = ['', 'a', 'hellö ✓', 'x'.repeat(70_000), '', '{}'];
const whole = Buffer.concat(texts.map(frameOf));

for (const size of [1, 2, 3, 5, 1000, 65_536, whole.length])
  test(`frames in pieces of ${size} bytes are the messages that went in`, () => {
    const frames = new Frames(1 << 20);
    const found: string[] = [];
    for (let at = 0; at < whole.length; at += size) found.push(...frames.push(whole.subarray(at, at + size)));
    assert.deepEqual(found, texts);
  });

test('a message that is announced larger than it may be is refused at once', () => {
  const frames = new Frames(10);
  assert.deepEqual(frames.push(frameOf('x'.repeat(10))), ['x'.repeat(10)]);
  assert.throws(() => frames.push(frameOf('x'.repeat(11)).subarray(0, 4)), /more than 10 bytes/);
});
