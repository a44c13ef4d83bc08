import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { decodeHistogram, mergeCounts } from '../../src/statistics/histogram.js';
import { randomFrom } from '../../src/statistics/random.js';
import { normal } from '../support/samples.js';

function encoded(seed: number, digits: 1 | 2 | 3) {
  const random = randomFrom(seed);
  const histogram = build({ highestTrackableValue: 60e9, numberOfSignificantValueDigits: digits });
  for (let i = 0; i < 3000; i++) histogram.recordValue(Math.round(50_000 * Math.exp(normal(random))));
  for (const value of [0, 1, 2, 2047, 2048, 4095, 4096, 59e9]) histogram.recordValue(value);
  return encodeIntoCompressedBase64(histogram);
}

describe('histogram decoding', () => {
  it('agrees with hdr-histogram-js at every precision', () => {
    for (const digits of [1, 2, 3] as const) {
      const text = encoded(digits, digits);
      const theirs = decodeFromCompressedBase64(text);
      const ours = decodeHistogram(text);
      assert.equal(ours.total, theirs.totalCount);
      for (const p of [1, 10, 50, 90, 99, 99.9, 100]) {
        const rank = Math.max(1, Math.ceil((p / 100) * ours.total));
        let seen = 0;
        const at = ours.values.findIndex((_, i) => {
          seen += ours.counts[i]!;
          return seen >= rank;
        });
        assert.equal(ours.values[at], theirs.getValueAtPercentile(p), `p${p}`);
      }
    }
  });

  it('merges', () => {
    const [a, b] = [decodeHistogram(encoded(1, 3)), decodeHistogram(encoded(2, 3))];
    const both = mergeCounts([a, b]);
    assert.equal(both.total, a.total + b.total);
    assert.equal(
      both.counts.reduce((sum, count) => sum + count, 0),
      both.total,
    );
    assert.deepEqual(
      [...both.values].sort((x, y) => x - y),
      both.values,
    );
  });

  it('refuses other bytes', () => {
    assert.throws(() => decodeHistogram('AAAA'), /not a compressed V2 HdrHistogram/);
  });
});
