/**
 * How much does it cost a server that idle connections stand beside the active ones?
 *
 * Factors: backend x implementation (x how much I/O happens per Node-API crossing) x number of idle connections.
 * Every trial has two windows. `closed`: every active connection sends its next request when its reply is there; this
 * gives the peak rate and the server's CPU time per request. `open`: requests come by a schedule at one rate, so that
 * latencies are compared at equal load.
 *
 * Where trials stand alone the open rate is a constant of the profile and low on purpose: each request finds the server
 * asleep and pays one full wait of its own. In rotation (the quick profile) a rate is asked at which a server sleeps less
 * often, because what a wake-up costs changes by a fifth from second to second (measured: CPU per request in windows of
 * 100 ms scatters by 21 % at 500/s, 9 % at 5000/s, 4 % at 20 000/s and 2 % at 50 000/s). A server that cannot hold it at
 * ease is offered less, for the model of a scan; costs and latencies at a lower rate are no figures beside the others.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import { wholeNumber } from '../options.js';
import { reservedDescriptors } from '../stage/limits.js';
import { metric } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { experiment, type Machine } from './experiment.js';
import { engineFlag, foreignFlag, list, serverFlags } from './flags.js';
import {
  distinct,
  engineLevels,
  engineSettings,
  exists,
  foreignLevels,
  serverFactors,
  serverSettings,
  speaking,
  subjectOf,
  variant,
  variants,
} from './servers.js';
import { waitingAxis } from './waiting.js';
import { workerAxis } from './workers.js';

/** `idle` connections are established and silent while `connections` others are active. */
const cell = z.object({
  ...serverFactors,
  idle: count,
  connections: count,
  ...workerAxis.factors,
  ...waitingAxis.factors,
});
type IdleConnectionsCell = z.infer<typeof cell>;

const reference = variant.extend({ idle: z.array(count).min(1) });

const settings = z
  .strictObject({
    protocol: z.enum(['tcp-echo', 'http']),
    ...serverSettings,
    ...engineSettings,
    ...workerAxis.settings,
    ...waitingAxis.settings,
    /** single servers beside the product of the factors: the speed of light and Node's own networking */
    references: z.array(reference),
    idle: z.array(count).min(1),
    connections: count.min(1),
    /** beyond the descriptors of one process, use several server processes instead of calling the cell impossible */
    spread: z.boolean(),
    /** payload of one request, bytes */
    size: count.min(1),
    /** rounds of windows over servers that all stand at the same time; 0: every trial alone, in processes of its own */
    rounds: count.max(10_000).default(0),
    closed: z.strictObject({ warmupMs: count, durationMs: count.min(1) }),
    open: z.strictObject({ rate: z.number().positive(), warmupMs: count, durationMs: count.min(1) }),
  })
  .superRefine(speaking());
export type IdleConnectionsSettings = z.infer<typeof settings>;

function profile(name: ProfileName, machine: Machine): IdleConnectionsSettings {
  const backends = (...names: string[]) => machine.available.filter((backend) => names.includes(backend));
  const common = {
    protocol: 'tcp-echo' as const,
    size: 64,
    ios: ['batch' as const],
    references: [],
    foreign: [],
    engines: [],
    spread: false,
    rounds: 0,
  };
  const node = machine.nodeBackend;
  if (name === 'quick') {
    return {
      ...common,
      backends: backends('select', 'poll', node),
      impls: ['ts'],
      references: (['baseline', 'libuv'] as const).map((impl) => ({
        impl,
        io: null,
        backend: node,
        idle: [0, 16_000],
      })),
      idle: [0, 4000, 16_000],
      connections: 100,
      rounds: 3,
      closed: { warmupMs: 12, durationMs: 50 },
      open: { rate: 50_000, warmupMs: 10, durationMs: 55 },
    };
  }
  const windows = {
    closed: { warmupMs: 1000, durationMs: 3000 },
    open: { rate: 500, warmupMs: 500, durationMs: 3000 },
  };
  if (name === 'thesis') {
    return {
      ...common,
      ...windows,
      backends: machine.available,
      impls: ['ts', 'baseline', 'libuv'],
      idle: [0, 1000, 2500, 5000, 7500, 10_000, 12_500, 15_000],
      connections: 1000,
    };
  }
  const connections = 100;
  const most = Math.min(machine.descriptorLimit - connections - reservedDescriptors, 128_000);
  return {
    ...common,
    ...windows,
    backends: machine.available,
    engines: machine.engines ?? [],
    impls: ['ts', 'native', 'baseline', 'libuv', 'libuv-c'],
    ios: ['call', 'batch', 'native'],
    spread: true,
    idle: [...new Set([0, 1000, 2000, 4000, 8000, 16_000, most, 32_000, 64_000])].sort((a, b) => a - b),
    connections,
  };
}

