/** What a sample says: one number per metric, or null where the sample has no such window or counter. */
import type { CpuTimes, Sample, Window } from '../contract/sample.js';

export interface Metric {
  id: string;
  title: string;
  unit: string;
  better: 'higher' | 'lower' | 'neither';
  /** digits after the point in tables */
  digits: number;
  of(sample: Sample): number | null;
}

/** Ratio of two differences between a window's snapshots; null where nothing was counted. */
function ratio(top: number | null, bottom: number | null): number | null {
  return top === null || bottom === null || bottom <= 0 ? null : top / bottom;
}

const requests = (w: Window) => w.after.requests - w.before.requests;
const userUs = (w: Window) => w.after.cpu.userUs - w.before.cpu.userUs;
const systemUs = (w: Window) => w.after.cpu.systemUs - w.before.cpu.systemUs;
const switches = ({ before, after }: Window) =>
  after.contextSwitches.voluntary -
  before.contextSwitches.voluntary +
  after.contextSwitches.involuntary -
  before.contextSwitches.involuntary;
const counted = (name: 'waits' | 'events') => (w: Window) =>
  w.before.counters && w.after.counters ? w.after.counters[name] - w.before.counters[name] : null;

/** A metric of one named window. */
function inWindow(name: string, of: (window: Window) => number | null): Metric['of'] {
  return (sample) => {
    const window = sample.windows[name];
    return window ? of(window) : null;
  };
}

/** A metric of the peak, or of the open loop where a trial has no other. */
function inPeak(of: (window: Window, sample: Sample) => number | null): Metric['of'] {
  return (sample) => {
    const window = sample.windows.closed ?? sample.windows.open;
    return window ? of(window, sample) : null;
  };
}

type CpuState = Exclude<keyof CpuTimes, 'cpu'>;
const busyStates = ['userUs', 'niceUs', 'systemUs', 'irqUs', 'softirqUs'] as const satisfies CpuState[];

/**
 * Time per request that the server's CPUs spent in the given states, whoever they spent it for. Null where they worked
 * mostly for others, or where so little was done that the kernel's ticks of 10 ms miss it: the CPUs' busy time and the
 * server's own must agree within a factor of two.
 */
function onServerCpus(...states: CpuState[]): Metric['of'] {
  return inPeak((w, { pinning }) => {
    const times = w.cpus?.filter(({ cpu }) => pinning.server.includes(cpu)) ?? [];
    const spent = (which: readonly CpuState[]) =>
      times.flatMap((cpu) => which.map((state) => cpu[state] ?? 0)).reduce((sum, part) => sum + part, 0);
    if (times.length === 0 || times.some((cpu) => states.some((state) => cpu[state] === null))) return null;
    const share = (userUs(w) + systemUs(w)) / spent(busyStates);
    return share >= 0.5 && share <= 2 ? ratio(spent(states), requests(w)) : null;
  });
}

const percentileUs =
  (name: 'p50' | 'p99') =>
  ({ load: { latency } }: Window) =>
    latency.count > 0 ? latency[name] / 1000 : null;

const wallUs = (w: Window) => (w.after.monotonicNs - w.before.monotonicNs) / 1000;

