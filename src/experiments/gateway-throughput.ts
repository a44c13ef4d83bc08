/**
 * How many requests does a gateway answer, as connections become more? Seed of the question: the report on Wasm and Docker
 * gateways (2026), section on throughput against concurrency.
 *
 * Factors: gateway x workload x connections x client. `ours`: our load client, whose connections stand before the window
 * begins; more of them than a listen queue holds cannot. `wrk`: connections come as they may. `spawn`: no client and no
 * gateway, but what the gateway starts for one request, again and again: its ceiling (claim G4).
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { type Workload, workload, workloads } from '../contract/gateway.js';
import type { ProfileName } from '../contract/run.js';
import { wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment, type Machine } from './experiment.js';
import { list, names } from './flags.js';
import {
  gatewayCommon,
  gatewayFactors,
  gatewayFlag,
  gatewayLevels,
  gatewaySettings,
  gatewaySubject,
  gatewaysOf,
  spawnedBy,
} from './gateways.js';

const clients = ['ours', 'wrk', 'spawn'] as const;
const client = z.enum(clients);

const cell = z.object({ ...gatewayFactors, workload, client, connections: count.min(1) });
type ThroughputCell = z.infer<typeof cell>;

const settings = z.strictObject({
  ...gatewaySettings,
  workloads: z.array(workload).min(1),
  clients: z.array(client).min(1),
  connections: z.array(count.min(1)).min(1),
  warmupMs: count,
  durationMs: count.min(1),
  /** wrk gives a reply up after this, which is an error */
  timeoutMs: count.min(1),
  spawns: count.min(1),
});
type ThroughputSettings = z.infer<typeof settings>;

/** The report's concurrency. */
const reported = [10, 50, 100, 200, 400, 800, 1200];

const profile = (name: ProfileName): ThroughputSettings => {
  const common = { warmupMs: 1000, timeoutMs: 15_000, spawns: 30 };
  return name === 'quick'
    ? {
        ...common,
        gateways: gatewaysOf(name, {
          quick: ['event_epoll', 'wasm_host_pool', 'wasm_host_self_cli', 'spawn_floor', 'node_wasm'],
        }),
        clients: ['wrk', 'spawn'],
        workloads: ['hello', 'compute'],
        connections: [100],
        durationMs: 1000,
      }
    : {
        ...common,
        gateways: gatewaysOf(name, {
          'report-2026': ['native_backlog', 'event_epoll', 'event_poll', 'event_select'],
        }),
        clients: [...clients],
        workloads: Object.keys(workloads) as Workload[],
        connections: reported,
        durationMs: name === 'full' ? 30_000 : 5000,
      };
};

/** A blocking gateway has a listen queue of 128: more connections than this do not all stand at once. */
const mostStanding = 100;

function cells(chosen: ThroughputSettings, machine: Machine): ThroughputCell[] {
  const { gateways, workloads: works, clients: who, connections } = chosen;
  return gateways.flatMap((name) => [
    ...works.flatMap((work) =>
      who
        .filter((one) => one !== 'spawn')
        .flatMap((one) =>
          connections
            .filter((level) => one === 'wrk' || level <= mostStanding)
            .map((level) => ({ ...gatewayLevels(name), workload: work, client: one, connections: level })),
        ),
    ),
    ...(who.includes('spawn') && spawnedBy(name, machine)
      ? [
          {
            ...gatewayLevels(name),
            workload: 'hello' as const,
            client: 'spawn' as const,
            connections: connections[0]!,
          },
        ]
      : []),
  ]);
}

export const gatewayThroughput = experiment({
  ...gatewayCommon,
  id: 'gateway-throughput',
  question: 'How many requests does a gateway answer, as connections become more?',
  axis: 'connections',
  cell,
  settings,
  factors: {
    connections: { name: 'connections' },
    workload: { name: 'workload', level: (level) => `${level}` },
    client: {
      name: 'client',
      level: (level) =>
        level === 'ours' ? 'our client' : level === 'spawn' ? 'processes alone' : `${level}`,
    },
  },
  flags: [
    gatewayFlag,
    {
      flags: '--workloads <list>',
      description: `what is asked: ${workload.options.join(', ')}`,
      setting: 'workloads',
      parse: names(workload.options, 'workload'),
    },
    {
      flags: '--clients <list>',
      description: `who asks: ${clients.join(', ')} (spawn: nobody, what a request starts alone)`,
      setting: 'clients',
      parse: names(clients, 'client'),
    },
    {
      flags: '--connections <list>',
      description: 'numbers of connections, comma-separated',
      setting: 'connections',
      parse: list(wholeNumber(1, 100_000)),
    },
  ],
  profile,
  pace: (name) => (name === 'quick' ? { blocks: { min: 5, max: 5 }, budgetMs: 900_000 } : {}),
  cells,
  trial({ impl, workload: work, client: who, connections }, chosen, machine) {
    const { warmupMs, durationMs, timeoutMs, spawns } = chosen;
    const alone = who === 'spawn' ? spawnedBy(impl, machine) : null;
    if (alone) return { kind: 'spawn', ...alone, warmups: 3, spawns };
    const common = { subject: gatewaySubject(impl, machine, work), path: workloads[work] };
    if (who === 'wrk') return { kind: 'wrk', ...common, connections, warmupMs, durationMs, timeoutMs };
    return {
      kind: 'load',
      ...common,
      processes: 1,
      idle: 0,
      windows: [{ name: 'closed', connections, rate: null, size: 1, warmupMs, durationMs }],
    };
  },
  primary: ['throughput'],
  glance(sample) {
    const rate = metric('throughput').of(sample);
    return rate === null ? '' : `${Math.round(rate)}/s`;
  },
  plots: [
    { kind: 'servers', metrics: ['throughput'], logY: true },
    { kind: 'servers', metrics: ['cpu-per-request'], logY: true },
    { kind: 'lines', metric: 'throughput', logY: true },
    { kind: 'lines', metric: 'cpu-per-request', logY: true },
    { kind: 'lines', metric: 'listen-drops', logY: false },
  ],
  compared: [
    { metric: 'throughput', scale: 'ratio' },
    { metric: 'cpu-per-request', scale: 'ratio' },
  ],
  closing: { rates: ['throughput'], costs: ['cpu-per-request', 'memory', 'listen-drops'] },
});
