/** Every gate and warning, provoked by values; the same evidence without the value raises none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import type { NetworkCounters } from '../../src/contract/host.js';
import type { LinkPassage, LinkShape } from '../../src/contract/link.js';
import type { LoadResult } from '../../src/contract/load.js';
import type { Span } from '../../src/contract/sample.js';
import { doubts, type Judged } from '../../src/run/doubts.js';
import type { MeasurementOf } from '../../src/trials/registry.js';
import { measured } from '../../src/trials/sample.js';
import { syntheticSample, udpSample } from '../support/samples.js';

const quiet: NetworkCounters = {
  listenOverflows: 0,
  listenDrops: 0,
  reqQFullDrop: 0,
  reqQFullDoCookies: 0,
  synRetransmits: 0,
  delayedAcks: 0,
  udpRcvbufErrors: 0,
  udpSndbufErrors: 0,
  udpInErrors: 0,
};

const synthetic = syntheticSample({ cell: {}, cpuUs: 10 });
const base = {
  closed: measured(synthetic, 'closed', 'load')!,
  open: measured(synthetic, 'open', 'load')!,
};

/** The same measurement by a server that was busy for this share of the time. */
function busyFor<M extends Pick<MeasurementOf<'load'>, 'before' | 'after'>>(measurement: M, busy: number): M {
  const { before, after } = measurement;
  const wallUs = (after.monotonicNs - before.monotonicNs) / 1000;
  const cpu = { userUs: before.cpu.userUs + wallUs * busy, systemUs: before.cpu.systemUs };
  return { ...measurement, after: { ...after, cpu } };
}

type Idle = MeasurementOf<'load'>['idle'];
const standing: Idle = { asked: 10, standing: 10, seenByServer: 10, reconnects: 0 };

/** With changes to the client's result. */
function windowWith(
  name: 'closed' | 'open',
  busy: number,
  load: Partial<LoadResult> = {},
  idle: Idle = standing,
): MeasurementOf<'load'> {
  const one = base[name];
  return { ...busyFor(one, busy), idle, load: { ...one.load, ...load } };
}

const client = (busyShare: number) => ({ ...base.closed.load.client, busyShare });
const errors = (kind: 'reset' | 'timeout', count: number) => ({ ...base.closed.load.errors, [kind]: count });

const { host } = synthetic;
const best = { spin: 1_000_000, memoryWalk: 10, pingPong: 30_000 };
const sound: Judged = {
  measurements: { closed: windowWith('closed', 0.97), open: windowWith('open', 0.1) },
  network: { server: quiet, client: null },
  pinning: { server: [1], client: [0], shared: false, siblings: false },
  loadBefore: { average: 0.2, pressure: 1 },
  host: { ...host, vcpus: 2, clockStepNs: 30 },
  clientHost: { ...host, vcpus: 2, clockStepNs: 30 },
  awake: { cpus: [0, 1], reason: null },
  calibrationNs: 1_010_000,
  machine: null,
};

/** 98 % of the latencies at 100 µs, 2 % at 40 ms. */
const delayed = () => latencies([1e5, 980], [41e6, 20]);

/** Latencies by their number, in a histogram. */
function latencies(...counted: readonly (readonly [ns: number, count: number])[]): LoadResult['latency'] {
  const histogram = build({ highestTrackableValue: 60e9, numberOfSignificantValueDigits: 3 });
  for (const [ns, count] of counted) histogram.recordValueWithCount(ns, count);
  return { ...base.open.load.latency, histogram: encodeIntoCompressedBase64(histogram) };
}

/** So many replies in each second of a window of that length. */
const seconds = (...received: readonly number[]) =>
  datagrams({
    windowNs: received.length * 1e9,
    replies: received.length * rate,
    series: received.map((count) => ({
      sent: count,
      received: count,
      bytesIn: 64 * count,
      mean: 1e5,
      p50: 1e5,
      p99: 1e5,
      max: 1e5,
    })),
  });

/** A busy server, and one datagram lost of 2000, there. */
function udpLoss(where: 'clientSocket' | 'serverSocket'): Judged['measurements'] {
  const lost = udpSample({ backend: 'epoll', ports: 10, offered: null, cpuUs: 10, lost: 1 });
  const closed = busyFor(measured(lost, 'closed', 'datagrams')!, 0.95);
  const loss = { ...closed.datagrams.loss, clientSocket: 0, serverSocket: 0, [where]: 1 };
  return { closed: { ...closed, datagrams: { ...closed.datagrams, loss } } };
}

