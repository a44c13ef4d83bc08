/**
 * dgram-benchmark: autocannon's sibling for datagrams.
 *
 *     import { dgramBenchmark } from 'dispatchbench/dgram-benchmark';
 *     const result = await dgramBenchmark({ url: '127.0.0.1:9000-9009', overallRate: 1000, duration: 5 });
 */
import type { DgramResult } from '../contract/dgram.js';
import { aggregateResult } from '../dgram-benchmark/aggregate.js';
import { parseArguments, start } from '../dgram-benchmark/arguments.js';
import { DgramBenchmark } from '../dgram-benchmark/benchmark.js';
import type { DgramInput } from '../dgram-benchmark/options.js';
import { printResult } from '../dgram-benchmark/print.js';
import { track } from '../dgram-benchmark/track.js';

export { type DgramResult, dgramResult } from '../contract/dgram.js';
export type { DgramClient, DgramEvents } from '../dgram-benchmark/benchmark.js';
export type { PrintOptions } from '../dgram-benchmark/print.js';
export type { TrackOptions } from '../dgram-benchmark/track.js';
export { aggregateResult, DgramBenchmark, type DgramInput, parseArguments, printResult, start, track };

/**
 * Starts a benchmark. The instance emits `start`, `tick`, `response`, `reqError` and `done`, and can be awaited.
 * @throws Error in one sentence when the options are wrong; what fails later rejects, or reaches `done`
 */
export function dgramBenchmark(
  options: DgramInput,
  done?: (error: Error | null, result?: DgramResult) => void,
): DgramBenchmark {
  const benchmark = new DgramBenchmark(options);
  if (done) {
    benchmark.then(
      (result) => done(null, result),
      (error) => done(error),
    );
  }
  return benchmark;
}

dgramBenchmark.track = track;
dgramBenchmark.printResult = printResult;
dgramBenchmark.aggregateResult = aggregateResult;
dgramBenchmark.parseArguments = parseArguments;
dgramBenchmark.start = start;

export default dgramBenchmark;
