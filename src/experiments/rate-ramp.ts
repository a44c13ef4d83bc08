/**
 * Does throughput rise with offered load until saturation, and what then? The ramp of the thesis (httperf and
 * autobench, figure 5.1): at each rate so many connections are started per second, whatever the server does, and each
 * makes `calls` requests one after the other.
 *
 * Factors: backend x implementation (x how much I/O happens per Node-API crossing) x offered rate. The rate of a cell is
 * in requests per second: connections per second times calls. The thesis offered 10 000 to 45 000, which its server
 * could not hold; today's hold more, so the ramp goes on until the fastest is saturated.
 */
import { z } from 'zod';
import { metric } from '../analysis/metrics.js';
import { count } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import { type RateRampCell, rateRampCell, type Sample } from '../contract/sample.js';
import { sampleMs } from '../ramp/options.js';
import type { Experiment, Machine } from './experiment.js';
import { distinct, serverSettings, variants } from './servers.js';

const settings = z.strictObject({
  ...serverSettings,
  /** offered requests per second */
  rates: z.array(z.number().positive()).min(1),
  /** requests on each connection */
  calls: count.min(1),
  /** connections of a step, at least */
  connections: count.min(1),
  /** a fast step gets more connections, so that it lasts so long, milliseconds */
  leastMs: count.min(1),
  timeoutMs: count.min(1),
});
export type RateRampSettings = z.infer<typeof settings>;

/** The rates of the thesis, and on from there by about 1.4 a step. */
const thesisRates = [10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 45_000];
const beyond = [64_000, 90_000, 125_000, 180_000, 250_000, 350_000];

function profile(name: ProfileName, machine: Machine): RateRampSettings {
  const node = machine.nodeBackend;
  // A crossing for every operation makes the server dearer than the client, which has one CPU as well. A native server is
  // as cheap: both give out at once, and nothing is shown.
  const common = { ios: ['call' as const], calls: 100, timeoutMs: 5000 };
  if (name === 'quick') {
    return {
      ...common,
      backends: machine.available.filter((backend) => ['select', 'poll', node].includes(backend)),
      impls: ['ts'],
      rates: [30_000, 90_000, 150_000, 210_000, 280_000, 360_000],
      connections: 1000,
      leastMs: 1000,
    };
  }
  return {
    ...common,
    backends: machine.available,
    impls: name === 'thesis' ? ['ts', 'libuv'] : ['native', 'ts', 'libuv', 'baseline'],
    rates: [...thesisRates, ...beyond],
    connections: 1000,
    leastMs: 5000,
  };
}

export const rateRamp: Experiment<RateRampSettings> = {
  id: 'rate-ramp',
  question: 'How does throughput follow the offered load, and what happens past saturation?',
  axis: 'rate',
  settings,
  profile,
  cells: (chosen, machine) =>
    distinct<RateRampCell>(
      variants(chosen, machine).flatMap((one) =>
        chosen.rates.map((rate) => ({ ...one, rate, calls: chosen.calls, connections: chosen.connections })),
      ),
    ),
  trial(cell, { leastMs, timeoutMs }) {
    const { impl, io, backend, rate, calls, connections: least } = rateRampCell.parse(cell);
    const perSecond = rate / calls;
    const connections = Math.max(least, Math.ceil((perSecond * leastMs) / 1000));
    const durationMs = (1000 * connections) / perSecond;
    return {
      server: { protocol: 'http', impl, backend, io },
      idle: 0,
      windows: [
        {
          name: 'open',
          connections,
          rate,
          warmupMs: 0,
          durationMs,
          size: 0,
          sessions: { calls, timeoutMs, sampleMs: sampleMs(durationMs / 1000) },
        },
      ],
    };
  },
  primary: metric('reply-rate').of,
  figures(sample: Sample) {
    const load = sample.windows.open?.load;
    if (!load) return '';
    return `${Math.round(load.achievedRate)} of ${Math.round(load.offeredRate ?? 0)} replies/s, response ${(load.latency.mean / 1e6).toFixed(2)} ms`;
  },
};
