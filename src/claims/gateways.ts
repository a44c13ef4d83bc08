/** Claims of seed 000 (Wasm against Docker gateways, 2026) and seed 002 (Wasm on devices). */
import type { Claim, ClaimTest, Selector } from './claim.js';

const run = 'dispatchbench run gateway';
const variant = (name: string | readonly string[], levels: Selector['levels'] = {}): Selector => ({
  levels: { variant: name, ...levels },
});
const others = ['native_docker', 'wasm_host_wasmtime_embedded', 'wasm_host_wasmtime', 'wasm_host_cli'];

const g = (id: string, where: string, statement: string, cells: string, tests: ClaimTest[]): Claim => ({
  id,
  source: { seed: '000', where },
  statement,
  experiment: 'gateway',
  cells,
  supply: run,
  tests,
});

const w = (id: string, where: string, statement: string, cells: string, tests: ClaimTest[]): Claim => ({
  id,
  source: { seed: '002', where },
  statement,
  experiment: 'wasm-device',
  cells,
  supply: 'dispatchbench run wasm-device',
  tests,
});

export const gatewayClaims: readonly Claim[] = [
  g(
    'G1',
    'tables cold-start, throughput-hello',
    'Native has the lowest cold start and the highest hello throughput.',
    'cold start and hello throughput of every variant',
    [
      {
        kind: 'ratio',
        metric: 'cold-start',
        of: variant(others),
        to: variant('native_local'),
        expect: { above: 1 },
      },
      {
        kind: 'ratio',
        metric: 'throughput',
        of: variant(others, { workload: 'hello' }),
        to: variant('native_local', { workload: 'hello' }),
        expect: { below: 1 },
      },
    ],
  ),
  g(
    'G2',
    'table cold-start',
    'Docker cold start is substantially slower than native (17.8 times then).',
    'cold start of native_docker and native_local',
    [
      {
        kind: 'ratio',
        metric: 'cold-start',
        of: variant('native_docker'),
        to: variant('native_local'),
        expect: { above: 3 },
      },
    ],
  ),
  g(
    'G3',
    'table warm-latency',
    'Embedded Wasmtime approaches native warm latency: within 1 ms at the median.',
    'warm latency of both variants with a persistent connection and with a curl process per request',
    [
      {
        kind: 'difference',
        metric: 'warm-latency-p50',
        of: variant('wasm_host_wasmtime_embedded'),
        to: variant('native_local'),
        expect: { within: [-1, 1] },
      },
    ],
  ),
  g(
    'G4',
    'section warm-latency',
    'Variants that start a command per request have a ceiling set by process spawn.',
    'hello throughput of the command variants, and the spawn cost of the same binary with an empty module',
    [
      {
        kind: 'ratio',
        metric: 'spawn-ceiling-ratio',
        of: variant(['wasm_host_wasmtime', 'wasm_host_cli']),
        to: variant('spawn-only'),
        expect: { within: [0.85, 1.15] },
      },
    ],
  ),
  g(
    'G5',
    'table throughput-compute',
    'For CPU-bound work native, Docker and embedded Wasm converge (within 3.7 % then).',
    'compute throughput at 100 connections of the three variants',
    [
      {
        kind: 'ratio',
        metric: 'throughput',
        of: variant(['native_docker', 'wasm_host_wasmtime_embedded'], {
          workload: 'compute',
          connections: 100,
        }),
        to: variant('native_local', { workload: 'compute', connections: 100 }),
        expect: { within: [0.95, 1.05] },
      },
    ],
  ),
  g(
    'G6',
    'table throughput-hello',
    'Native collapses above 200 to 400 connections, an accept-queue artefact.',
    'hello throughput at 200 and 400 connections with listen-queue counters, with short and long backlog and each backend',
    [
      {
        kind: 'ratio',
        metric: 'throughput',
        of: variant('native_local', { workload: 'hello', connections: 400 }),
        to: variant('native_local', { workload: 'hello', connections: 200 }),
        expect: { below: 0.5 },
      },
    ],
  ),
  g(
    'G7',
    'table resource',
    'Embedded Wasm needs about 7 times the CPU per request of native and about 25 times the memory.',
    'CPU per request and memory of both variants at hello/100, children included',
    [
      {
        kind: 'ratio',
        metric: 'cpu-per-request',
        of: variant('wasm_host_wasmtime_embedded', { workload: 'hello', connections: 100 }),
        to: variant('native_local', { workload: 'hello', connections: 100 }),
        expect: { above: 1 },
      },
    ],
  ),
  w(
    'W1',
    'question 2',
    'A call into Wasm costs a constant 221 µs or so over native on a small device (31.01 to 252.48 µs).',
    'call cost native and Wasm over argument size and work size',
    [],
  ),
  w(
    'W2',
    'questions 1 and 6',
    'Hot update of a module is about 7 times faster than a firmware restart (1.4 s against more than 10 s).',
    'time to the first request answered by a new module, against process restart and container replacement, under load',
    [],
  ),
  w(
    'W3',
    'question 3',
    'The same binary runs unchanged on device, edge and cloud.',
    'the same module digest on every engine and host of a run, with the same output',
    [],
  ),
  w(
    'W4',
    'question 5',
    'Memory per instance: Wasm 1 to 5 MB, Docker 50 to 200 MB, eBPF about 512 KB.',
    'marginal memory of the n-th instance, n = 1..64, per kind of instance',
    [],
  ),
];