/** Datagrams at an idle server, with changes to the client's result. */
function datagrams(changes: Partial<MeasurementOf<'datagrams'>['datagrams']> = {}): Judged['measurements'] {
  const sample = udpSample({ backend: 'epoll', ports: 10, offered: 2000, cpuUs: 10 });
  const open = busyFor(measured(sample, 'open', 'datagrams')!, 0.1);
  return { open: { ...open, datagrams: { ...open.datagrams, ...changes } } };
}

const open = (busy: number, load: Partial<LoadResult>) => ({
  measurements: { open: windowWith('open', busy, load) },
});
const closed = (busy: number, load: Partial<LoadResult>) => ({
  measurements: { closed: windowWith('closed', busy, load) },
});
/** In a virtual machine whose process was so busy. */
function carried<S extends Span>(span: S, share: number): S {
  const wallUs = (span.after.monotonicNs - span.before.monotonicNs) / 1000;
  const carrierCpu = { userUs: 5e6, systemUs: 0 };
  return {
    ...span,
    before: { ...span.before, carrierCpu },
    after: { ...span.after, carrierCpu: { ...carrierCpu, userUs: 5e6 + share * wallUs } },
  };
}
const idle = (changes: Partial<NonNullable<Idle>>) => ({
  measurements: { closed: windowWith('closed', 0.97, {}, { ...standing, ...changes }) },
});
const network = (changes: Partial<NetworkCounters>) => ({
  network: { server: { ...quiet, ...changes }, client: null },
});
const rate = base.open.load.offeredRate!;
const behind = { achievedRate: rate * 0.9, replies: Math.round(base.open.load.replies * 0.9) };

/** A link of 20 ms each way, and what it says of a trial. */
const slow: LinkShape = { delayNs: 20e6, lossShare: 0, bitsPerSecond: null, limitPackets: 1000 };
const passage: LinkPassage = {
  packets: 100,
  bytes: 10_000,
  passed: 100,
  passedBytes: 10_000,
  lost: 0,
  overflowed: 0,
  dropped: 0,
  lateness: { meanNs: 15_000, p50Ns: 12_000, p99Ns: 60_000, maxNs: 90_000 },
};
const across = (
  change: Partial<Judged>,
  shape: Partial<LinkShape> = {},
  seen: Partial<LinkPassage> = {},
): Partial<Judged> => ({
  ...change,
  link: { up: { ...passage, ...seen }, down: passage },
  host: {
    ...sound.host,
    link: { up: { ...slow, ...shape }, down: slow, means: 'relay', seed: 1, cpus: [0], realtime: true },
  },
});

