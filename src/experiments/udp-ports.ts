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
import { metric } from '../analysis/metrics.js';
import type { BackendName } from '../contract/common.js';
import { count } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import { type Sample, type UdpPortsCell, udpPortsCell } from '../contract/sample.js';
import { type Experiment, type Machine, reservedDescriptors } from './experiment.js';
import { serverSettings, variants } from './servers.js';

const settings = z.strictObject({
  ...serverSettings,
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
});
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
  const common = { ios: ['batch' as const], window: certainWindow, size: 64, keepAwake: true };
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
    impls: ['native', 'ts', 'baseline', 'libuv'],
    ports: [...thesisPorts, 10_000].filter((ports) => ports <= most),
    rates: [...thesisRates, 10_000, 50_000, 100_000, 200_000, 400_000, null],
  };
}

function cells(chosen: UdpPortsSettings, machine: Machine): UdpPortsCell[] {
  return variants(chosen, machine).flatMap((one) =>
    chosen.rates.flatMap((rate) => chosen.ports.map((ports) => ({ ...one, ports, rate }))),
  );
}

/** 'p50 21.4 µs, p99 60.2 µs · CPU 5.1 µs a datagram · lost 0 of 500' */
function figures(sample: Sample): string {
  const window = sample.windows.open ?? sample.windows.closed;
  if (!window) return '';
  const { latency, datagrams, achievedRate, mode } = window.load;
  const cpu = metric(mode === 'open' ? 'open-cpu-per-request' : 'cpu-per-request').of(sample);
  return [
    ...(mode === 'closed' ? [`${Math.round(achievedRate)}/s`] : []),
    `p50 ${(latency.p50 / 1000).toFixed(1)} µs, p99 ${(latency.p99 / 1000).toFixed(1)} µs`,
    ...(cpu === null ? [] : [`CPU ${cpu.toFixed(1)} µs a datagram`]),
    ...(datagrams ? [`lost ${datagrams.lost} of ${datagrams.sent}`] : []),
  ].join(' · ');
}

export const udpPorts: Experiment<UdpPortsSettings> = {
  id: 'udp-ports',
  question:
    'How does the number of UDP ports a server watches change its response time and its cost per datagram?',
  axis: 'ports',
  settings,
  profile,
  cells,
  trial(cell, { window, size, warmupMs, durationMs, slowDurationMs, keepAwake }) {
    const { backend, impl, io, ports, rate } = udpPortsCell.parse(cell);
    const name = rate === null ? 'closed' : 'open';
    const isSlow = rate !== null && rate <= 100;
    return {
      server: { protocol: 'udp-echo', impl, backend, io, ports },
      idle: 0,
      keepAwake: keepAwake && isSlow,
      windows: [
        {
          name,
          connections: 1,
          rate,
          pipelining: window,
          size,
          warmupMs,
          durationMs: isSlow ? slowDurationMs : durationMs,
        },
      ],
    };
  },
  primary: (sample) => metric('latency-p50').of(sample) ?? metric('cpu-per-request').of(sample),
  figures,
};
