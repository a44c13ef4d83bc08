/**
 * How does the number of UDP ports a server watches change its response time and its cost per datagram?
 *
 * Factors: backend x implementation x ports x rate. One client socket sends to a port drawn at random each time, at
 * `rate` datagrams per second over all ports, as the thesis did with 10 and 100. Datagrams lost are part of the result.
 *
 * `rate` null is a closed loop whose outstanding datagrams fit every socket buffer: it cannot lose any, and gives the
 * highest rate that is loss-free for certain. With a deeper queue more ports are ready at each wait, and a mechanism that
 * scans them all may carry more; so the loss-free limit of an open loop is bracketed by a ladder of rates (`full`).
 */
import { z } from 'zod';
import type { BackendName } from '../contract/common.js';
import { count } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import { positiveNumber, wholeNumber } from '../options.js';
import { reservedDescriptors } from '../stage/limits.js';
import { metric } from '../trials/registry.js';
import { measured, type Sample } from '../trials/sample.js';
import { experiment, type Machine } from './experiment.js';
import { engineFlag, foreignFlag, list, serverFlags } from './flags.js';
import {
  engineLevels,
  engineSettings,
  foreignLevels,
  serverFactors,
  serverSettings,
  speaking,
  subjectOf,
  variants,
} from './servers.js';
import { rateInWords } from './words.js';

/** `rate` is datagrams per second over all ports; null is a closed loop. */
const cell = z.object({ ...serverFactors, ports: count.min(1), rate: z.number().nullable() });
export type UdpPortsCell = z.infer<typeof cell>;

const settings = z
  .strictObject({
    ...serverSettings,
    ...engineSettings,
    ports: z.array(count.min(1).max(65_000)).min(1),
    /** datagrams per second over all ports; null: closed loop */
    rates: z.array(z.number().positive().nullable()).min(1),
    /** closed loop: unanswered datagrams allowed */
    window: count.min(1),
    /** bytes of a datagram */
    size: count.min(1),
    warmupMs: count,
    durationMs: count.min(1),
    /** the same at 100 datagrams per second and less, where a second holds few of them */
    slowDurationMs: count.min(1),
    /**
     * at those rates, CPUs do not sleep: the wake-up of one, which on a virtual machine takes tens to hundreds of
     * microseconds, would otherwise be most of the response time, and hide what the number of ports adds
     */
    keepAwake: z.boolean().default(false),
  })
  .superRefine(speaking('udp-echo'));
export type UdpPortsSettings = z.infer<typeof settings>;

/**
 * Outstanding datagrams of the closed loop. 277 small ones fit Linux's default socket buffer (212 992 bytes, 768 for
 * each), so these fit even when all are at one port.
 */
const certainWindow = 256;

const thesisPorts = [10, 50, 100, 500, 1000, 2000, 5000];
const thesisRates = [10, 100];

/** One backend a mechanism, as the thesis compared them; triggers and variants of one are for `full`. */
const mechanisms: readonly BackendName[] = [
  'select',
  'poll',
  'epoll',
  'kqueue',
  'evport',
  'devpoll',
  'wsapoll',
];

function profile(name: ProfileName, machine: Machine): UdpPortsSettings {
  const common = {
    ios: ['batch' as const],
    window: certainWindow,
    size: 64,
    keepAwake: true,
    foreign: [],
    engines: [],
  };
  if (name === 'quick') {
    const backends = machine.available.filter((backend) =>
      ['select', 'poll', machine.nodeBackend].includes(backend),
    );
    return {
      ...common,
      backends,
      impls: ['native'],
      ports: [10, 5000],
      rates: [100],
      warmupMs: 50,
      durationMs: 400,
      slowDurationMs: 400,
    };
  }
  const windows = { warmupMs: 300, durationMs: 1000, slowDurationMs: 4000 };
  if (name === 'thesis') {
    return {
      ...common,
      ...windows,
      backends: machine.available.filter((backend) => mechanisms.includes(backend)),
      impls: ['native'],
      ports: thesisPorts,
      rates: [...thesisRates, 10_000, null],
    };
  }
  const most = machine.descriptorLimit - reservedDescriptors;
  return {
    ...common,
    ...windows,
    backends: machine.available,
    engines: machine.engines ?? [],
    impls: ['native', 'ts', 'baseline', 'libuv'],
    ports: [...thesisPorts, 10_000].filter((ports) => ports <= most),
    rates: [...thesisRates, 10_000, 50_000, 100_000, 200_000, 400_000, null],
  };
}