const cases: { name: string; change: Partial<Judged>; id: string | null; invalidates?: boolean }[] = [
  { name: 'nothing wrong', change: {}, id: null },
  {
    name: 'nothing wrong across a link that only delays',
    change: across({}),
    id: null,
  },
  {
    name: 'a closed loop across a link, with neither side at its limit',
    change: across(closed(0.02, { client: client(0.02) })),
    id: 'link-limit',
    invalidates: false,
  },
  {
    name: 'behind schedule across a link that only delays',
    change: across(open(0.5, behind)),
    id: 'behind-schedule',
    invalidates: true,
  },
  {
    name: 'behind schedule across a link that loses packets',
    change: across(open(0.5, behind), { lossShare: 0.01 }),
    id: 'link-limit',
    invalidates: false,
  },
  {
    name: 'behind schedule across a link with a rate',
    change: across(open(0.5, behind), { bitsPerSecond: 1e6 }),
    id: 'link-limit',
    invalidates: false,
  },
  {
    name: 'timeouts across a link that loses packets',
    change: across(open(0.5, { errors: errors('timeout', 3) }), { lossShare: 0.01 }),
    id: 'link-timeouts',
    invalidates: false,
  },
  {
    name: 'timeouts across a link that only delays',
    change: across(open(0.5, { errors: errors('timeout', 3) })),
    id: 'errors',
    invalidates: true,
  },
  {
    name: 'replies that take what the link takes, 40 ms',
    change: across(open(0.1, { latencyUncorrected: latencies([40.4e6, 1000]) })),
    id: null,
  },
  {
    name: 'a mode at 40 ms beyond what the link takes',
    change: across(open(0.1, { latencyUncorrected: latencies([40.4e6, 980], [81e6, 20]) })),
    id: 'delayed-ack',
    invalidates: true,
  },
  {
    name: 'SYN sent again over a link that loses packets',
    change: across(network({ synRetransmits: 1 }), { lossShare: 0.01 }),
    id: 'syn-retransmit',
    invalidates: false,
  },
  {
    name: 'a link whose queue overflowed',
    change: across({}, {}, { overflowed: 4, dropped: 4 }),
    id: 'link-queue',
    invalidates: false,
  },
  {
    name: 'a link that is late',
    change: across({}, {}, { lateness: { ...passage.lateness!, meanNs: 300_000 } }),
    id: 'link-late',
    invalidates: false,
  },
  {
    name: 'a closed loop with neither side at its limit',
    change: closed(0.6, { client: client(0.5) }),
    id: 'nobodys-limit',
    invalidates: true,
  },
  {
    name: 'a closed loop whose server has time to spare in a virtual machine that has none',
    change: { measurements: { closed: carried(windowWith('closed', 0.6, { client: client(0.5) }), 0.98) } },
    id: null,
  },
  {
    name: 'an open loop with neither side at its limit',
    change: open(0.6, { client: client(0.5) }),
    id: null,
  },
  {
    name: 'behind schedule, idle server',
    change: open(0.5, behind),
    id: 'behind-schedule',
    invalidates: true,
  },
  { name: 'behind schedule, busy server', change: open(0.95, behind), id: 'overload', invalidates: false },
  {
    name: 'an open loop that a busy server only just answers',
    change: open(0.95, {}),
    id: 'overload',
    invalidates: false,
  },
  {
    name: 'connections that stood after 1 s and 3 s',
    change: open(0.1, { connect: latencies([8e4, 97], [1.02e9, 2], [3.05e9, 1]) }),
    id: 'repeated-connect',
    invalidates: false,
  },
  {
    name: 'connections that took any time up to 2 s',
    change: open(0.1, { connect: latencies([2e8, 5], [8e8, 5], [1.02e9, 5], [1.3e9, 5], [2e9, 5]) }),
    id: null,
  },
  {
    name: 'response times that read 0',
    change: open(0.1, { latencyUncorrected: latencies([0, 600], [4e6, 400]) }),
    id: 'zero-latency',
    invalidates: true,
  },
  {
    name: 'a rate that rises in the window',
    change: { measurements: seconds(...Array(6).fill(700), ...Array(9).fill(1000)) },
    id: 'warm-up',
    invalidates: false,
  },
  {
    name: 'a rate that still changes at its end',
    change: { measurements: seconds(...Array(12).fill(1000), 500, 500) },
    id: 'warm-up',
    invalidates: false,
  },
  {
    name: 'a steady rate',
    change: { measurements: seconds(1000, 1001, 999, 1000, 1003, 1000, 998, 1000, 1001, 1000, 999, 1000) },
    id: null,
  },
  {
    name: 'a step too small to matter',
    change: { measurements: seconds(...Array(6).fill(980), ...Array(9).fill(1000)) },
    id: null,
  },
  {
    name: 'a window too short for a series',
    change: { measurements: seconds(700, 1000, 1000, 1000, 1000, 1000, 1000) },
    id: null,
  },
  {
    name: 'three replies missing at the end of a window',
    change: open(0.5, { replies: base.open.load.replies - 3 }),
    id: null,
  },
  {
    name: 'busy client, idle server',
    change: closed(0.8, { client: client(0.9) }),
    id: 'client-saturated',
    invalidates: true,
  },
  { name: 'busy client, busy server', change: closed(0.95, { client: client(0.99) }), id: null },
  {
    name: 'client says so, idle server',
    change: open(0.2, { saturation: ['lag grows'] }),
    id: 'client-saturated',
    invalidates: true,
  },
  { name: 'client says so, busy server', change: closed(0.95, { saturation: ['lag grows'] }), id: null },
  {
    name: 'reset connections',
    change: closed(0.95, { errors: errors('reset', 2) }),
    id: 'errors',
    invalidates: true,
  },
  {
    name: "replies dropped at the client's sockets beside a busy server",
    change: { measurements: udpLoss('clientSocket') },
    id: 'client-drops',
    invalidates: true,
  },
  {
    name: "datagrams dropped at the busy server's sockets",
    change: { measurements: udpLoss('serverSocket') },
    id: null,
  },
  { name: 'no replies', change: closed(0.95, { replies: 0 }), id: 'no-replies', invalidates: true },
  {
    name: 'a mode at 40 ms',
    change: open(0.1, { latencyUncorrected: delayed() }),
    id: 'delayed-ack',
    invalidates: true,
  },
  {
    name: 'the same among datagrams, which nobody acknowledges',
    change: { measurements: datagrams({ latencyUncorrected: delayed() }) },
    id: null,
  },
  {
    name: 'listen queue overflow',
    change: network({ listenOverflows: 1 }),
    id: 'listen-overflow',
    invalidates: true,
  },
  {
    name: 'connections of somebody else beside a trial of datagrams',
    change: {
      measurements: datagrams(),
      ...network({ listenOverflows: 1, synRetransmits: 1 }),
    },
    id: null,
  },
  {
    name: 'listen drops',
    change: network({ listenDrops: 2 }),
    id: 'listen-overflow',
    invalidates: true,
  },
  {
    name: 'request queue full',
    change: network({ reqQFullDrop: 1 }),
    id: 'listen-overflow',
    invalidates: true,
  },
  {
    name: 'SYN sent again',
    change: network({ synRetransmits: 1 }),
    id: 'syn-retransmit',
    invalidates: true,
  },
  {
    name: 'UDP buffers full',
    change: network({ udpRcvbufErrors: 5 }),
    id: 'udp-buffers',
    invalidates: false,
  },
  {
    name: "SYN sent again, by the client's own network",
    change: { network: { server: quiet, client: { ...quiet, synRetransmits: 1 } } },
    id: 'syn-retransmit',
    invalidates: true,
  },
  { name: 'no kernel counters', change: { network: null }, id: null },
  {
    name: 'fewer idle connections than asked',
    change: idle({ standing: 9 }),
    id: 'idle-count',
    invalidates: true,
  },
  {
    name: 'the server counts other idle connections',
    change: idle({ seenByServer: 8 }),
    id: 'idle-count',
    invalidates: true,
  },
  {
    name: 'idle connections broke',
    change: idle({ reconnects: 1 }),
    id: 'idle-reconnects',
    invalidates: true,
  },
  { name: 'a server that does not tell its connections', change: idle({ seenByServer: null }), id: null },
  {
    name: 'no idle connections',
    change: { measurements: { closed: windowWith('closed', 0.97, {}, null) } },
    id: null,
  },
  {
    name: 'coarse clock of the server',
    change: { host: { ...sound.host, clockStepNs: 4_000_000 } },
    id: 'clock-step',
    invalidates: true,
  },
  {
    name: 'coarse clock of the client',
    change: { clientHost: { ...sound.host, clockStepNs: 4_000_000 } },
    id: 'clock-step',
    invalidates: true,
  },
  {
    name: 'one CPU',
    change: { pinning: { server: [0], client: [0], shared: true, siblings: false } },
    id: 'shared-cpu',
    invalidates: false,
  },
  {
    name: 'two threads of a core',
    change: { pinning: { ...sound.pinning, siblings: true } },
    id: 'shared-core',
    invalidates: false,
  },
  {
    name: 'CPUs that sleep',
    change: { awake: { cpus: [], reason: 'keep CPUs awake: function not implemented' } },
    id: 'sleeping-cpu',
    invalidates: false,
  },
  {
    name: 'loaded machine without pressure figures',
    change: { loadBefore: { average: 1.8, pressure: null } },
    id: 'busy-machine',
    invalidates: false,
  },
  {
    name: 'CPU pressure',
    change: { loadBefore: { average: 0, pressure: 30 } },
    id: 'busy-machine',
    invalidates: false,
  },
  {
    name: 'what the run itself did a minute ago',
    change: { loadBefore: { average: 1.8, pressure: 0 } },
    id: null,
  },
  { name: 'no pressure figures', change: { loadBefore: { average: 0, pressure: null } }, id: null },
  { name: 'slower machine', change: { calibrationNs: 1_100_000 }, id: 'calibration', invalidates: false },
];

for (const { name, change, id, invalidates } of cases) {
  test(name, () => {
    const found = doubts({ ...sound, ...change }, best);
    assert.deepEqual(
      found.map((one) => [one.id, one.invalidates]),
      id === null ? [] : [[id, invalidates]],
    );
    for (const { message } of found)
      assert.ok(message.length > 20 && !/NaN|undefined/.test(message), message);
  });
}
