/** Synthetic runs for tests of analysis and report: seeded, cheap, and clearly not measured. */
import type { BackendName, Implementation, IoMode } from '../../src/contract/common.js';
import type { DatagramResult } from '../../src/contract/dgram.js';
import type { HostFacts } from '../../src/contract/host.js';
import type { Latency, LoadFigures, LoadResult } from '../../src/contract/load.js';
import type { RunInfo } from '../../src/contract/run.js';
import { SCHEMA_VERSION } from '../../src/contract/sample.js';
import type { Hello } from '../../src/contract/server.js';
import { noCounts } from '../../src/dgram-benchmark/js-ledger.js';
import { emptyHistogram, latencyOfHistogram } from '../../src/load/histogram.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';
import type { MeasurementOf } from '../../src/trials/registry.js';
import { measured, type Sample } from '../../src/trials/sample.js';

/** Standard normal by Box and Muller. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export const host: HostFacts = {
  name: 'synthetic',
  executionClass: 'native',
  hypervisor: null,
  accelerator: null,
  vcpus: 2,
  cpuModel: 'Synthetic CPU',
  memoryBytes: 8 * 2 ** 30,
  kernel: 'Linux 6.1.0',
  clockSource: 'tsc',
  clockStepNs: 20,
  congestionControl: 'cubic',
  cpuAccounting: 'precise',
  transport: 'loopback',
};

const histograms = new Map<number, Latency>();

/** A log-normal latency distribution around `median` nanoseconds; histograms are shared between equal medians. */
function latencyAround(median: number): Latency {
  const known = histograms.get(median);
  if (known) return known;
  const random = randomFrom(median);
  const histogram = emptyHistogram();
  for (let i = 0; i < 2000; i++) histogram.recordValue(Math.round(median * Math.exp(0.25 * normal(random))));
  const latency = latencyOfHistogram(histogram);
  histograms.set(median, latency);
  return latency;
}

export interface Trial {
  experiment?: string;
  cell: Sample['cell'];
  block?: number;
  sequence?: number;
  status?: Sample['status'];
  /** µs of server CPU per request; decides the peak rate as well */
  cpuUs: number;
  /** ns */
  medianLatency?: number;
  rate?: number;
}

const errors: LoadResult['errors'] = {
  refused: 0,
  reset: 0,
  timeout: 0,
  addressUnavailable: 0,
  descriptorUnavailable: 0,
  mismatch: 0,
  status: 0,
  closed: 0,
  other: 0,
};

function windowOf(
  mode: 'closed' | 'open',
  rate: number,
  cpuUs: number,
  medianLatency: number,
): MeasurementOf<'load'> {
  const seconds = 1;
  const requests = Math.round(rate * seconds);
  const latency = latencyAround(medianLatency);
  const at = (share: number) => ({
    monotonicNs: 1e9 + share * seconds * 1e9,
    requests: share * requests,
    connections: 100,
    accepted: 100,
    closed: 0,
    bytesIn: share * requests * 64,
    bytesOut: share * requests * 64,
    rejected: 0,
    cpu: { userUs: share * requests * cpuUs * 0.3, systemUs: share * requests * cpuUs * 0.7 },
    contextSwitches: { voluntary: Math.round(share * requests * 0.2), involuntary: 0 },
    rssBytes: 20e6,
    peakRssBytes: 20e6,
    counters: {
      waits: Math.round((share * requests) / 4),
      emptyWaits: 0,
      saturatedWaits: 0,
      events: share * requests,
      rawEvents: share * requests,
      changeCalls: 0,
      submissions: 0,
      changes: 0,
      stale: 0,
      spurious: 0,
      rearms: 0,
      interrupted: 0,
    },
    eventsPerWait: null,
    tree: null,
  });
  const load: LoadResult = {
    event: 'result',
    protocol: 'tcp-echo',
    mode,
    arrival: mode === 'open' ? 'fixed' : null,
    target: '127.0.0.1:1',
    connections: 100,
    size: 64,
    pipelining: 1,
    windowNs: seconds * 1e9,
    warmupNs: 0,
    offeredRate: mode === 'open' ? rate : null,
    requests,
    replies: requests,
    achievedRate: rate,
    reconnects: 0,
    backlogged: 0,
    bytesIn: requests * 64,
    bytesOut: requests * 64,
    errors,
    latency,
    latencyUncorrected: latency,
    sendLag: mode === 'open' ? latency : null,
    connect: latency,
    client: { cpuAffinity: [1], busyShare: 0.5, spinShare: 0.1, cpuUs: 500_000, pacer: null },
    saturation: [],
  };
  return {
    kind: 'load',
    load,
    idle: null,
    windows: 1,
    retaken: 0,
    askedRate: null,
    before: at(0),
    after: at(1),
    cpus: null,
  };
}

