/** Claims of seed 004, a thesis on event dispatching in virtual hosts (2012): VMware ESX guests, libevent, httperf. */
import { scalable, scanning } from '../analysis/mechanisms.js';
import type { Claim, ClaimTest, Expectation, Level, Selector } from './claim.js';

const idleSweep = 'dispatchbench run idle-connections --profile thesis';
const ramp = 'dispatchbench run rate-ramp --profile thesis';
const crossHost = 'dispatchbench run cross-host';
const portSweep = 'dispatchbench run udp-ports --profile thesis --budget 25m';

/** The largest idle count the thesis drew. */
const manyIdle = 15_000;
const manyPorts = 5000;
/** Connections of a step of its ramp. */
const active = 1000;

interface OnHost {
  kernel: string;
  backend: Level | readonly Level[];
}

/** A figure of one host's mechanism against that of another host's. */
const hosts = (
  metric: string,
  of: OnHost,
  to: OnHost,
  expect: Expectation,
  levels: Selector['levels'] = {},
): ClaimTest => {
  const on = ({ kernel, backend }: OnHost): Selector => ({ kernel, levels: { backend, ...levels } });
  return { kind: 'ratio', metric, of: on(of), to: on(to), expect };
};

const linuxEpoll: OnHost = { kernel: 'Linux', backend: 'epoll' };
const freeBsdKqueue: OnHost = { kernel: 'FreeBSD', backend: 'kqueue' };
const sunPorts: OnHost = { kernel: 'SunOS', backend: ['evport', 'devpoll'] };
const windows: OnHost = { kernel: 'Windows', backend: ['wsapoll', 'select'] };
const pollOn = (kernel: string): OnHost => ({ kernel, backend: 'poll' });

