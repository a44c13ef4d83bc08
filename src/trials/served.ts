/** What the kinds share that watch a server under load: the figures of its CPU, its waits and its client. */
import type { LoadFigures } from '../contract/load.js';
import type { Span } from '../contract/sample.js';
import type { Counters } from '../contract/server.js';
import { busyStates, type CpuState, timeIn } from '../hosts/cpu-times.js';
import { quantileRanks } from '../statistics/percentiles.js';
import type { Circumstances } from './kind.js';

/** A server thread busier than this is the limit of the figure. */
export const busyServer = 0.9;

/**
 * A client thread busier than this may be the limit of a closed window, whatever the server's busy share: batches grow
 * until the server is busy as well. Such a throughput supports no equality.
 */
export const spareClient = 0.85;

/** null where nothing was counted */
export function ratio(top: number | null, bottom: number | null): number | null {
  return top === null || bottom === null || bottom <= 0 ? null : top / bottom;
}

/** Difference of a figure that both snapshots tell. */
function between(
  { before, after }: Span,
  of: (snapshot: Span['before']) => number | null | undefined,
): number | null {
  const [from, to] = [of(before), of(after)];
  return from === null || from === undefined || to === null || to === undefined ? null : to - from;
}

export const userUs = (span: Span): number => span.after.cpu.userUs - span.before.cpu.userUs;
export const systemUs = (span: Span): number => span.after.cpu.systemUs - span.before.cpu.systemUs;
export const cpuUs = (span: Span): number => userUs(span) + systemUs(span);
const wallUs = ({ before, after }: Span) => (after.monotonicNs - before.monotonicNs) / 1000;

/** Less CPU time than this is divided into user and system by too few ticks to mean anything. */
const leastDividedUs = 2e6;

/** A part of the server's CPU time; null where the kernel only guesses at it. */
const part =
  (of: (span: Span) => number) =>
  (span: Span, { host }: Circumstances): number | null =>
    host.cpuAccounting === 'precise' || cpuUs(span) >= leastDividedUs ? of(span) : null;

/** CPU time of what carries the server's host; null: nothing does. */
export const carrierCpuUs = (span: Span): number | null =>
  between(span, ({ carrierCpu }) => carrierCpu && carrierCpu.userUs + carrierCpu.systemUs);

/** CPUs that a server can keep busy: its workers, as far as it has as many. One where it is not known how many it has. */
const busyAtOnce = ({ after, cpus }: Pick<Span, 'after'> & Partial<Pick<Span, 'cpus'>>): number =>
  Math.max(1, Math.min(after.workers?.length ?? 1, cpus?.server.length ?? 1));

/**
 * CPU time of the server over wall time between its two snapshots; of what carries its host, where that is busier: a
 * virtual machine has one CPU to work with (src/hosts/carrier-cpu.ts), and its devices are part of it.
 */
export function serverBusyShare(span: Pick<Span, 'before' | 'after'> & Partial<Pick<Span, 'cpus'>>): number {
  const wall = wallUs(span as Span) * busyAtOnce(span);
  const busy = Math.max(cpuUs(span as Span), carrierCpuUs(span as Span) ?? 0);
  return wall > 0 ? busy / wall : 0;
}

const switches = (span: Span) =>
  between(span, ({ contextSwitches: all }) => all && all.voluntary + all.involuntary);
const counted = (span: Span, name: keyof Counters) => between(span, ({ counters }) => counters?.[name]);

/**
 * Time that the server's CPUs spent in the given states, whoever they spent it for. Null where they worked mostly for
 * others, or where so little was done that the kernel's ticks of 10 ms miss it: the CPUs' busy time and the server's own
 * must agree within a factor of two.
 */
function onServerCpus(span: Span, states: readonly CpuState[], { pinning }: Circumstances): number | null {
  const times = (span.cpus?.server ?? []).filter(({ cpu }) => pinning.server.includes(cpu));
  const spent = (which: readonly CpuState[]) => timeIn(times, which);
  if (times.length === 0 || times.some((cpu) => states.some((state) => cpu[state] === null))) return null;
  const share = cpuUs(span) / spent(busyStates);
  return share >= 0.5 && share <= 2 ? spent(states) : null;
}

