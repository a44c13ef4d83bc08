/** Histograms of a stranger: refused, or read to finite numbers in their order, however they are made. */
import assert from 'node:assert/strict';
import { deflateSync, inflateSync } from 'node:zlib';
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { decodeHistogram as ofAgents } from '../../../src/load/histogram.js';
import { decodeHistogram } from '../../../src/statistics/histogram.js';
import type { Target } from '../engine.js';

const compressedCookie = 0x1c849304;

/** As it travels: a cookie and a length before what is compressed. */
function wrapped(payload: Buffer): string {
  const packed = deflateSync(payload, { level: 1 });
  const head = Buffer.alloc(8);
  head.writeUInt32BE(compressedCookie, 0);
  head.writeUInt32BE(packed.length, 4);
  return Buffer.concat([head, packed]).toString('base64');
}

function payload(...values: number[]): Buffer {
  const histogram = build({ highestTrackableValue: 60e9, numberOfSignificantValueDigits: 3 });
  for (const value of values) histogram.recordValue(value);
  return inflateSync(Buffer.from(encodeIntoCompressedBase64(histogram), 'base64').subarray(8));
}

/** Those of agents are read by the library, behind a look at their header. */
function assertWhole(text: string): void {
  try {
    const { totalCount, mean, maxValue } = ofAgents(text);
    assert.ok(Number.isFinite(totalCount) && Number.isFinite(mean) && Number.isFinite(maxValue));
    assert.ok(totalCount >= 0 && maxValue >= 0);
  } catch (error) {
    if (!/^not a histogram of ours \(/.test((error as Error).message)) throw error;
  }
}

export const target: Target = {
  seeds: [payload(1, 2, 3), payload(1000, 1e6, 1e9), payload()],
  words: ['\u0001', '\u007f', '\ufffd\ufffd\ufffd\ufffd'],
  longest: 2000,
  stepsPerByte: 200,
  judge(input) {
    for (const text of [wrapped(input), input.toString('base64'), input.toString('latin1')]) {
      assertWhole(text);
      let read: ReturnType<typeof decodeHistogram>;
      try {
        read = decodeHistogram(text);
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof TypeError), String(error));
        continue;
      }
      const { values, counts, total } = read;
      assert.equal(values.length, counts.length);
      assert.ok(
        values.every((value, at) => Number.isFinite(value) && value >= (values[at - 1] ?? 0)),
        `${values}`,
      );
      assert.ok(counts.every((count) => count > 0 && Number.isFinite(count)));
      assert.ok(Number.isFinite(total));
    }
  },
};
