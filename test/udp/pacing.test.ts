/** The schedule as it stands in the datagrams themselves: each carries when it was due and when it went. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { followEngine } from '../../src/dgram-benchmark/benchmark.js';
import { startJsEngine } from '../../src/dgram-benchmark/js-engine.js';
import { attributeLoss, type KernelView } from '../../src/dgram-benchmark/loss.js';
import { startNativeEngine } from '../../src/dgram-benchmark/native-engine.js';
import { type DgramInput, engineConfig, readOptions } from '../../src/dgram-benchmark/options.js';
import { saturationReasons } from '../../src/dgram-benchmark/saturation.js';
import { andersonDarlingExponential, EXPONENTIAL_LIMIT, gapsOf } from '../../src/selftest/pacing.js';
import { Relay } from '../../src/selftest/relay.js';

/** Offsets in a datagram of 40 bytes or more, see native/load/datagram_format.h. */
const intendedAt = 16;
const actualAt = 24;
/** Datagrams that a socket's default buffer surely holds while this process does something else. */
const held = 100;
/** How often a schedule is tried that a busy machine does not send to its end. */
const tries = 20;
const unseen: KernelView = { server: new Map(), system: null };

interface Sending {
  /** datagrams asked for by the schedule, and those sent in time */
  offered: number;
  sent: number;
  /** of all that were sent, nanoseconds since the start, in order of their due times */
  due: number[];
  actual: number[];
  /** the client's own word on actual minus intended */
  lagAt(percent: number): number;
  /** why the client says that it did not keep up */
  saturated: string[];
}

/** Sends to so many sockets that answer nothing that none is ever full: what was sent is seen, however busy they are. */
async function sendings(
  input: Partial<DgramInput> & { overallRate: number; duration: number },
): Promise<Sending> {
  const sink = new Relay({ drop: 1 }, 1);
  const stamps: { intended: bigint; actual: bigint }[] = [];
  try {
    await sink.listen(Math.ceil((1.5 * input.overallRate * input.duration) / held));
    for (const socket of sink.sockets) {
      socket.on('message', (datagram) => {
        stamps.push({
          intended: datagram.readBigUInt64LE(intendedAt),
          actual: datagram.readBigUInt64LE(actualAt),
        });
      });
    }
    const fixed = { url: `127.0.0.1:${sink.port}`, ports: sink.sockets.length, connections: 1, timeout: 0.1 };
    const options = readOptions({ ...fixed, ...input });
    let started = 0n;
    const js = options.engine === 'js';
    const outcome = await followEngine(
      js ? startJsEngine : startNativeEngine,
      await engineConfig(options, false),
      // The js engine's datagrams carry times since its start.
      { started: (at) => (started = js ? 0n : BigInt(at)) },
    );
    const { offered, counts, sendLag } = outcome;
    for (let wait = 0; stamps.length < counts.sent && wait < 1000; wait++) await sleep(10);
    assert.equal(stamps.length, counts.sent, 'every datagram sent is seen');
    assert.equal(sendLag.totalCount, counts.sent);
    stamps.sort((a, b) => Number(a.intended - b.intended));
    return {
      offered,
      sent: counts.sent,
      due: stamps.map(({ intended }) => Number(intended - started)),
      actual: stamps.map(({ actual }) => Number(actual - started)),
      lagAt: (percent) => sendLag.getValueAtPercentile(percent),
      saturated: saturationReasons(outcome, true, sendLag, attributeLoss(outcome, unseen, unseen)),
    };
  } finally {
    sink.close();
  }
}

/** True of every run, however busy the machine: never early, in order, and the client's word on it is that of the datagrams. */
function judgeActualTimes({ due, actual, lagAt, saturated }: Sending, workers: number): void {
  const lags = actual.map((at, row) => at - due[row]!);
  assert.ok(
    lags.every((lag) => lag >= 0),
    'none is sent early',
  );
  if (workers === 1)
    assert.ok(
      gapsOf(actual).every((gap) => gap >= 0),
      'what is due first is sent first',
    );
  lags.sort((a, b) => a - b);
  for (const percent of [50, 99, 100]) {
    const lag = lags[Math.max(0, Math.ceil((percent / 100) * lags.length) - 1)]!;
    // The histogram keeps three digits.
    assert.ok(
      Math.abs(lagAt(percent) - lag) <= lag / 500 + 1,
      `p${percent}: ${lagAt(percent)} for ${lag} ns`,
    );
  }
  const judged = lags.length < 1000 ? 50 : 99;
  if (saturated.length === 0) assert.ok(lagAt(judged) <= 1e6, `p${judged} of a client that says it kept up`);
}

describe('even pacing', () => {
  const cases = [
    { overallRate: 10, duration: 1 },
    { overallRate: 100, duration: 0.5 },
    { overallRate: 100, duration: 0.5, engine: 'js' },
    { overallRate: 7, duration: 0.5 },
    { overallRate: 10_000, duration: 0.3 },
    { overallRate: 10_000, duration: 0.3, workers: 3, connections: 3 },
    { overallRate: 10_000, duration: 0.3, engine: 'js' },
    { overallRate: 200_000, duration: 0.05 },
    { overallRate: 200_000, duration: 0.05, workers: 2, connections: 2 },
  ] as const;
  for (const input of cases) {
    const { overallRate, duration } = input;
    const workers = 'workers' in input ? input.workers : 1;
    const total = Math.ceil(overallRate * duration);
    const name = Object.entries(input).map(([key, value]) => `${key} ${value}`);
    test(`${name.join(', ')}: ${total} due times, one for every tick of the grid`, async (context) => {
      let most = 0;
      for (let attempt = 0; attempt < tries && most < total; attempt++) {
        const sending = await sendings(input);
        const { sent, offered, due, saturated } = sending;
        assert.equal(offered, total);
        const ticks = due.map((at) => Math.round((at * overallRate) / 1e9));
        for (const [row, tick] of ticks.entries()) {
          // Each worker rounds its own times to nanoseconds.
          assert.ok(Math.abs(due[row]! - (tick * 1e9) / overallRate) <= 2, `due at ${due[row]} ns`);
        }
        const sentTicks = new Set(ticks);
        assert.equal(sentTicks.size, sent, 'no two are due together');
        assert.ok(
          ticks.every((tick) => tick >= 0 && tick < total),
          'none is due before the start or after the end',
        );
        assert.ok(
          ticks.every((tick) => tick < workers || sentTicks.has(tick - workers)),
          'no worker leaves one out',
        );
        judgeActualTimes(sending, workers);
        most = Math.max(most, sent);
        if (saturated.length > 0) context.diagnostic(saturated.join('; '));
      }
      if (most === total || process.env.CI) assert.equal(most, total);
      else context.skip(`this machine sent at most ${most} of ${total} in time, in ${tries} tries`);
    });
  }
});

describe('exponential pacing', () => {
  for (const workers of [1, 2]) {
    test(`gaps of ${workers} workers together are exponential`, async () => {
      const rate = { overallRate: 2000, duration: 1, workers, connections: workers };
      const sending = await sendings({ ...rate, arrival: 'exponential', seed: 7 });
      assert.ok(andersonDarlingExponential(gapsOf(sending.due)) < EXPONENTIAL_LIMIT);
      judgeActualTimes(sending, workers);
    });
  }

  test('even gaps are not', async () => {
    const { due } = await sendings({ overallRate: 2000, duration: 0.2 });
    assert.ok(andersonDarlingExponential(gapsOf(due)) > EXPONENTIAL_LIMIT);
  });
});