/** The peak, or the open loop where a trial has no other. */
const peak = ['closed', 'open'] as const;
const closed = ['closed'] as const;
const open = ['open'] as const;

/**
 * Figures of a server between two snapshots. `closed` is the peak measurement, `open` the one at a rate every server can
 * hold. @param replies what the client counted: requests served, where the server itself does not tell
 */
/** @param asAsked as `openLoopMetrics` */
export function servedMetrics<M extends Span>(
  client: (m: M) => { replies: number; busyShare: number },
  asAsked: (m: M) => boolean = () => true,
) {
  const requests = (m: M) => between(m, (snapshot) => snapshot.requests) ?? client(m).replies;
  const perRequest =
    (of: (m: M, circumstances: Circumstances) => number | null) => (m: M, circumstances: Circumstances) =>
      ratio(of(m, circumstances), requests(m));
  /** Costs at different loads do not compare. */
  const openPerRequest = (of: (m: M) => number) => (m: M) => (asAsked(m) ? ratio(of(m), requests(m)) : null);
  const core =
    (...states: CpuState[]) =>
    (m: M, circumstances: Circumstances) =>
      ratio(onServerCpus(m, states, circumstances), requests(m));
  // Loopback charges the delivery of a packet to its sender: only the sum of both sides is free of who paid. The client's
  // busy share leaves out what its pacer spins.
  const bothUs = (m: M) => cpuUs(m) + client(m).busyShare * wallUs(m);
  return [
    {
      id: 'cpu-per-request',
      title: 'Server CPU per request',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning:
        'User and system time of the server process at peak, divided by the requests of the window. Lower is better; a rising line is the price of descriptors on which nothing happens.',
      from: closed,
      of: perRequest(cpuUs),
    },
    {
      id: 'carrier-cpu-per-request',
      title: 'CPU of the virtual machine per request',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning:
        'What the process of the virtual machine took, counted outside, divided by the requests of the window: the server, its kernel, the devices, and emulation where there is any.',
      from: closed,
      of: perRequest((m) => carrierCpuUs(m)),
    },
    {
      id: 'total-cpu-per-request',
      title: 'Client and server CPU per request',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: closed,
      of: perRequest(bothUs),
    },
    {
      id: 'open-total-cpu-per-request',
      title: 'Client and server CPU per request, open loop',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: open,
      of: openPerRequest(bothUs),
    },
    {
      id: 'cpu-user',
      title: 'Server CPU per request, user',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: peak,
      of: perRequest(part(userUs)),
    },
    {
      id: 'cpu-system',
      title: 'Server CPU per request, system',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: peak,
      of: perRequest(part(systemUs)),
    },
    {
      id: 'core-user',
      title: "Time of the server's CPU per request, user",
      unit: 'µs',
      better: 'neither',
      digits: 2,
      meaning: '',
      from: peak,
      of: core('userUs', 'niceUs'),
    },
    {
      id: 'core-system',
      title: "Time of the server's CPU per request, system",
      unit: 'µs',
      better: 'neither',
      digits: 2,
      meaning: '',
      from: peak,
      of: core('systemUs'),
    },
    {
      id: 'core-softirq',
      title: "Time of the server's CPU per request, irq and softirq",
      unit: 'µs',
      better: 'neither',
      digits: 2,
      meaning: '',
      from: peak,
      of: core('irqUs', 'softirqUs'),
    },
    {
      id: 'open-cpu-per-request',
      title: 'Server CPU per request, open loop',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning:
        'While requests arrive by a schedule that does not wait: few events arrive per wait, so a scan is shared by fewer requests. The cost of a server without a pause stops at one second over the rate.',
      from: open,
      of: openPerRequest(cpuUs),
    },
    {
      id: 'memory',
      title: 'Memory of the server',
      unit: 'MiB',
      better: 'lower',
      digits: 1,
      meaning:
        'Resident at the end of the window, of all its processes; pages that several share are divided among them where the system tells.',
      from: peak,
      of: ({ after }: M) => (after.tree?.pssBytes ?? after.rssBytes) / 2 ** 20,
    },
    {
      id: 'processes-per-request',
      title: 'Processes started per request',
      unit: '',
      better: 'neither',
      digits: 2,
      meaning: '',
      from: closed,
      of: perRequest((m) => between(m, ({ tree }) => tree?.processesStarted)),
    },
    {
      id: 'events-per-wait',
      title: 'Events per wait',
      unit: '',
      better: 'neither',
      digits: 2,
      meaning: '',
      from: closed,
      of: (m: M) => ratio(counted(m, 'events'), counted(m, 'waits')),
    },
    {
      id: 'waits-per-request',
      title: 'Waits per request',
      unit: '',
      better: 'neither',
      digits: 3,
      meaning: '',
      from: closed,
      of: perRequest((m) => counted(m, 'waits')),
    },
    {
      id: 'switches-per-request',
      title: 'Context switches per request',
      unit: '',
      better: 'neither',
      digits: 3,
      meaning: '',
      from: closed,
      of: perRequest(switches),
    },
    {
      id: 'server-busy',
      title: 'Server busy share',
      unit: '',
      better: 'neither',
      digits: 2,
      meaning: '',
      from: closed,
      of: (m: M) => ratio(cpuUs(m), wallUs(m)),
    },
    {
      id: 'client-busy',
      title: 'Client busy share',
      unit: '',
      better: 'neither',
      digits: 2,
      meaning: '',
      from: peak,
      of: (m: M) => client(m).busyShare,
    },
  ] as const;
}