function cells(chosen: UdpPortsSettings, machine: Machine): UdpPortsCell[] {
  return [...variants(chosen, machine), ...engineLevels(chosen), ...foreignLevels(chosen)].flatMap((one) =>
    chosen.rates.flatMap((rate) => chosen.ports.map((ports) => ({ ...one, ports, rate }))),
  );
}

/** 'p50 21.4 µs, p99 60.2 µs · CPU 5.1 µs a datagram · lost 0 of 500' */
function glance(sample: Sample): string {
  const seen = measured(sample, 'open', 'datagrams') ?? measured(sample, 'closed', 'datagrams');
  if (!seen) return '';
  const { latency, achievedRate, mode, lost, sent } = seen.datagrams;
  const cpu = metric(mode === 'open' ? 'open-cpu-per-request' : 'cpu-per-request').of(sample);
  return [
    ...(mode === 'closed' ? [`${Math.round(achievedRate)}/s`] : []),
    `p50 ${(latency.p50 / 1000).toFixed(1)} µs, p99 ${(latency.p99 / 1000).toFixed(1)} µs`,
    ...(cpu === null ? [] : [`CPU ${cpu.toFixed(1)} µs a datagram`]),
    `lost ${lost} of ${sent}`,
  ].join(' · ');
}

export const udpPorts = experiment({
  id: 'udp-ports',
  question:
    'How does the number of UDP ports a server watches change its response time and its cost per datagram?',
  axis: 'ports',
  cell,
  settings,
  factors: { ports: { name: 'UDP ports' }, rate: { name: 'offered rate (1/s)', level: rateInWords } },
  words: [
    [/\breq\/s/g, 'datagrams/s'],
    [/\brequest(s?)\b/g, 'datagram$1'],
    [/\blatency\b/g, 'response time'],
    [/\bLatency\b/g, 'Response time'],
  ],
  quick: false,
  flags: [
    ...serverFlags,
    engineFlag,
    {
      flags: '--ports <list>',
      description: 'numbers of ports, comma-separated',
      setting: 'ports',
      parse: list(wholeNumber(1, 65_000)),
    },
    {
      flags: '--rates <list>',
      description: "offered datagrams per second, comma-separated; 'closed' is the closed loop",
      setting: 'rates',
      parse: list((one) => (one === 'closed' ? null : positiveNumber(one))),
    },
    foreignFlag(),
  ],
  profile,
  cells,
  trial({ ports, rate, ...server }, chosen) {
    const { window, size, warmupMs, durationMs, slowDurationMs, keepAwake } = chosen;
    const isSlow = rate !== null && rate <= 100;
    return {
      kind: 'datagrams',
      subject: { ...subjectOf('udp-echo', server, chosen), ports },
      keepAwake: keepAwake && isSlow,
      rate,
      window,
      size,
      warmupMs,
      durationMs: isSlow ? slowDurationMs : durationMs,
    };
  },
  primary: ['latency-p50', 'cpu-per-request'],
  glance,
  plots: [
    { kind: 'lines', metric: 'loss-free-rate', logY: false },
    { kind: 'lines', metric: 'cpu-per-request', logY: true },
    { kind: 'cpu-stack' },
    { kind: 'lines', metric: 'open-cpu-per-request', logY: true },
    { kind: 'per-second', rate: 10, figure: '5.3' },
    { kind: 'per-second', rate: 100, figure: '5.4' },
    { kind: 'lines', metric: 'latency-p50', logY: true },
    { kind: 'lines', metric: 'latency-p99', logY: true },
    { kind: 'percentiles' },
    { kind: 'heat', metric: 'latency-p99', closed: 'closed-latency-p99', logarithmic: true },
    { kind: 'heat', metric: 'loss-rate', logarithmic: false },
  ],
  compared: [
    { metric: 'throughput', scale: 'ratio' },
    { metric: 'cpu-per-request', scale: 'ratio' },
    { metric: 'open-cpu-per-request', scale: 'ratio' },
    { metric: 'latency-p50', scale: 'ratio' },
    { metric: 'latency-p99', scale: 'ratio' },
    { metric: 'loss-rate', scale: 'difference' },
  ],
  answers: [
    { metric: 'open-cpu-per-request', when: 'a quiet server' },
    { metric: 'cpu-per-request', when: 'a busy server' },
  ],
  modelled: ['cpu-per-request', 'open-cpu-per-request'],
  closing: {
    rates: ['throughput', 'reply-rate'],
    costs: ['cpu-per-request', 'open-cpu-per-request', 'latency-p50'],
  },
});