/** What the server of a cell says; one without a backend is somebody else's. */
function helloOf({ impl = 'native', backend = 'epoll' }: Sample['cell']): Hello {
  const announced = {
    event: 'hello' as const,
    protocol: 'tcp-echo' as const,
    address: '127.0.0.1',
    port: 1,
    ports: 1,
    pid: 1,
    kernel: host.kernel,
    descriptorLimit: { soft: 20_000, hard: 20_000 },
    cpuAffinity: [0],
    versions: { node: '20.0.0' },
    digest: '0123456789abcdef',
  };
  if (backend === null)
    return { ...announced, subject: 'foreign', command: [`${impl}`], accounting: 'rusage', readyAfterMs: 10 };
  return {
    ...announced,
    subject: 'dispatch',
    impl: impl as Implementation,
    backend: backend as BackendName,
    io: null,
    capabilities: null,
    compilerFlags: '-O2',
    budgets: null,
    listenBacklog: 4096,
    nodelay: true,
    congestionControl: 'reno',
  };
}

export function syntheticSample(trial: Trial): Sample {
  const { cell, cpuUs, medianLatency = 60_000, rate = 2000, status = 'ok' } = trial;
  return {
    schemaVersion: SCHEMA_VERSION,
    experiment: trial.experiment ?? 'idle-connections',
    cell,
    block: trial.block ?? 0,
    sequence: trial.sequence ?? 0,
    startedAt: '2026-01-01T00:00:00.000Z',
    durationMs: 3000,
    status,
    error: status === 'failed' || status === 'impossible' ? `synthetic ${status} trial` : null,
    gates:
      status === 'invalid'
        ? [{ id: 'client-saturated', invalidates: true, message: 'The client used 97 % of its CPU.' }]
        : [],
    host,
    clientHost: host,
    serverProcesses: 1,
    awake: null,
    server: helloOf(cell),
    pinning: { server: [0], client: [1], shared: false, siblings: false },
    loadBefore: { average: 0.1, pressure: 0 },
    calibrationNs: 1e6,
    machine: null,
    measurements:
      status === 'ok' || status === 'invalid'
        ? {
            closed: windowOf('closed', 1e6 / cpuUs, cpuUs, medianLatency),
            open: windowOf('open', rate, cpuUs * 1.4, medianLatency),
          }
        : {},
    network: null,
  };
}

export interface UdpTrial extends Omit<Trial, 'cell' | 'experiment'> {
  backend: string;
  impl?: string;
  io?: IoMode | null;
  ports: number;
  /** null: closed loop */
  offered: number | null;
  lost?: number;
  /** mean response time of each second, ns; its length is the window's */
  seconds?: readonly number[];
}

/** One trial of udp-ports: the window and the ledger that it has. */
export function udpSample(trial: UdpTrial): Sample {
  const { backend, impl = 'native', io = null, ports, offered, lost = 0, seconds = [], ...rest } = trial;
  const cell = { backend, impl, io, ports, rate: offered };
  const sample = syntheticSample({
    ...rest,
    experiment: 'udp-ports',
    cell,
    ...(offered === null ? {} : { rate: offered }),
  });
  const name = offered === null ? 'closed' : 'open';
  const load = measured(sample, name, 'load');
  if (!load) return sample;
  const { errors: _, reconnects: __, backlogged: ___, connect: ____, ...figures } = load.load;
  const sent = figures.requests;
  const datagrams: DatagramResult = {
    ...(figures satisfies LoadFigures),
    protocol: 'udp-echo',
    ports,
    portOrder: 'random',
    ...noCounts(),
    sent,
    received: sent - lost,
    lost,
    lossRate: lost / sent,
    loss: {
      clientSocket: 0,
      serverSocket: lost,
      serverUnread: 0,
      unreachable: 0,
      badReply: 0,
      unexplained: 0,
      seen: { clientSockets: true, serverSockets: true },
      system: null,
    },
    jitterNs: 100,
    series: seconds.map((mean) => ({
      sent: 10,
      received: mean > 0 ? 10 : 0,
      bytesIn: 640,
      mean,
      p50: mean,
      p99: mean,
      max: mean,
    })),
  };
  const { before, after, cpus } = load;
  return { ...sample, measurements: { [name]: { kind: 'datagrams', datagrams, before, after, cpus } } };
}