const quantileOf = { p50: 0.5, p99: 0.99 } as const;

/**
 * µs; null where the replies cannot support the percentile: no two of them enclose it at 95 %, which for the 99th takes
 * 368 (`quantileRanks`).
 */
const us = (latency: LoadFigures['latency'], name: 'p50' | 'p99') =>
  quantileRanks(latency.count, quantileOf[name]) ? latency[name] / 1000 : null;

const medianOpen = {
  id: 'latency-p50',
  title: 'Median latency, open loop',
  unit: 'µs',
  better: 'lower',
  digits: 1,
  meaning:
    'From the intended send time, so that a stalled server cannot hide its stall: half of the replies came sooner.',
  from: open,
} as const;

const tailOpen = {
  id: 'latency-p99',
  title: '99th percentile of latency, open loop',
  unit: 'µs',
  better: 'lower',
  digits: 1,
  meaning: 'From the intended send time: one reply in a hundred took longer than this.',
  from: open,
} as const;

const replyRate = {
  id: 'reply-rate',
  title: 'Reply rate',
  unit: 'replies/s',
  better: 'higher',
  digits: 0,
  meaning:
    'Replies per second at the offered rate. The straight part follows the offer; the knee is saturation.',
  from: open,
} as const;

/**
 * What the client saw of replies to requests that were offered by a schedule.
 * @param asAsked whether all were offered that others were; of less no latency compares with theirs
 */
export function openLoopMetrics<M>(
  seen: (m: M) => { achievedRate: number; latency: LoadFigures['latency'] },
  asAsked: (m: M) => boolean = () => true,
) {
  const latency = (name: 'p50' | 'p99') => (m: M) => (asAsked(m) ? us(seen(m).latency, name) : null);
  return [
    { ...medianOpen, of: latency('p50') },
    { ...tailOpen, of: latency('p99') },
    { ...replyRate, of: (m: M) => seen(m).achievedRate },
  ] as const;
}

/** How unevenly something is spread over workers; null where there is one, or nothing of it. */
function uneven(
  counts: readonly number[] | undefined,
  of: (spread: { max: number; mean: number; deviation: number }) => number,
): number | null {
  if (!counts || counts.length < 2) return null;
  const mean = counts.reduce((sum, one) => sum + one, 0) / counts.length;
  // Of all workers there are, not of a sample of them.
  const deviation = Math.sqrt(counts.reduce((sum, one) => sum + (one - mean) ** 2, 0) / counts.length);
  return mean === 0 ? null : of({ max: Math.max(...counts), mean, deviation });
}

