/**
 * What does a gateway take of the machine: CPU per request and memory, of all its processes? Seed of the question: the
 * report on Wasm and Docker gateways (2026), section on resources, whose sampler missed short-lived children; here the
 * whole process tree is counted by the kernel (src/contract/server.ts, `tree`).
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { workloads } from '../contract/gateway.js';
import type { ProfileName } from '../contract/run.js';
import { wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import {
  gatewayCommon,
  gatewayFactors,
  gatewayFlag,
  gatewayLevels,
  gatewaySettings,
  gatewaySubject,
  gatewaysOf,
} from './gateways.js';

const cell = z.object({ ...gatewayFactors, connections: count.min(1) });
type ResourcesCell = z.infer<typeof cell>;

const settings = z.strictObject({
  ...gatewaySettings,
  connections: count.min(1),
  warmupMs: count,
  durationMs: count.min(1),
  timeoutMs: count.min(1),
});
type ResourcesSettings = z.infer<typeof settings>;

const profile = (name: ProfileName): ResourcesSettings => ({
  gateways: gatewaysOf(name, {
    quick: ['event_epoll', 'wasm_host_pool', 'wasm_threads_ondemand', 'wasm_threads_pool', 'node_wasm'],
  }),
  connections: 100,
  warmupMs: 1000,
  durationMs: name === 'quick' ? 1000 : 10_000,
  timeoutMs: 15_000,
});

export const gatewayResources = experiment({
  ...gatewayCommon,
  id: 'gateway-resources',
  question: 'What CPU time per request and what memory does a gateway take, all its processes counted?',
  axis: '',
  cell,
  settings,
  factors: { connections: { name: 'connections' } },
  flags: [
    gatewayFlag,
    {
      flags: '--connections <n>',
      description: 'connections of wrk',
      setting: 'connections',
      parse: wholeNumber(1, 100_000),
    },
  ],
  profile,
  pace: (name) => (name === 'quick' ? { blocks: { min: 5, max: 5 }, budgetMs: 300_000 } : {}),
  cells: ({ gateways, connections }): ResourcesCell[] =>
    gateways.map((name) => ({ ...gatewayLevels(name), connections })),
  trial: ({ impl, connections }, { warmupMs, durationMs, timeoutMs }, machine) => ({
    kind: 'wrk',
    subject: gatewaySubject(impl, machine),
    path: workloads.hello,
    connections,
    warmupMs,
    durationMs,
    timeoutMs,
  }),
  primary: ['cpu-per-request'],
  glance(sample) {
    const [cpu, memory] = [metric('cpu-per-request').of(sample), metric('memory').of(sample)];
    return cpu === null || memory === null
      ? ''
      : `CPU ${cpu.toFixed(0)} µs a request, ${memory.toFixed(1)} MiB`;
  },
  plots: [
    { kind: 'servers', metrics: ['cpu-per-request'], logY: true },
    { kind: 'servers', metrics: ['memory'], logY: true },
  ],
  compared: [
    { metric: 'cpu-per-request', scale: 'ratio' },
    { metric: 'memory', scale: 'ratio' },
  ],
  closing: { rates: ['throughput'], costs: ['cpu-per-request', 'memory', 'processes-per-request'] },
});
