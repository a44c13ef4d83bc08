/** The native histogram against hdr-histogram-js: the same values must give the same figures and the same payload. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, HistogramLogReader } from 'hdr-histogram-js';
import { latency } from '../../src/contract/load.js';
import {
  decodeHistogram,
  hdrHistogram,
  histogramLog,
  latencyOf,
  latencyOfHistogram,
} from '../../src/load/histogram.js';
import { randomFrom } from '../../src/statistics/random.js';
import { parts } from './parts.js';

const hour = 3_600_000_000_000;
const random = randomFrom(7);
const logUniform = (count: number) =>
  Float64Array.from({ length: count }, () => Math.floor(hour ** random()));

const cases: Record<string, Float64Array> = {
  'every small value': Float64Array.from({ length: 5000 }, (_, index) => index),
  'powers of two and their neighbours': Float64Array.from(
    Array.from({ length: 41 }, (_, index) => 2 ** index).flatMap((power) => [power - 1, power, power + 1]),
  ),
  'random over all magnitudes': logUniform(20_000),
  'the largest value': Float64Array.of(hour),
};

const percentiles = [0, 1, 10, 50, 90, 95, 99, 99.9, 99.99, 100];

for (const [name, values] of Object.entries(cases)) {
  test(`histogram: ${name} as the library counts them`, () => {
    const library = build({
      bitBucketSize: 64,
      lowestDiscernibleValue: 1,
      highestTrackableValue: hour,
      numberOfSignificantValueDigits: 3,
    });
    for (const value of values) library.recordValue(value);
    const middle = values.length >> 1;
    const ours = hdrHistogram(parts.recordValues(values.subarray(0, middle), values.subarray(middle)));
    const decoded = decodeHistogram(latencyOf(parts.recordValues(values, new Float64Array())).histogram);
    for (const [label, histogram] of Object.entries({ ours, decoded })) {
      assert.equal(histogram.totalCount, library.totalCount, label);
      for (const percent of percentiles) {
        assert.equal(
          histogram.getValueAtPercentile(percent),
          library.getValueAtPercentile(percent),
          `${label} p${percent}`,
        );
      }
      assert.equal(histogram.mean, library.mean, label);
      const { mean, stddev } = latencyOfHistogram(histogram);
      assert.deepEqual([mean, stddev], [library.mean, library.stdDeviation], label);
    }
  });
}

test('histogram: values outside its range are counted at its ends', () => {
  const { values, counts } = parts.recordValues(Float64Array.of(-5, 0), Float64Array.of(2 * hour));
  assert.deepEqual([...counts], [2, 1]);
  assert.equal(values[0], 0);
  assert.ok(values[1]! <= hour && values[1]! > 0.999 * hour);
});

test('histogram: three significant digits at every magnitude', () => {
  for (let value = 1; value < hour; value *= 7) {
    const { values } = parts.recordValues(Float64Array.of(value), new Float64Array());
    assert.ok(value - values[0]! <= value / 1000, `${value} is counted as ${values[0]}`);
  }
});

test('latency: an empty histogram is zeros and a payload that can be read', () => {
  const empty = latencyOf({ values: new Float64Array(), counts: new Float64Array() });
  assert.deepEqual([latency.parse(empty).count, empty.p50, empty.max, empty.mean], [0, 0, 0, 0]);
  assert.equal(decodeHistogram(empty.histogram).totalCount, 0);
});

test('histogram log: the library reads back what was written', () => {
  const { histogram } = latencyOf(parts.recordValues(Float64Array.of(1000, 2_000_000), new Float64Array()));
  const text = histogramLog([
    { tag: 'closed', startMs: 1000, endMs: 3500, histogram },
    { tag: 'open', startMs: 4000, endMs: 6000, histogram },
  ]);
  const reader = new HistogramLogReader(text, 64);
  const first = reader.nextIntervalHistogram()!;
  const second = reader.nextIntervalHistogram()!;
  assert.deepEqual([first.tag, second.tag], ['closed', 'open']);
  assert.deepEqual([first.startTimeStampMsec, first.endTimeStampMsec], [1000, 3500]);
  assert.equal(first.getValueAtPercentile(100), decodeHistogram(histogram).getValueAtPercentile(100));
  assert.equal(reader.nextIntervalHistogram(), null);
});
