/** Claims of the report on Wasm against Docker gateways (2026): a 4-core KVM guest, loopback, one blocking thread each. */
import { type Claim, publishedBy, type Selector } from './claim.js';

/** Docker runs where there is a daemon at hand. */
const supply = 'dispatchbench run gateways --profile report-2026 --host containers';

const published = publishedBy('gateway-report');

const native = 'native_local';
const embedded = 'wasm_host_wasmtime_embedded';
const perRequest = ['wasm_host_wasmtime', 'wasm_host_cli'];
/** Of Docker the row that is not held up by a proxy in the path decides; the report does not say which network it had. */
const others = ['native_docker', embedded, ...perRequest];

const started = (impl: string | string[]): Selector => ({ levels: { impl, asking: 'steadily' } });

/** Throughput as the report measured it: by wrk. */
const asked = (impl: string | string[], workload: string, connections?: number): Selector => ({
  levels: { impl, workload, client: 'wrk', ...(connections === undefined ? {} : { connections }) },
});

/** "About" so many times: within a factor of 1.5. */
const about = (times: number): { within: readonly [number, number] } => ({
  within: [times / 1.5, times * 1.5],
});

export const gatewayClaims: readonly Claim[] = [
  {
    ...published(
      'G1',
      'tables of cold start and of hello throughput',
      'Native has the lowest cold start and the highest hello throughput.',
      'cold start and hello throughput of every variant',
    ),
    experiment: 'gateway-throughput',
    supply,
    tests: [
      {
        kind: 'ratio',
        experiment: 'gateway-cold-start',
        metric: 'first-reply',
        of: started(others),
        to: started(native),
        expect: { above: 1 },
      },
      {
        kind: 'ratio',
        metric: 'throughput',
        of: asked(others, 'hello', 100),
        to: asked(native, 'hello', 100),
        expect: { below: 1 },
      },
    ],
  },
  {
    ...published(
      'G2',
      'table of cold start',
      'Docker cold start is substantially slower than native (17.8 times then).',
      'cold start of native_docker and native_local',
    ),
    experiment: 'gateway-cold-start',
    supply,
    tests: [
      {
        kind: 'ratio',
        metric: 'first-reply',
        of: started('native_docker'),
        to: started(native),
        expect: { above: 3 },
      },
    ],
  },
  {
    ...published(
      'G3',
      'table of warm latency',
      'Embedded Wasmtime approaches native warm latency: within 1 ms at the median.',
      'warm latency of both variants over connections of our own and with a curl process per request',
    ),
    experiment: 'gateway-latency',
    supply,
    // Microseconds.
    tests: [
      {
        kind: 'difference',
        metric: 'latency-p50',
        of: { levels: { impl: embedded, way: 'fresh' } },
        to: { levels: { impl: native, way: 'fresh' } },
        expect: { within: [-1000, 1000] },
      },
      {
        kind: 'difference',
        metric: 'curl-p50',
        of: { levels: { impl: embedded, way: 'curl' } },
        to: { levels: { impl: native, way: 'curl' } },
        expect: { within: [-1000, 1000] },
      },
    ],
  },
  {
    ...published(
      'G4',
      'section on warm-request latency',
      'Variants that start a command per request have a ceiling set by process spawn.',
      'hello throughput of the command variants, and what they start for a request, alone',
    ),
    experiment: 'gateway-throughput',
    supply,
    tests: [
      {
        kind: 'ratio',
        metric: 'throughput',
        of: asked(perRequest, 'hello', 100),
        to: { levels: { impl: perRequest, workload: 'hello', client: 'spawn' } },
        alike: ['impl'],
        expect: { within: [0.85, 1.15] },
      },
    ],
  },
  {
    ...published(
      'G5',
      'table of compute throughput',
      'For CPU-bound work native, Docker and embedded Wasm converge (within 3.7 % then).',
      'compute throughput at 100 connections of the three variants',
    ),
    experiment: 'gateway-throughput',
    supply,
    tests: [
      {
        kind: 'ratio',
        metric: 'throughput',
        of: asked(['native_docker', embedded], 'compute', 100),
        to: asked(native, 'compute', 100),
        expect: { within: [0.95, 1.05] },
      },
    ],
  },
  {
    ...published(
      'G6',
      'table of hello throughput',
      'Native collapses above 200 to 400 connections, an accept-queue artefact.',
      'hello throughput at 200 and 400 connections, with a longer listen queue and event-driven beside it',
    ),
    experiment: 'gateway-throughput',
    supply,
    tests: [
      {
        kind: 'ratio-along',
        metric: 'throughput',
        of: asked([native, 'native_backlog', 'event_epoll', 'event_poll', 'event_select'], 'hello'),
        deciding: asked(native, 'hello'),
        factor: 'connections',
        from: 200,
        reach: 400,
        expect: { below: 0.5 },
      },
    ],
  },
  {
    ...published(
      'G7',
      'table of resources',
      'Embedded Wasm needs about 7 times the CPU per request of native and about 25 times the memory.',
      'CPU per request and memory of both variants at hello/100, children included',
    ),
    experiment: 'gateway-resources',
    supply,
    tests: [
      {
        kind: 'ratio',
        metric: 'cpu-per-request',
        of: { levels: { impl: embedded } },
        to: { levels: { impl: native } },
        expect: about(7),
      },
      {
        kind: 'ratio',
        metric: 'memory',
        of: { levels: { impl: embedded } },
        to: { levels: { impl: native } },
        expect: about(25),
      },
    ],
  },
];
