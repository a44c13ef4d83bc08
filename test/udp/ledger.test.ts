import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { dgramResult } from '../../src/contract/dgram.js';
import type { RelayFaults } from '../../src/contract/selftest.js';
import { DgramBenchmark } from '../../src/dgram-benchmark/benchmark.js';
import type { DgramInput } from '../../src/dgram-benchmark/options.js';
import { Relay } from '../../src/selftest/relay.js';

const relays: Relay[] = [];
after(() => {
  for (const relay of relays) relay.close();
});

async function measure(faults: RelayFaults, input: Partial<DgramInput>, ports = 1, sequenceAt = 8) {
  const relay = new Relay(faults, 7, sequenceAt);
  relays.push(relay);
  await relay.listen(ports);
  const result = await new DgramBenchmark({
    url: `127.0.0.1:${relay.port}`,
    ports,
    connections: 1,
    duration: 1,
    seed: 3,
    ...input,
  });
  assert.deepEqual(dgramResult.parse(result), result);
  assert.equal(result.sent, result.received + result.lost, 'the ledger closes');
  const { loss } = result;
  const causes =
    loss.clientSocket +
    loss.serverSocket +
    loss.serverUnread +
    loss.unreachable +
    loss.badReply +
    loss.unexplained;
  assert.equal(causes, result.lost, 'every lost datagram has one cause');
  return { truth: relay.truth, result };
}

const everything: RelayFaults = {
  drop: 0.05,
  duplicate: 0.05,
  hold: 0.05,
  corrupt: 0.05,
  truncate: 0.05,
  delay: 0.2,
  delayMs: 1600,
  delayed: 150,
};
const cases: {
  name: string;
  faults: RelayFaults;
  input: Partial<DgramInput>;
  ports?: number;
  sequenceAt?: number;
}[] = [
  { name: 'nothing wrong', faults: {}, input: { overallRate: 1000 } },
  { name: 'drops', faults: { drop: 0.1 }, input: { overallRate: 1000 } },
  { name: 'duplicates', faults: { duplicate: 0.1 }, input: { overallRate: 1000 } },
  { name: 'reordering', faults: { hold: 0.1 }, input: { overallRate: 1000 } },
  { name: 'corruption', faults: { corrupt: 0.1 }, input: { overallRate: 1000 } },
  { name: 'truncation', faults: { truncate: 0.1 }, input: { overallRate: 1000 } },
  {
    name: 'everything, several ports and sockets',
    faults: everything,
    input: { overallRate: 1000, connections: 2 },
    ports: 3,
  },
  {
    name: 'everything, compact datagrams',
    faults: everything,
    input: { overallRate: 1000, size: 20 },
    sequenceAt: 8,
  },
  {
    name: 'everything, closed loop',
    faults: { ...everything, delay: 0 },
    input: { pipelining: 8, timeout: 0.4, amount: 500, duration: 30 },
  },
  {
    name: 'everything, two workers',
    faults: everything,
    input: { overallRate: 1000, connections: 4, workers: 2 },
    ports: 4,
  },
];

// Each mostly waits for what may still come.
for (const engine of ['native', 'js'] as const) {
  describe(`ledger, ${engine} engine`, { concurrency: 4 }, () => {
    for (const { name, faults, input, ports, sequenceAt } of cases) {
      if (engine === 'js' && input.workers !== undefined) continue; // it has one
      test(name, async () => {
        const { truth, result } = await measure(faults, { ...input, engine }, ports, sequenceAt);
        assert.equal(result.sent, truth.seen);
        assert.deepEqual(
          {
            lost: result.lost,
            duplicates: result.duplicates,
            reordered: result.reordered,
            corrupted: result.corrupted,
            truncated: result.truncated,
            late: result.late,
          },
          {
            lost: truth.dropped + truth.corrupted + truth.truncated,
            duplicates: truth.duplicates,
            reordered: truth.reordered,
            corrupted: truth.corrupted,
            truncated: truth.truncated,
            late: truth.late,
          },
        );
        assert.equal(
          result.latency.totalCount,
          result.received,
          'late and reordered ones keep their latency',
        );
        assert.equal(result.loss.badReply, truth.corrupted + truth.truncated);
        assert.ok(result.unattributable === 0 && result.foreign === 0);
      });
    }
  });
}