/** CPU per request (µs) of a mechanism with `idle` connections: the shape the suite expects, not a measurement. */
function cost(backend: string, impl: string, idle: number): number {
  const base = { baseline: 6.2, native: 6.4, ts: 7.1, libuv: 11 }[impl] ?? 7;
  const scan = { select: 0.009, poll: 0.012 }[backend] ?? 0;
  return base + scan * idle;
}

/** A trial of connections that stand: bytes for each of them, of the kernel for all its ends together. */
export function standingSample(trial: {
  connections: number;
  kernelBytes: number;
  serverBytes: number;
  ends?: 1 | 2;
  block?: number;
}): Sample {
  const { connections, kernelBytes, serverBytes, ends = 2, block = 0 } = trial;
  const base = syntheticSample({
    experiment: 'connection-memory',
    cell: { backend: 'epoll', impl: 'native', io: null, idle: connections },
    block,
    cpuUs: 1,
  });
  const { before } = measured(base, 'closed', 'load')!;
  const held = (standing: number) => ({
    memory: {
      usedBytes: 2 ** 30 + standing * (kernelBytes + serverBytes),
      kernelBytes: 2 ** 28 + standing * kernelBytes,
      tcpBufferPages: 3,
    },
    server: { ...before, rssBytes: 2 ** 22 + standing * serverBytes },
  });
  const standing: MeasurementOf<'standing'> = {
    kind: 'standing',
    connections,
    seenByServer: connections,
    reconnects: 0,
    ends,
    setUpNs: connections * 1e5,
    before: held(0),
    after: held(connections),
  };
  return { ...base, measurements: { standing } };
}

export interface SyntheticRun {
  trials?: number;
  /** relative noise of a trial, one standard deviation */
  noise?: number;
  seed?: number;
  idle?: readonly number[];
  backends?: readonly string[];
  impls?: readonly string[];
}

/** An idle-connections run: randomised only in its noise, so that tests can count on its layout. */
export function idleRun(options: SyntheticRun = {}): Sample[] {
  const { trials = 5, noise = 0.01, seed = 1, idle = [0, 1000, 4000, 16_000] } = options;
  const { backends = ['select', 'poll', 'epoll'], impls = ['baseline', 'native', 'ts', 'libuv'] } = options;
  const random = randomFrom(seed);
  const samples: Sample[] = [];
  for (let block = 0; block < trials; block++) {
    for (const impl of impls) {
      for (const backend of backends) {
        if (impl === 'libuv' && backend !== 'epoll') continue;
        for (const count of idle) {
          const cpuUs = cost(backend, impl, count) * (1 + noise * normal(random));
          const cell = { backend, impl, io: impl === 'ts' ? 'batch' : null, idle: count, connections: 100 };
          const medianLatency = Math.round((40 + cpuUs * 1.5) / 5) * 5000;
          samples.push(syntheticSample({ cell, block, sequence: samples.length, cpuUs, medianLatency }));
        }
      }
    }
  }
  return samples;
}

/** A run record to go with synthetic samples. */
export function runInfo(id = 'synthetic'): RunInfo {
  return {
    schemaVersion: SCHEMA_VERSION,
    id,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:02:00.000Z',
    stopReason: 'blocks',
    resumed: [],
    argv: ['run', 'idle-connections'],
    plan: {
      name: 'quick',
      seed: 1,
      budgetMs: 120_000,
      blocks: { min: 3, max: 5 },
      precision: 0.05,
      hosts: ['synthetic'],
      experiments: [{ experiment: 'idle-connections', profile: 'quick', settings: {} }],
    },
    limits: [],
    absent: [],
    hosts: {
      [host.name]: {
        facts: host,
        client: host,
        environment: {
          os: 'Synthetic OS',
          arch: 'x64',
          descriptorLimit: { soft: 20_000, hard: 20_000 },
          ephemeralPorts: { first: 32_768, last: 60_999 },
          mitigations: {},
          settings: {},
        },
        memoryCopy: { bytesPerSecond: 9e9, copies: 5, blockBytes: 1 << 25, lastLevelCacheBytes: null },
        pinning: { server: [0], client: [1], shared: false, siblings: false },
        versions: { node: '20.0.0', dispatchbench: '0.2.0' },
        addonDigest: '0123456789abcdef',
      },
    },
    git: { commit: '0123456789abcdef0123456789abcdef01234567', dirty: false },
  };
}
