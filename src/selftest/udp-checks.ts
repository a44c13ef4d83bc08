/** A known relay for datagrams: loss, duplication, reordering and delay, each counted or timed by the relay itself. */
import type { RelayFaults } from '../contract/selftest.js';
import { type Check, driveDatagrams, type Effort, TRANSPORT_NS } from './check.js';
import { withKnownRelay } from './known-answer.js';
import { closeRow, exactRow } from './row.js';

const DELAY_MS = 50;

export const datagrams: Check = {
  name: 'datagrams',
  async run({ seconds }: Effort, site) {
    const throughRelay = (faults: RelayFaults) =>
      withKnownRelay(site, faults, (target, stage) =>
        driveDatagrams(stage, target, {
          connections: 1,
          rate: 500,
          durationS: seconds,
          warmupS: 0,
          timeoutS: 1,
          seed: 3,
        }),
      );
    const dropped = await throughRelay({ drop: 0.1 });
    const doubled = await throughRelay({ duplicate: 0.1 });
    const overtaken = await throughRelay({ hold: 0.1 });
    const delayed = await throughRelay({ delay: 1, delayMs: DELAY_MS });
    const delays = delayed.truth.delaysNs.sort((a, b) => a - b);
    return [
      exactRow('datagrams lost, of one in ten', dropped.truth.dropped, dropped.measured.lost),
      exactRow('datagrams sent twice', doubled.truth.duplicates, doubled.measured.duplicates),
      exactRow('datagrams overtaken', overtaken.truth.reordered, overtaken.measured.reordered),
      closeRow(
        `p50 of datagrams delayed by ${DELAY_MS} ms`,
        delays[delays.length >> 1] ?? 0,
        delayed.measured.latency.p50,
        TRANSPORT_NS,
      ),
    ];
  },
};
