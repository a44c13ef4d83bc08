/** Streams of an agent's frames: read or refused in one sentence, the same however they are cut, and good ones first. */
import assert from 'node:assert/strict';
import { encodeFrame } from '../../../src/carriers/frames.js';
import { command, type Report, report } from '../../../src/contract/agent.js';
import { readFrames } from '../../support/read-frames.js';
import type { Target } from '../engine.js';

const pong: Report = { type: 'pong', id: 7, receivedNs: 1, sentNs: 2 };
const good = Buffer.from(encodeFrame(pong));

export const target: Target = {
  seeds: [
    good,
    Buffer.from(encodeFrame({ type: 'ping', id: 3 })),
    Buffer.from(encodeFrame({ type: 'failed', id: 1, reason: 'the port is taken' })),
    Buffer.from(encodeFrame({ type: 'start', id: 1, atNs: 12 }) + encodeFrame({ type: 'bye' })),
  ],
  words: [
    '"type"',
    '"ping"',
    '"pong"',
    '"job"',
    '"result"',
    '"register"',
    '"failed"',
    '"reason"',
    '"id"',
    '\n{',
    '__proto__',
  ],
  longest: 4000,
  stepsPerByte: 2000,
  judge(input) {
    for (const schema of [report, command]) {
      const [frames, refusal] = readFrames(schema, input, Math.max(1, input.length));
      assert.match(refusal, /^$|^not a frame[^\p{Cc}]*$/u);
      for (const piece of [1, 7]) assert.deepEqual(readFrames(schema, input, piece), [frames, refusal]);
    }
    assert.deepEqual(readFrames(report, Buffer.concat([good, input]), 1 << 20)[0][0], pong);
  },
};