/**
 * How workers of one server share connections and work. Connections are those since the server started: most of them stand
 * before a window begins.
 */
export function workerMetrics<M extends Span>() {
  const accepted = ({ after }: M) => after.workers?.map((one) => one.accepted);
  const served = ({ before, after }: M) =>
    after.workers?.map(({ requests }, index) => requests - (before.workers?.[index]?.requests ?? 0));
  return [
    {
      id: 'accepts-max-over-mean',
      title: 'Connections of the busiest worker over the mean',
      unit: '×',
      better: 'lower',
      digits: 2,
      meaning:
        'Connections that the worker with most of them has accepted since the server started, over the mean of all workers: 1 is even, the number of workers means that one has them all.',
      from: peak,
      of: (m: M) => uneven(accepted(m), ({ max, mean }) => max / mean),
    },
    {
      id: 'accepts-variation',
      title: 'Variation of connections over workers',
      unit: '%',
      better: 'lower',
      digits: 1,
      meaning: 'Standard deviation of the connections that workers have accepted, in percent of their mean.',
      from: peak,
      of: (m: M) => uneven(accepted(m), ({ deviation, mean }) => (100 * deviation) / mean),
    },
    {
      id: 'requests-max-over-mean',
      title: 'Requests of the busiest worker over the mean',
      unit: '×',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: peak,
      of: (m: M) => uneven(served(m), ({ max, mean }) => max / mean),
    },
    {
      id: 'empty-accepts',
      title: 'Wake-ups of workers for a connection that another one had',
      unit: '%',
      better: 'lower',
      digits: 1,
      meaning:
        'The thundering herd: how often workers were woken in vain, in percent of the connections that were accepted.',
      from: peak,
      of: ({ after: { workers, accepted: all } }: M) =>
        workers ? ratio(100 * workers.reduce((sum, one) => sum + one.emptyAccepts, 0), all) : null,
    },
  ] as const;
}

/** How often something was done in a second by whoever did nothing else. */
export const throughput = {
  id: 'throughput',
  title: 'Peak throughput',
  unit: 'req/s',
  better: 'higher',
  digits: 0,
  meaning:
    'Closed loop: every connection sends its next request when the reply is there. Higher is better; where the client was the limit, the server CPU per request below decides.',
} as const;

/** What a closed loop reached, by whichever client. */
export function peakMetrics<M extends Span>(seen: (m: M) => { achievedRate: number; busyShare: number }) {
  return [
    { ...throughput, from: closed, of: (m: M) => seen(m).achievedRate },
    {
      id: 'server-limited-throughput',
      title: 'Peak throughput of server-limited windows',
      unit: 'req/s',
      better: 'neither',
      digits: 0,
      meaning:
        'Of windows only in which the server was busy and the client had time to spare: a server that takes many events per wait looks busy without being the limit.',
      from: closed,
      of: (m: M) =>
        serverBusyShare(m) >= busyServer && seen(m).busyShare <= spareClient ? seen(m).achievedRate : null,
    },
  ] as const;
}

/** The same in both loops, of clients with standing connections or sockets. */
export function loadMetrics<M extends Span>(figures: (m: M) => LoadFigures, asAsked?: (m: M) => boolean) {
  return [
    ...peakMetrics((m: M) => ({
      achievedRate: figures(m).achievedRate,
      busyShare: figures(m).client.busyShare,
    })),
    ...openLoopMetrics(figures, asAsked),
    {
      id: 'closed-latency-p99',
      title: '99th percentile of latency, closed loop',
      unit: 'µs',
      better: 'lower',
      digits: 1,
      meaning: '',
      from: closed,
      of: (m: M) => us(figures(m).latency, 'p99'),
    },
  ] as const;
}