export const dispatchClaims: readonly Claim[] = [
  {
    id: 'T1',
    source: { seed: '004', where: 'fig. 5.1' },
    statement: 'With no idle connections select and poll do about as well as epoll, kqueue and event ports.',
    experiment: 'rate-ramp',
    cells:
      'a ramp of offered rates past saturation, 1000 active and 0 idle connections, every mechanism of one host',
    supply: ramp,
    tests: [
      {
        kind: 'peak-ratio',
        metric: 'reply-rate',
        of: { levels: { backend: ['select', 'poll'], connections: active } },
        to: { levels: { backend: [...scalable, 'devpoll'], connections: active } },
        factor: 'rate',
        expect: { within: [0.85, 1.18] },
      },
    ],
  },
  {
    id: 'T2',
    source: { seed: '004', where: 'fig. 5.1, table 4.9' },
    statement: 'Throughput rises linearly with offered load until saturation, then falls off.',
    experiment: 'rate-ramp',
    cells: 'a ramp of offered rates past saturation, 0 idle, every mechanism of one host',
    supply: ramp,
    // "Linearly" is slope 1; an interval can only lie within a band, and 5 % is this suite's, the source names none.
    tests: [
      {
        kind: 'knee',
        metric: 'reply-rate',
        of: {},
        factor: 'rate',
        before: { within: [0.95, 1.05] },
        past: { below: 0 },
      },
    ],
  },
  {
    id: 'T3',
    source: { seed: '004', where: 'fig. 5.2' },
    statement: 'With idle connections select and poll degrade rapidly.',
    experiment: 'idle-connections',
    cells: 'idle sweep from 0 to at least 15 000',
    supply: idleSweep,
    tests: [
      {
        kind: 'ratio-along',
        metric: 'throughput',
        of: { levels: { backend: ['select', 'poll'] } },
        factor: 'idle',
        from: 0,
        reach: manyIdle,
        expect: { below: 0.5 },
      },
      {
        kind: 'slope',
        metric: 'cpu-per-request',
        of: { levels: { backend: ['select', 'poll'] } },
        factor: 'idle',
        per: 1000,
        reach: manyIdle,
        expect: { above: 0 },
      },
    ],
  },
  {
    id: 'T4',
    source: { seed: '004', where: 'fig. 5.2' },
    statement: 'epoll, kqueue and event ports stay flat as idle connections grow.',
    experiment: 'idle-connections',
    cells: 'idle sweep from 0 to at least 15 000',
    supply: idleSweep,
    tests: [
      {
        kind: 'ratio-along',
        metric: 'throughput',
        of: { levels: { backend: scalable } },
        factor: 'idle',
        from: 0,
        reach: manyIdle,
        expect: { within: [0.9, 1.11] },
      },
    ],
  },
  {
    id: 'T5',
    source: { seed: '004', where: 'fig. 5.2 (c)' },
    statement: '/dev/poll starts to degrade at 5000 idle connections and falls fast at 15 000.',
    experiment: 'idle-connections',
    cells: 'idle sweep of devpoll on an illumos host, at least six idle counts',
    supply: `${crossHost} (with an illumos host)`,
    tests: [
      {
        kind: 'break-point',
        metric: 'throughput',
        of: { levels: { backend: 'devpoll' } },
        factor: 'idle',
        between: [5000, manyIdle],
      },
    ],
  },
  {
    id: 'T6',
    source: { seed: '004', where: 'figs. 5.3, 5.4' },
    statement:
      'UDP response time is almost constant in the number of ports for epoll and kqueue, and grows for select and poll, at 10 and at 100 datagrams/s.',
    experiment: 'udp-ports',
    cells: 'ports 10 to 5000 at 10 and 100 datagrams/s, every mechanism',
    supply: portSweep,
    // One test per rate: a run with only one of the two rates cannot support the claim.
    tests: [10, 100].flatMap((rate) =>
      [
        { backends: scalable, expect: { within: [-1, 1] as const } },
        { backends: scanning, expect: { above: 0 } },
      ].map(({ backends, expect }) => ({
        kind: 'slope' as const,
        metric: 'latency-p50',
        of: { levels: { backend: backends, rate } },
        factor: 'ports',
        per: 1000,
        reach: manyPorts,
        expect,
      })),
    ),
  },
  {
    id: 'T7',
    source: { seed: '004', where: 'fig. 5.5' },
    statement: "Linux epoll scales best of all hosts' best mechanisms, on TCP and UDP.",
    experiment: 'cross-host',
    cells: 'epoll on Linux and the best mechanism of every other host, in one run',
    supply: crossHost,
    tests: [freeBsdKqueue, sunPorts].map((other) =>
      hosts('throughput', linuxEpoll, other, { above: 1 }, { idle: 0 }),
    ),
  },
  {
    id: 'T8',
    source: { seed: '004', where: 'section 5.4' },
    statement:
      'Event ports and /dev/poll scale slightly better than FreeBSD kqueue on TCP; kqueue beats both on UDP.',
    experiment: 'cross-host',
    cells: 'kqueue on FreeBSD, evport and devpoll on illumos, in one run',
    supply: `${crossHost} (with FreeBSD and illumos hosts)`,
    tests: [hosts('throughput', sunPorts, freeBsdKqueue, { above: 1 })],
  },
  {
    id: 'T9',
    source: { seed: '004', where: 'section 5.4' },
    statement: 'Windows is worst on both TCP and UDP; it has poll and select only.',
    experiment: 'cross-host',
    cells: 'a Windows host whose speed may be shown',
    supply: `${crossHost} (with a Windows host)`,
    tests: [hosts('throughput', windows, linuxEpoll, { below: 1 })],
  },
  {
    id: 'T10',
    source: { seed: '004', where: 'figs. 5.3, 5.4' },
    statement: "Solaris poll beats Linux's and FreeBSD's poll on UDP response time.",
    experiment: 'cross-host',
    cells: 'poll on illumos, Linux and FreeBSD hosts, in one run',
    supply: `${crossHost} (with illumos and FreeBSD hosts)`,
    tests: ['Linux', 'FreeBSD'].map((kernel) =>
      hosts('latency-p50', pollOn('SunOS'), pollOn(kernel), { below: 1 }),
    ),
  },
  {
    id: 'T11',
    source: { seed: '004', where: 'section 5.1' },
    statement:
      'kqueue and event ports lose to select and poll when most descriptors are active, because they need two system calls per event.',
    experiment: 'dispatch-cost',
    cells: 'CPU per event with all descriptors active, mechanism by mechanism',
    supply: 'dispatchbench run dispatch-cost',
    tests: [
      {
        kind: 'ratio',
        metric: 'cpu-per-event',
        of: { levels: { backend: ['kqueue', 'evport'] } },
        to: { levels: { backend: ['select', 'poll'] } },
        expect: { above: 1 },
      },
    ],
  },
];
