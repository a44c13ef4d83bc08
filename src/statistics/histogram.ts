/**
 * Reads HdrHistogram V2 payloads (compressed, base64) into plain value/count pairs. A run holds thousands of them and
 * hdr-histogram-js unfolds each into its full array of counters; only the non-empty cells matter here.
 */
import { inflateSync } from 'node:zlib';
import type { Counts } from './percentiles.js';

const compressedCookie = 0x1c849304;
const plainCookie = 0x1c849303;
/** Bits 4 to 7 of a cookie tell the word size, which V2 does not use. */
const cookieOf = (bytes: Buffer) => (bytes.readUInt32BE(0) & ~0xf0) >>> 0;
const headerBytes = 40;
/** What the format allows. */
const mostDigits = 5;
const mostValue = 2 ** 63;
/** Far more than one of three digits over all times a program may take; a payload beyond it is no measurement of ours. */
const mostBytes = 512 << 10;

/** Zig-zag LEB128 with at most nine bytes; advances `at.offset`. */
function readNumber(bytes: Buffer, at: { offset: number }): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at.offset++]!;
    // The ninth byte carries all of its eight bits.
    value += (i === 8 ? byte : byte & 0x7f) * scale;
    if (i === 8 || byte < 0x80) break;
    scale *= 128;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/**
 * Decodes one histogram; values are the highest equivalent of each cell, as HdrHistogram's own percentiles report.
 * @throws Error when it is none, is cut short, unfolds to more than 512 KiB, or holds what no histogram can
 */
export function decodeHistogram(text: string): Counts {
  const outer = Buffer.from(text, 'base64');
  if (outer.length < 8 || cookieOf(outer) !== compressedCookie) {
    throw new Error('not a compressed V2 HdrHistogram');
  }
  const bytes = inflateSync(outer.subarray(8, 8 + outer.readUInt32BE(4)), { maxOutputLength: mostBytes });
  if (bytes.length < headerBytes || cookieOf(bytes) !== plainCookie)
    throw new Error('not a V2 HdrHistogram payload');
  const payload = bytes.readUInt32BE(4);
  if (headerBytes + payload > bytes.length) throw new Error('a HdrHistogram payload that is cut short');
  const digits = bytes.readUInt32BE(12);
  const lowest = Number(bytes.readBigUInt64BE(16));
  if (digits > mostDigits || lowest > mostValue) throw new Error('a HdrHistogram of impossible bounds');
  const unitMagnitude = Math.floor(Math.log2(Math.max(1, lowest)));
  const halfMagnitude = Math.max(0, Math.ceil(Math.log2(2 * 10 ** digits)) - 1);
  const half = 2 ** halfMagnitude;
  const values: number[] = [];
  const counts: number[] = [];
  let total = 0;
  let index = 0;
  const at = { offset: headerBytes };
  while (at.offset < headerBytes + payload) {
    const count = readNumber(bytes, at);
    if (count < 0) {
      index -= count;
      continue;
    }
    if (!Number.isFinite(count)) throw new Error('a HdrHistogram payload that is cut short');
    if (count > 0) {
      const bucket = Math.max(0, Math.floor(index / half) - 1);
      const sub = index < half ? index : (index % half) + half;
      const unit = 2 ** (bucket + unitMagnitude);
      const value = (index < half ? index * 2 ** unitMagnitude : sub * unit) + unit - 1;
      if (!(value <= mostValue)) throw new Error('a HdrHistogram of values beyond its range');
      values.push(value);
      counts.push(count);
      total += count;
    }
    index++;
  }
  return { values, counts, total };
}
