/** Replies of an upstream: read the same however they are cut, refused in one sentence, and within their bounds. */
import assert from 'node:assert/strict';
import { MOST_BODY } from '../../../gateways/node/forward.js';
import { Refusal } from '../../../gateways/node/refusal.js';
import { ReplyReader } from '../../../gateways/node/reply-reader.js';
import type { Target } from '../engine.js';

/** What the gateway would pass on of a stream that arrives in pieces and then ends. */
function outcome(bytes: Buffer, piece: number) {
  const reader = new ReplyReader();
  try {
    for (let at = 0; at < bytes.length; at += piece) {
      const reply = reader.take(bytes.subarray(at, at + piece));
      if (reply !== null) return { ...reply, body: reply.body.toString('latin1') };
    }
    const reply = reader.finish();
    return { ...reply, body: reply.body.toString('latin1') };
  } catch (error) {
    assert.ok(error instanceof Refusal, `${error}`);
    return { status: error.status };
  }
}

const sized = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nT: t\r\n\r\n';

export const target: Target = {
  seeds: [
    sized,
    chunked,
    'HTTP/1.0 404 Not Found\r\n\r\nto the end',
    `HTTP/1.1 100 Continue\r\n\r\n${sized}`,
    'HTTP/1.1 204 No Content\r\n\r\n',
  ].map((text) => Buffer.from(text)),
  words: [
    'HTTP/1.1 200 OK\r\n',
    'Content-Length: ',
    'Content-Type: ',
    'Transfer-Encoding: chunked',
    '\r\n\r\n',
    '0\r\n\r\n',
    'ffffffff\r\n',
    '99999999',
  ],
  longest: 10_000,
  stepsPerByte: 300,
  judge(input) {
    const whole = outcome(input, Math.max(1, input.length));
    if ('body' in whole) assert.ok(whole.body.length <= Math.min(MOST_BODY, input.length));
    for (const piece of [1, 7]) assert.deepEqual(outcome(input, piece), whole);
    const behind = outcome(Buffer.concat([Buffer.from(sized), input]), 1 << 20);
    assert.equal('body' in behind && behind.body, 'hello');
  },
};
