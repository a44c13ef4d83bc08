/**
 * Which host's mechanism scales, and what does a host cost? Figure 5.5 of the thesis: of each host the mechanism whose wait
 * looks at the ready descriptors only, without and with many that have nothing to tell.
 *
 * Factors: host x traffic x descriptors that stand beside the active ones. All hosts are offered the same rate, which a
 * slow one holds at ease, and what is compared is CPU time per request: a host whose server is several processes and
 * threads (a sandbox's kernel in user space, a guest and its hypervisor) is limited in a closed loop by how these hand over
 * to each other, so that nobody is ever busy for the whole time and its throughput is no one's limit.
 *
 * Traffic: `tcp`, connections that stay silent beside active ones; `udp`, further ports, each of which may get the next
 * datagram; `none`, a byte through a socket pair inside one process, which is a dispatch without any network.
 */
import { z } from 'zod';
import { type BackendName, backendName, count } from '../contract/common.js';
import { scalable } from '../contract/names.js';
import type { ProfileName } from '../contract/run.js';
import { positiveNumber, wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment, type Machine } from './experiment.js';
import { list, names } from './flags.js';

const traffics = ['tcp', 'udp', 'none'] as const;
const traffic = z.enum(traffics);

const cell = z.object({ backend: backendName, impl: z.literal('native'), traffic, standing: count });
type CrossHostCell = z.infer<typeof cell>;

const settings = z.strictObject({
  traffics: z.array(traffic).min(1),
  /** measured beside each host's scalable mechanism, where a host has them */
  beside: z.array(backendName).default([]),
  /** connections or ports that stand beside the active ones */
  standing: z.array(count).min(1),
  /** active connections */
  connections: count.min(1),
  /** ports without any standing ones */
  ports: count.min(1),
  /** requests or datagrams per second, the same on every host */
  rate: z.number().positive(),
  /** bytes of a request or datagram */
  size: count.min(1),
  /** rounds of windows over servers of one host that stand at the same time; 0: every trial alone */
  rounds: count.max(10_000),
  tcp: z.strictObject({ warmupMs: count, durationMs: count.min(1) }),
  udp: z.strictObject({ warmupMs: count, durationMs: count.min(1) }),
  dispatch: z.strictObject({ warmupMs: count, durationMs: count.min(1) }),
});
export type CrossHostSettings = z.infer<typeof settings>;

/**
 * Of the mechanisms that a host says it has, the first whose wait looks at the ready descriptors only; where it has none,
 * the first of all, as Windows has but scanning ones.
 */
export const bestOf = ({ available }: Pick<Machine, 'available'>): BackendName | undefined =>
  available.find((one) => (scalable as readonly string[]).includes(one)) ?? available[0];

function profile(name: ProfileName): CrossHostSettings {
  const common = {
    traffics: [...traffics],
    ports: 10,
    // Higher ones cost a waking CPU less and scatter less; this one leaves a slow host most of its time.
    rate: 2000,
    size: 64,
  };
  if (name === 'quick') {
    return {
      ...common,
      beside: [],
      standing: [0, 2000],
      // A sandbox's TCP takes no hundred connections at once: it drops what asks for them, which comes again after a second.
      connections: 16,
      rounds: 2,
      tcp: { warmupMs: 50, durationMs: 400 },
      udp: { warmupMs: 100, durationMs: 600 },
      dispatch: { warmupMs: 20, durationMs: 150 },
    };
  }
  return {
    ...common,
    beside: ['poll'],
    standing: name === 'thesis' ? [0, 1000, 5000, 15_000] : [0, 1000, 5000, 15_000, 30_000, 60_000],
    connections: 1000,
    rounds: 0,
    tcp: { warmupMs: 500, durationMs: 3000 },
    udp: { warmupMs: 300, durationMs: 3000 },
    dispatch: { warmupMs: 100, durationMs: 500 },
  };
}

/** No system has more UDP ports at one address. */
const mostPorts = 60_000;

function cells(chosen: CrossHostSettings, machine: Machine): CrossHostCell[] {
  const best = bestOf(machine);
  const beside = chosen.beside.filter((one) => machine.available.includes(one));
  const backends = [...new Set([...(best ? [best] : []), ...beside])];
  return backends.flatMap((backend) =>
    chosen.traffics.flatMap((one) =>
      chosen.standing
        .filter((standing) => one !== 'udp' || standing + chosen.ports <= mostPorts)
        // One dispatch is asked for, which needs no others beside it.
        .filter((standing) => one !== 'none' || standing === Math.min(...chosen.standing))
        .map((standing) => ({ backend, impl: 'native' as const, traffic: one, standing })),
    ),
  );
}

const words: Record<(typeof traffics)[number], string> = {
  tcp: 'TCP requests',
  udp: 'UDP datagrams',
  none: 'dispatch without a network',
};