function cells(chosen: IdleConnectionsSettings, machine: Machine): IdleConnectionsCell[] {
  const product = [...variants(chosen, machine), ...engineLevels(chosen), ...foreignLevels(chosen)].map(
    (one) => ({
      ...one,
      idle: chosen.idle,
    }),
  );
  const references = chosen.references.filter((one) => exists(one, machine));
  return distinct(
    [...product, ...references].flatMap(({ backend, impl, io, idle: levels }) =>
      workerAxis
        .levels({ impl, backend }, chosen)
        .flatMap((workers) =>
          waitingAxis.levels({ impl }, chosen).map((waiting) => ({ ...workers, ...waiting })),
        )
        .flatMap((more) =>
          levels.map((idle) => ({ backend, impl, io, idle, connections: chosen.connections, ...more })),
        ),
    ),
  );
}

/** '91 340/s · CPU 7.1 µs a request · p50 85 µs, p99 210 µs at the common rate' */
function glance(sample: Sample): string {
  const [throughput, cpu, p50, p99] = (
    ['throughput', 'cpu-per-request', 'latency-p50', 'latency-p99'] as const
  ).map((id) => metric(id).of(sample));
  const grouped = (value: number) => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return [
    ...(throughput ? [`${grouped(throughput)}/s`] : []),
    ...(cpu ? [`CPU ${cpu.toFixed(1)} µs a request`] : []),
    ...[workerAxis.inWords(metric('accepts-max-over-mean').of(sample))].filter(Boolean),
    ...(p50 && p99 ? [`p50 ${grouped(p50)} µs, p99 ${grouped(p99)} µs at the common rate`] : []),
  ].join(' · ');
}

export const idleConnections = experiment({
  id: 'idle-connections',
  question: 'How much does a request cost while idle connections stand beside the active ones?',
  axis: 'idle',
  cell,
  settings,
  factors: {
    idle: { name: 'idle connections' },
    connections: { name: 'active connections' },
    ...workerAxis.words,
    ...waitingAxis.words,
  },
  words: [],
  quick: true,
  flags: [
    ...serverFlags,
    engineFlag,
    {
      flags: '--idle <list>',
      description: 'numbers of idle connections, comma-separated',
      setting: 'idle',
      parse: list(wholeNumber(0, 10_000_000)),
      names: true,
    },
    {
      flags: '--connections <n>',
      description: 'active connections',
      setting: 'connections',
      parse: wholeNumber(1, 1_000_000),
    },
    {
      flags: '--protocol <protocol>',
      description: 'tcp-echo or http',
      setting: 'protocol',
      parse: (text) => settings.shape.protocol.parse(text),
    },
    {
      flags: '--rounds <n>',
      description: 'rounds of windows over servers that stand at the same time; 0: every trial alone',
      setting: 'rounds',
      parse: wholeNumber(0, 10_000),
    },
    ...workerAxis.flags,
    ...waitingAxis.flags,
    foreignFlag(),
  ],
  profile,
  // As many generations as were said beforehand: who stops where an interval happens to be narrow has too narrow ones.
  pace: (name, { rounds }) =>
    name === 'quick' && rounds > 0 ? { budgetMs: 98_000, blocks: { min: 6, max: 6 } } : {},
  cells,
  trial({ idle, connections, ...server }, chosen, machine) {
    const { protocol, size, closed, open, spread, rounds } = chosen;
    const perProcess = machine.descriptorLimit - reservedDescriptors;
    return {
      kind: 'load',
      subject: {
        ...subjectOf(protocol, server, chosen),
        ...workerAxis.asked(server),
        ...waitingAxis.asked(server, server.backend),
      },
      processes: spread
        ? Math.max(1, Math.min(connections, Math.ceil((idle + connections) / perProcess)))
        : 1,
      idle,
      rounds,
      windows: [
        { name: 'closed', connections, rate: null, size, ...closed },
        { name: 'open', connections, size, ...open },
      ],
    };
  },
  primary: ['cpu-per-request'],
  glance,
  plots: [
    { kind: 'lines', metric: 'throughput', logY: false },
    { kind: 'lines', metric: 'cpu-per-request', logY: true },
    { kind: 'cpu-stack' },
    { kind: 'lines', metric: 'open-cpu-per-request', logY: true },
    { kind: 'lines', metric: 'latency-p50', logY: true },
    { kind: 'lines', metric: 'latency-p99', logY: true },
    { kind: 'percentiles' },
    ...workerAxis.plots,
    { kind: 'heat', metric: 'latency-p99', closed: 'closed-latency-p99', logarithmic: true },
  ],
  compared: [
    { metric: 'throughput', scale: 'ratio' },
    { metric: 'cpu-per-request', scale: 'ratio' },
    { metric: 'open-cpu-per-request', scale: 'ratio' },
    { metric: 'latency-p50', scale: 'ratio' },
    { metric: 'latency-p99', scale: 'ratio' },
  ],
  answers: [
    { metric: 'open-cpu-per-request', when: 'a server with time to spare' },
    { metric: 'cpu-per-request', when: 'a busy server' },
  ],
  modelled: ['cpu-per-request', 'open-cpu-per-request'],
  closing: { rates: ['throughput'], costs: ['cpu-per-request', 'open-cpu-per-request'] },
});
