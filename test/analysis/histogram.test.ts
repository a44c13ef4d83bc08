/** Payloads of histograms that a stranger wrote. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { decodeHistogram } from '../../src/statistics/histogram.js';

/** A compressed payload of counts, whose header says that they are `said` bytes. */
function payload(counts: Buffer, said = counts.length, cookie = 0x1c849303): string {
  const header = Buffer.alloc(40);
  header.writeUInt32BE(cookie, 0);
  header.writeUInt32BE(said, 4);
  header.writeUInt32BE(3, 12);
  header.writeBigUInt64BE(1n, 16);
  const inner = deflateSync(Buffer.concat([header, counts]));
  const outer = Buffer.alloc(8);
  outer.writeUInt32BE(0x1c849304, 0);
  outer.writeUInt32BE(inner.length, 4);
  return Buffer.concat([outer, inner]).toString('base64');
}

test('a payload is read by its cells', () => {
  // No value of 0, three of 1 (zig-zag: -1 skips one cell, 6 is a count of 3).
  assert.deepEqual(decodeHistogram(payload(Buffer.from([1, 6]))), { values: [1], counts: [3], total: 3 });
});

for (const [what, text, fault] of [
  ['no histogram', 'AAAA', /not a compressed/],
  ['something else compressed', payload(Buffer.of(1, 6), 2, 7), /not a V2/],
  ['counts that are not there', payload(Buffer.of(1, 6), 3), /cut short/],
  ['a payload of 2 GiB', payload(Buffer.of(1, 6), 0x7fff_ffff), /cut short/],
  ['64 MiB in some 64 KiB', payload(Buffer.alloc(64 << 20)), /larger than/],
] as const) {
  test(`${what} is refused`, () => assert.throws(() => decodeHistogram(text), fault));
}
