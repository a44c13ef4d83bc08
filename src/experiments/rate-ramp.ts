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
import { count } from '../contract/common.js';
import { sampleMs } from '../contract/ramp.js';
import type { ProfileName } from '../contract/run.js';
import { positiveNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { measured } from '../trials/sample.js';
import { experiment, type Machine } from './experiment.js';
import { foreignFlag, list, serverFlags } from './flags.js';
import {
  distinct,
  foreignLevels,
  serverFactors,
  serverSettings,
  speaking,
  subjectOf,
  variants,
} from './servers.js';
import { rateInWords } from './words.js';
import { workerAxis } from './workers.js';

/** `rate` is offered requests per second: connections started per second times `calls` on each. */
const cell = z.object({
  ...serverFactors,
  rate: z.number().positive(),
  calls: count,
  connections: count,
  ...workerAxis.factors,
});

const settings = z
  .strictObject({
    ...serverSettings,
    ...workerAxis.settings,
    /** offered requests per second */
    rates: z.array(z.number().positive()).min(1),
    /** requests on each connection */
    calls: count.min(1),
    /** connections of a step, at least */
    connections: count.min(1),
    /** a fast step gets more connections, so that it lasts so long, milliseconds */
    leastMs: count.min(1),
    timeoutMs: count.min(1),
  })
  .superRefine(speaking('http'));
export type RateRampSettings = z.infer<typeof settings>;

/** The rates of the thesis, and on from there by about 1.4 a step. */
const thesisRates = [10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 45_000];
const beyond = [64_000, 90_000, 125_000, 180_000, 250_000, 350_000];

function profile(name: ProfileName, machine: Machine): RateRampSettings {
  const node = machine.nodeBackend;
  // Server and client have one CPU each. Only a server that pays more for a request than the client does (one Node-API
  // crossing for every operation) is saturated before the client is; a native one costs as little as its client.
  const common = { ios: ['call' as const], calls: 100, timeoutMs: 5000, foreign: [] };
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
    impls: name === 'thesis' ? ['ts', 'libuv'] : ['native', 'ts', 'libuv', 'baseline', 'libevent', 'libuv-c'],
    rates: [...thesisRates, ...beyond],
    connections: 1000,
    leastMs: 5000,
  };
}

export const rateRamp = experiment({
  id: 'rate-ramp',
  question: 'How does throughput follow the offered load, and what happens past saturation?',
  axis: 'rate',
  // A ramp is read against the diagonal, which only a linear axis keeps straight.
  linearAxis: true,
  cell,
  settings,
  factors: {
    rate: { name: 'offered rate (1/s)', level: rateInWords },
    calls: { name: 'requests per connection' },
    connections: { name: 'active connections' },
    ...workerAxis.words,
  },
  words: [],
  quick: false,
  flags: [
    ...serverFlags,
    {
      flags: '--rates <list>',
      description: 'offered requests per second, comma-separated',
      setting: 'rates',
      parse: list(positiveNumber),
    },
    ...workerAxis.flags,
    foreignFlag(),
  ],
  profile,
  cells: (chosen, machine) =>
    distinct(
      [...variants(chosen, machine), ...foreignLevels(chosen)].flatMap((one) =>
        workerAxis.levels(one, chosen).flatMap((workers) =>
          chosen.rates.map((rate) => ({
            ...one,
            rate,
            calls: chosen.calls,
            connections: chosen.connections,
            ...workers,
          })),
        ),
      ),
    ),
  trial({ rate, calls, connections: least, ...server }, chosen) {
    const { leastMs, timeoutMs } = chosen;
    const perSecond = rate / calls;
    const connections = Math.max(least, Math.ceil((perSecond * leastMs) / 1000));
    return {
      kind: 'sessions',
      subject: { ...subjectOf('http', server, chosen), ...workerAxis.asked(server) },
      rate,
      calls,
      connections,
      timeoutMs,
      sampleMs: sampleMs(connections / perSecond),
    };
  },
  primary: ['reply-rate'],
  glance(sample) {
    const step = measured(sample, 'open', 'sessions');
    if (!step) return '';
    const { replyRate, responseMs } = step.session;
    const rate = `${Math.round(replyRate.avg)} of ${sample.cell.rate} replies/s, response ${responseMs.toFixed(2)} ms`;
    return [rate, workerAxis.inWords(metric('accepts-max-over-mean').of(sample))].filter(Boolean).join(', ');
  },
  plots: [
    { kind: 'lines', metric: 'reply-rate', logY: false },
    { kind: 'cpu-stack' },
    { kind: 'lines', metric: 'open-cpu-per-request', logY: true },
    { kind: 'lines', metric: 'latency-p50', logY: true },
    { kind: 'lines', metric: 'latency-p99', logY: true },
    { kind: 'percentiles' },
    ...workerAxis.plots,
  ],
  compared: [
    { metric: 'open-cpu-per-request', scale: 'ratio' },
    { metric: 'latency-p50', scale: 'ratio' },
    { metric: 'latency-p99', scale: 'ratio' },
  ],
  // What it asks for is a shape, and its verdicts tell it.
  answers: [],
  modelled: ['open-cpu-per-request'],
  closing: { rates: ['reply-rate'], costs: ['open-cpu-per-request'] },
});
