/** The schedule as it stands in the datagrams themselves: each carries when it was due and when it went. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { dgramBenchmark } from 'dispatchbench/dgram-benchmark';
import type { DgramResult } from '../../src/contract/dgram.js';
import type { DgramInput } from '../../src/dgram-benchmark/options.js';
import { andersonDarlingExponential, EXPONENTIAL_LIMIT, gapsOf } from '../../src/selftest/pacing.js';

/** Offsets in a datagram of 40 bytes or more, see native/load/datagram_format.h. */
const intendedAt = 16;
const actualAt = 24;
/** Datagrams that a socket's default buffer surely holds while this process is busy. */
const held = 200;

interface Sending {
  result: DgramResult;
  /** of those that arrived, nanoseconds, in order of their due times */
  due: number[];
  /** actual minus intended, nanoseconds */
  lags: number[];
}

/** Sends to a socket that answers nothing. */
async function sendings(input: Partial<DgramInput>): Promise<Sending> {
  const sink = createSocket({ type: 'udp4', recvBufferSize: 1 << 24 });
  const stamps: { intended: bigint; actual: bigint }[] = [];
  sink.on('message', (datagram) => {
    stamps.push({
      intended: datagram.readBigUInt64LE(intendedAt),
      actual: datagram.readBigUInt64LE(actualAt),
    });
  });
  sink.bind(0, '127.0.0.1');
  await once(sink, 'listening');
  try {
    const url = `127.0.0.1:${sink.address().port}`;
    const result = await dgramBenchmark({ url, timeout: 0.3, size: 64, ...input });
    stamps.sort((a, b) => Number(a.intended - b.intended));
    const first = stamps[0]!.intended;
    return {
      result,
      due: stamps.map(({ intended }) => Number(intended - first)),
      lags: stamps.map(({ intended, actual }) => Number(actual - intended)),
    };
  } finally {
    sink.close();
  }
}

describe('even pacing', () => {
  const cases = [
    { overallRate: 10, duration: 1 },
    { overallRate: 100, duration: 0.5 },
    { overallRate: 100, duration: 0.5, engine: 'js' },
    { overallRate: 10_000, duration: 0.3 },
    { overallRate: 10_000, duration: 0.3, workers: 3, connections: 3 },
    { overallRate: 10_000, duration: 0.3, engine: 'js' },
    { overallRate: 200_000, duration: 0.1 },
    { overallRate: 200_000, duration: 0.1, workers: 2, connections: 2 },
  ] as const;
  for (const input of cases) {
    const { overallRate, duration } = input;
    const name = Object.entries(input).map(([key, value]) => `${key} ${value}`);
    test(`${name.join(', ')}: every due time is on the one grid, no two alike, none sent early`, async () => {
      const { result, due, lags } = await sendings({ connections: 1, ...input });
      const total = overallRate * duration;
      const period = 1e9 / overallRate;
      const ticks = due.map((at) => Math.round(at / period));
      // Each worker rounds its own times to nanoseconds.
      for (const [row, at] of due.entries()) assert.ok(Math.abs(at - ticks[row]! * period) <= 2, `${at} ns`);
      assert.equal(new Set(ticks).size, ticks.length);
      assert.ok(ticks.at(-1)! < total, 'nothing is due at the end or later');
      assert.ok(lags.every((lag) => lag >= 0));
      assert.ok(due.length >= Math.min(total, held) || result.clientSaturated, `${due.length} arrived`);
      if (due.length === total) assert.deepEqual([ticks[0], ticks.at(-1)], [0, total - 1]);
    });
  }
});

describe('exponential pacing', () => {
  for (const workers of [1, 2]) {
    test(`gaps of ${workers} workers together are exponential`, async () => {
      const rate = { overallRate: 2000, duration: 1, workers, connections: workers };
      const { due, lags } = await sendings({ ...rate, arrival: 'exponential', seed: 7 });
      assert.ok(due.length > held);
      assert.ok(andersonDarlingExponential(gapsOf(due)) < EXPONENTIAL_LIMIT);
      assert.ok(lags.every((lag) => lag >= 0));
    });
  }

  test('even gaps are not', async () => {
    const { due } = await sendings({ connections: 1, overallRate: 2000, duration: 0.2 });
    assert.ok(andersonDarlingExponential(gapsOf(due)) > EXPONENTIAL_LIMIT);
  });
});
