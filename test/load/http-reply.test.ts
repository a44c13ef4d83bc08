/** HTTP replies as the load client reads them: every case whole, byte by byte, and cut at every place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../src/statistics/random.js';
import { parts } from './parts.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const dated = (second: number) => `HTTP/1.1 200 OK\r\nDate: 0${second}\r\nContent-Length: 5\r\n\r\nhello`;
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhe\r\n003;x=y\r\nllo\r\n0\r\nTrailer: t\r\n\r\n';
const long = `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(300)}\r\ncontent-length:5\r\n\r\nhello`;

interface Case {
  replies: string;
  ended?: boolean;
  verdicts: string[];
}

const cases: Record<string, Case> = {
  'one reply': { replies: ok, verdicts: ['good'] },
  'the same reply again and again': { replies: ok.repeat(4), verdicts: ['good', 'good', 'good', 'good'] },
  'another Date': {
    replies: dated(1) + dated(1) + dated(2) + dated(2),
    verdicts: ['good', 'good', 'good', 'good'],
  },
  'chunked like sized: framing is no content': {
    replies: ok + chunked + ok,
    verdicts: ['good', 'good', 'good'],
  },
  'header lines longer than are kept': { replies: long + ok, verdicts: ['good', 'good'] },
  'an interim reply before the final one': {
    replies: `HTTP/1.1 100 Continue\r\n\r\n${ok}`,
    verdicts: ['good'],
  },
  'no content': { replies: 'HTTP/1.1 204 No Content\r\n\r\n'.repeat(2), verdicts: ['good', 'good'] },
  'another body of the same length': {
    replies: ok + ok.replace('hello', 'hullo') + ok,
    verdicts: ['good', 'mismatch', 'good'],
  },
  'a shorter body': {
    replies: ok + ok.replace('5\r\n\r\nhello', '4\r\n\r\nhell') + ok,
    verdicts: ['good', 'mismatch', 'good'],
  },
  'an error status': {
    replies: `${ok}HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno${ok}`,
    verdicts: ['good', 'status', 'good'],
  },
  'a body that ends with the stream': {
    replies: 'HTTP/1.0 200 OK\r\n\r\nhello',
    ended: true,
    verdicts: ['good'],
  },
  'a stream that ends in a header': {
    replies: 'HTTP/1.1 200 OK\r\nContent-',
    ended: true,
    verdicts: ['broken'],
  },
  'a stream that ends in a sized body': { replies: ok.slice(0, -1), ended: true, verdicts: ['broken'] },
  'no HTTP at all': { replies: 'SSH-2.0-x\r\n', verdicts: ['broken'] },
  'a status that is no number': { replies: 'HTTP/1.1 2x0 OK\r\n\r\n', verdicts: ['broken'] },
  'two lengths that differ': {
    replies: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    verdicts: ['broken'],
  },
  'a length that is no number': {
    replies: 'HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n',
    verdicts: ['broken'],
  },
  'a chunk size that is no number': {
    replies: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    verdicts: ['broken'],
  },
  'a chunk longer than it says': {
    replies: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n',
    verdicts: ['broken'],
  },
  'a header without an end': {
    replies: `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`,
    verdicts: ['broken'],
  },
};

for (const [name, { replies, ended = false, verdicts }] of Object.entries(cases)) {
  test(`http reply: ${name}`, () => {
    const bytes = Buffer.from(replies);
    assert.deepEqual(parts.readReplies([bytes], ended), verdicts, 'whole');
    assert.deepEqual(
      parts.readReplies(
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
        ended,
      ),
      verdicts,
      'byte by byte',
    );
    for (let cut = 1; cut < Math.min(bytes.length, 400); cut++) {
      assert.deepEqual(
        parts.readReplies([bytes.subarray(0, cut), bytes.subarray(cut)], ended),
        verdicts,
        `cut at ${cut}`,
      );
    }
  });
}

test('http reply: any garbage is judged and never read beyond', () => {
  const random = randomFrom(11);
  const below = (limit: number) => Math.floor(random() * limit);
  const template = Buffer.from(ok + chunked);
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(template);
    for (let change = 0; change < 3; change++) bytes[below(bytes.length)] = below(256);
    const verdicts = parts.readReplies([bytes.subarray(0, below(bytes.length)), bytes], true);
    for (const verdict of verdicts) assert.match(verdict, /^(good|mismatch|status|broken)$/);
  }
});
