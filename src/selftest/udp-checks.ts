/** A known relay for datagrams: loss, duplication, reordering and delay, each counted or timed by the relay itself. */
import { DgramBenchmark } from '../dgram-benchmark/benchmark.js';
import { decodeHistogram } from '../load/histogram.js';
import { type Check, type Effort, TRANSPORT_NS } from './check.js';
import { type Faults, Relay } from './relay.js';
import { closeRow, exactRow } from './row.js';

async function throughRelay(faults: Faults, { seconds }: Effort) {
  const relay = new Relay(faults, 7);
  await relay.listen();
  try {
    const measured = await new DgramBenchmark({
      url: `127.0.0.1:${relay.port}`,
      connections: 1,
      overallRate: 500,
      duration: seconds,
      seed: 3,
    });
    return { measured, truth: relay.truth };
  } finally {
    relay.close();
  }
}

const DELAY_MS = 50;

export const datagrams: Check = {
  name: 'datagrams',
  async run(effort) {
    const dropped = await throughRelay({ drop: 0.1 }, effort);
    const doubled = await throughRelay({ duplicate: 0.1 }, effort);
    const overtaken = await throughRelay({ hold: 0.1 }, effort);
    const delayed = await throughRelay(
      { delay: 1, delayMs: DELAY_MS, delayed: Number.POSITIVE_INFINITY },
      effort,
    );
    const delays = delayed.truth.delaysNs.sort((a, b) => a - b);
    return [
      exactRow('datagrams lost, of one in ten', dropped.truth.dropped, dropped.measured.lost),
      exactRow('datagrams sent twice', doubled.truth.duplicates, doubled.measured.duplicates),
      exactRow('datagrams overtaken', overtaken.truth.reordered, overtaken.measured.reordered),
      closeRow(
        `p50 of datagrams delayed by ${DELAY_MS} ms`,
        delays[delays.length >> 1] ?? 0,
        decodeHistogram(delayed.measured.histograms.latency).getValueAtPercentile(50),
        TRANSPORT_NS,
      ),
    ];
  },
};