export const crossHost = experiment({
  id: 'cross-host',
  question: "Which host's mechanism scales, and what does a request cost on each host?",
  axis: 'standing',
  cell,
  settings,
  factors: {
    standing: { name: 'idle connections or ports' },
    traffic: { name: 'traffic', level: (level) => words[level as keyof typeof words] ?? null },
  },
  words: [],
  quick: false,
  flags: [
    {
      flags: '--traffic <list>',
      description: `traffic, comma-separated: ${traffics.join(', ')}`,
      setting: 'traffics',
      parse: names(traffics, 'traffic'),
    },
    {
      flags: '--idle <list>',
      description: 'numbers of connections or ports beside the active ones, comma-separated',
      setting: 'standing',
      parse: list(wholeNumber(0, 10_000_000)),
    },
    {
      flags: '--beside <list>',
      description: "backends measured beside each host's scalable one",
      setting: 'beside',
      parse: names(backendName.options, 'backend'),
    },
    {
      flags: '--connections <n>',
      description: 'active connections',
      setting: 'connections',
      parse: wholeNumber(1, 1_000_000),
    },
    {
      flags: '--rate <n>',
      description: 'requests or datagrams per second, the same on every host',
      setting: 'rate',
      parse: positiveNumber,
    },
  ],
  profile,
  // As many blocks as were said beforehand: who stops where an interval happens to be narrow has too narrow ones.
  pace: (name) => (name === 'quick' ? { budgetMs: 390_000, blocks: { min: 6, max: 6 } } : {}),
  cells,
  trial({ backend, impl, traffic: one, standing }, chosen) {
    const { connections, ports, rate, size, rounds } = chosen;
    if (one === 'none') {
      return {
        kind: 'cost',
        mode: 'drain',
        impl,
        backend,
        pairs: standing + 1,
        active: 1,
        writes: 0,
        ...chosen.dispatch,
      };
    }
    const server = { kind: 'dispatch' as const, impl, backend, io: null };
    if (one === 'udp') {
      return {
        kind: 'datagrams',
        subject: { ...server, protocol: 'udp-echo', ports: ports + standing },
        keepAwake: false,
        rate,
        window: 1,
        size,
        ...chosen.udp,
      };
    }
    return {
      kind: 'load',
      subject: { ...server, protocol: 'tcp-echo' },
      processes: 1,
      idle: standing,
      rounds,
      windows: [{ name: 'open', connections, rate, size, ...chosen.tcp }],
    };
  },
  primary: ['open-cpu-per-request', 'event-time'],
  glance(sample) {
    const [cpu, p50, event] = (['open-cpu-per-request', 'latency-p50', 'event-time'] as const).map((id) =>
      metric(id).of(sample),
    );
    return [
      ...(cpu ? [`CPU ${cpu.toFixed(1)} µs a request`] : []),
      ...(p50 ? [`p50 ${p50.toFixed(0)} µs`] : []),
      ...(event ? [`${event.toFixed(0)} ns a dispatch`] : []),
    ].join(' · ');
  },
  plots: [
    { kind: 'hosts', metric: 'open-cpu-per-request' },
    { kind: 'hosts', metric: 'latency-p50' },
  ],
  compared: [
    { metric: 'open-cpu-per-request', scale: 'ratio' },
    { metric: 'latency-p50', scale: 'ratio' },
    { metric: 'event-time', scale: 'ratio' },
  ],
  acrossHosts: {
    ranked: [
      { metric: 'open-cpu-per-request', levels: { traffic: 'tcp' }, of: 'TCP' },
      { metric: 'open-cpu-per-request', levels: { traffic: 'udp' }, of: 'UDP' },
      { metric: 'latency-p50', levels: { traffic: 'udp' }, of: 'UDP' },
    ],
    overhead: [
      { metric: 'open-cpu-per-request', levels: { traffic: 'tcp' }, of: 'one TCP request' },
      { metric: 'open-total-cpu-per-request', levels: { traffic: 'tcp' }, of: 'one TCP request' },
      { metric: 'latency-p50', levels: { traffic: 'tcp' }, of: 'one TCP request' },
      { metric: 'open-cpu-per-request', levels: { traffic: 'udp' }, of: 'one UDP datagram' },
      { metric: 'latency-p50', levels: { traffic: 'udp' }, of: 'one UDP datagram' },
      { metric: 'event-time', levels: { traffic: 'none' }, of: 'one dispatch' },
      { metric: 'cpu-per-event', levels: { traffic: 'none' }, of: 'one dispatch' },
    ],
  },
  answers: [],
  modelled: [],
  closing: { rates: [], costs: ['open-cpu-per-request', 'event-time', 'latency-p50'] },
});
