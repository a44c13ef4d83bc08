/**
 * How long does a warm gateway take to answer? Seed of the question: the report on Wasm and Docker gateways (2026), section
 * on warm latency.
 *
 * Factors: gateway x way. `kept`: requests by a schedule over one connection that stands (gateways that keep it). `fresh`:
 * by a schedule, a connection for each. `curl`: a curl process for each, one after the other, which is the report's method.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { workloads } from '../contract/gateway.js';
import type { ProfileName } from '../contract/run.js';
import { positiveNumber, wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { names } from './flags.js';
import {
  gatewayCommon,
  gatewayFactors,
  gatewayFlag,
  gatewayLevels,
  gatewaySettings,
  gatewaySubject,
  gatewaysOf,
  keepsAlive,
} from './gateways.js';

const ways = ['kept', 'fresh', 'curl'] as const;
const way = z.enum(ways);

const cell = z.object({ ...gatewayFactors, way });
type LatencyCell = z.infer<typeof cell>;

const settings = z.strictObject({
  ...gatewaySettings,
  ways: z.array(way).min(1),
  /** requests per second, low enough for a gateway that starts a process for each */
  rate: z.number().positive(),
  warmupMs: count,
  durationMs: count.min(1),
  /** requests by a curl of their own, and those before them */
  curls: count.min(1),
  curlWarmups: count,
});
type LatencySettings = z.infer<typeof settings>;

const profile = (name: ProfileName): LatencySettings => ({
  gateways: gatewaysOf(name, { quick: ['event_epoll', 'wasm_host_pool', 'node_http', 'node_wasm'] }),
  ways: [...ways],
  rate: 20,
  ...(name === 'quick'
    ? { warmupMs: 300, durationMs: 1500, curls: 20, curlWarmups: 2 }
    : { warmupMs: 1000, durationMs: 15_000, curls: 300, curlWarmups: 20 }),
});

export const gatewayLatency = experiment({
  ...gatewayCommon,
  id: 'gateway-latency',
  question: 'How long does a warm gateway take to answer?',
  axis: '',
  cell,
  settings,
  factors: {
    way: {
      name: 'way',
      level: (level) =>
        ({ kept: 'one connection', fresh: 'a connection for each request', curl: 'a curl for each request' })[
          `${level}`
        ] ?? null,
    },
  },
  flags: [
    gatewayFlag,
    {
      flags: '--ways <list>',
      description: `how requests are made: ${ways.join(', ')}`,
      setting: 'ways',
      parse: names(ways, 'way'),
    },
    {
      flags: '--rate <n>',
      description: 'requests per second where a schedule asks',
      setting: 'rate',
      parse: positiveNumber,
    },
    {
      flags: '--curls <n>',
      description: 'requests by a curl of their own',
      setting: 'curls',
      parse: wholeNumber(1, 100_000),
    },
  ],
  profile,
  pace: (name) => (name === 'quick' ? { blocks: { min: 5, max: 5 }, budgetMs: 300_000 } : {}),
  cells: ({ gateways, ways: chosen }): LatencyCell[] =>
    gateways.flatMap((name) =>
      chosen
        .filter((one) => one !== 'kept' || keepsAlive(name))
        .map((one) => ({ ...gatewayLevels(name), way: one })),
    ),
  trial({ impl, way: how }, { rate, warmupMs, durationMs, curls, curlWarmups }, machine) {
    const subject = gatewaySubject(impl, machine);
    const path = workloads.hello;
    if (how === 'curl') return { kind: 'curl', subject, path, warmups: curlWarmups, requests: curls };
    if (how === 'fresh') {
      const connections = Math.ceil((rate * durationMs) / 1000);
      return { kind: 'sessions', subject, rate, calls: 1, connections, timeoutMs: 5000, sampleMs: 1000 };
    }
    return {
      kind: 'load',
      subject,
      processes: 1,
      idle: 0,
      path,
      windows: [{ name: 'open', connections: 1, rate, size: 1, warmupMs, durationMs }],
    };
  },
  primary: ['latency-p50', 'curl-p50'],
  glance(sample) {
    const [p50, whole] = [metric('latency-p50').of(sample), metric('curl-p50').of(sample)];
    if (p50 !== null) return `p50 ${p50.toFixed(0)} µs`;
    return whole === null ? '' : `${(whole / 1000).toFixed(2)} ms a curl`;
  },
  plots: [
    { kind: 'servers', metrics: ['latency-p50'], logY: true },
    { kind: 'servers', metrics: ['curl-p50'], logY: false },
  ],
  compared: [
    { metric: 'latency-p50', scale: 'ratio' },
    { metric: 'curl-p50', scale: 'ratio' },
  ],
  closing: { rates: [], costs: ['latency-p50', 'curl-p50', 'curl-transfer-p50', 'curl-share'] },
});