/** `closed` is the peak window, `open` the one at a rate every server can hold. */
export const metrics = [
  {
    id: 'throughput',
    title: 'Peak throughput',
    unit: 'req/s',
    better: 'higher',
    digits: 0,
    of: inWindow('closed', ({ load }) => load.achievedRate),
  },
  {
    id: 'cpu-per-request',
    title: 'Server CPU per request',
    unit: 'µs',
    better: 'lower',
    digits: 2,
    of: inWindow('closed', (w) => ratio(userUs(w) + systemUs(w), requests(w))),
  },
  {
    id: 'cpu-user',
    title: 'Server CPU per request, user',
    unit: 'µs',
    better: 'lower',
    digits: 2,
    of: inPeak((w) => ratio(userUs(w), requests(w))),
  },
  {
    id: 'cpu-system',
    title: 'Server CPU per request, system',
    unit: 'µs',
    better: 'lower',
    digits: 2,
    of: inPeak((w) => ratio(systemUs(w), requests(w))),
  },
  {
    id: 'core-user',
    title: "Time of the server's CPU per request, user",
    unit: 'µs',
    better: 'neither',
    digits: 2,
    of: onServerCpus('userUs', 'niceUs'),
  },
  {
    id: 'core-system',
    title: "Time of the server's CPU per request, system",
    unit: 'µs',
    better: 'neither',
    digits: 2,
    of: onServerCpus('systemUs'),
  },
  {
    id: 'core-softirq',
    title: "Time of the server's CPU per request, irq and softirq",
    unit: 'µs',
    better: 'neither',
    digits: 2,
    of: onServerCpus('irqUs', 'softirqUs'),
  },
  {
    id: 'open-cpu-per-request',
    title: 'Server CPU per request, open loop',
    unit: 'µs',
    better: 'lower',
    digits: 2,
    of: inWindow('open', (w) => ratio(userUs(w) + systemUs(w), requests(w))),
  },
  {
    id: 'latency-p50',
    title: 'Median latency, open loop',
    unit: 'µs',
    better: 'lower',
    digits: 1,
    of: inWindow('open', percentileUs('p50')),
  },
  {
    id: 'latency-p99',
    title: '99th percentile of latency, open loop',
    unit: 'µs',
    better: 'lower',
    digits: 1,
    of: inWindow('open', percentileUs('p99')),
  },
  {
    id: 'closed-latency-p99',
    title: '99th percentile of latency, closed loop',
    unit: 'µs',
    better: 'lower',
    digits: 1,
    of: inWindow('closed', percentileUs('p99')),
  },
  {
    id: 'reply-rate',
    title: 'Reply rate',
    unit: 'replies/s',
    better: 'higher',
    digits: 0,
    of: inWindow('open', ({ load }) => load.achievedRate),
  },
  {
    // Datagrams only: a stream has none to lose.
    id: 'loss-rate',
    title: 'Datagrams lost',
    unit: '%',
    better: 'lower',
    digits: 3,
    of: inPeak(({ load: { datagrams } }) => (datagrams ? ratio(100 * datagrams.lost, datagrams.sent) : null)),
  },
  {
    // A closed loop that lost one was held up by its timeout: what it answered then is no rate of the server's.
    id: 'loss-free-rate',
    title: 'Loss-free rate, closed loop',
    unit: 'datagrams/s',
    better: 'higher',
    digits: 0,
    of: inWindow('closed', ({ load }) => (load.datagrams?.lost === 0 ? load.achievedRate : null)),
  },
  {
    id: 'events-per-wait',
    title: 'Events per wait',
    unit: '',
    better: 'neither',
    digits: 2,
    of: inWindow('closed', (w) => ratio(counted('events')(w), counted('waits')(w))),
  },
  {
    id: 'waits-per-request',
    title: 'Waits per request',
    unit: '',
    better: 'neither',
    digits: 3,
    of: inWindow('closed', (w) => ratio(counted('waits')(w), requests(w))),
  },
  {
    id: 'switches-per-request',
    title: 'Context switches per request',
    unit: '',
    better: 'neither',
    digits: 3,
    of: inWindow('closed', (w) => ratio(switches(w), requests(w))),
  },
  {
    id: 'server-busy',
    title: 'Server busy share',
    unit: '',
    better: 'neither',
    digits: 2,
    of: inWindow('closed', (w) => ratio(userUs(w) + systemUs(w), wallUs(w))),
  },
  {
    id: 'client-busy',
    title: 'Client busy share',
    unit: '',
    better: 'neither',
    digits: 2,
    of: inWindow('closed', ({ load }) => load.client.busyShare),
  },
] as const satisfies readonly Metric[];

export type MetricId = (typeof metrics)[number]['id'];

export function metric(id: MetricId): Metric {
  return metrics.find((candidate) => candidate.id === id)!;
}
