/** Requests: the TypeScript parser stays within what it was given, reads the same however it is cut, and as the native one. */
import assert from 'node:assert/strict';
import { COMPLETE, HttpRequest, NEED_MORE, PROCEED, REJECTED } from '../../../servers/http-request.js';
import { httpParse, typescriptParse } from '../../servers/http-rows.js';
import type { Target } from '../engine.js';

/** Requests that were complete, and the status that ended it. */
function outcome(bytes: Buffer, piece: number): { complete: [number, number][]; status: number } {
  const request = new HttpRequest();
  const complete: [number, number][] = [];
  for (let start = 0; start < bytes.length; start += piece) {
    const to = Math.min(bytes.length, start + piece);
    for (let from = start; from < to; from = request.taken) {
      const parsed = request.feed(bytes, from, to);
      assert.ok([NEED_MORE, PROCEED, COMPLETE, REJECTED].includes(parsed));
      // A refusal may take nothing: it is the end.
      const least = parsed === REJECTED ? from : from + 1;
      assert.ok(request.taken >= least && request.taken <= to, `${request.taken} taken of ${from} to ${to}`);
      if (parsed === COMPLETE) complete.push([request.taken, request.flags]);
      if (parsed === REJECTED) return { complete, status: request.status };
    }
  }
  return { complete, status: 0 };
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

export const target: Target = {
  seeds: [
    get,
    'POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc',
    'HEAD * HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
  ].map((text) => Buffer.from(text)),
  words: [
    'Host:',
    'Content-Length: ',
    'Connection: ',
    'Expect: ',
    'close',
    'keep-alive',
    '100-continue',
    'HTTP/1.1',
    '\r\n\r\n',
    get,
  ],
  longest: 10_000,
  stepsPerByte: 300,
  judge(input) {
    const whole = outcome(input, Math.max(1, input.length));
    for (const piece of [1, 7]) assert.deepEqual(outcome(input, piece), whole);
    const cuts = [input.length >> 2, input.length >> 1];
    assert.deepEqual(typescriptParse(input, cuts), httpParse(input, cuts));
    assert.deepEqual(outcome(Buffer.concat([Buffer.from(get), input]), 1 << 20).complete[0]?.[0], get.length);
  },
};
