/**
 * Gateways against each other on this machine, alternating: every block measures each row once, in an order of its own, and
 * ratios are taken within blocks. What is not here is named with how to get it.
 *
 *     npm run bench:gateways [-- --quick] [-- --trials N] [-- --only 'event'] [-- --host containers]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type Workload, workloads } from '../src/contract/gateway.js';
import { machineOf } from '../src/experiments/experiment.js';
import { gatewaySubject, spawnedBy } from '../src/experiments/gateways.js';
import { onStage } from '../src/stage/on-stage.js';
import { type Blocked, blockedDifference, blockedRatio, type Interval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { kindOf, type Measurement, type MetricId, metric, type TrialSpec } from '../src/trials/registry.js';
import { hostOption, onCpus, pinning, roles, site } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    ...hostOption,
    quick: { type: 'boolean', default: false },
    trials: { type: 'string' },
    /** comparisons whose name holds this */
    only: { type: 'string', default: '' },
  },
});
const trials = Number(options.trials ?? (options.quick ? 1 : 5));
const durationMs = options.quick ? 1000 : 2000;
const spawns = options.quick ? 10 : 60;

const machine = machineOf(roles.server.look);
const random = randomFrom('gateways');

const native = 'native_local';
const embedded = 'wasm_host_wasmtime_embedded';

/** What one trial of a gateway is. */
interface Row {
  gateway: string;
  /** threads that get in each other's way need CPUs of their own: the client then shares them */
  everyCpu?: true;
  metric: MetricId;
  spec: TrialSpec;
}

const keyOf = ({ gateway, spec }: Row) =>
  `${gateway} ${spec.kind}${spec.kind === 'wrk' ? ` ${spec.path} ${spec.connections}` : ''}`;

const asked = (gateway: string, workload: Workload, connections = 100, id: MetricId = 'throughput'): Row => ({
  gateway,
  metric: id,
  spec: {
    kind: 'wrk',
    subject: gatewaySubject(gateway, machine),
    path: workloads[workload],
    connections,
    warmupMs: options.quick ? 0 : 1000,
    durationMs,
    timeoutMs: 15_000,
  },
});

const onEveryCpu = (row: Row): Row => ({ ...row, everyCpu: true });

const started = (gateway: string): Row => ({
  gateway,
  metric: 'start-to-reply',
  spec: { kind: 'start', subject: gatewaySubject(gateway, machine), port: 18_081, tellsPhases: true },
});

const alone = (gateway: string): Row => ({
  gateway,
  metric: 'throughput',
  spec: { kind: 'spawn', ...spawnedBy(gateway, machine)!, warmups: 3, spawns },
});

interface Comparison {
  name: string;
  of: Row;
  to: Row;
  /** ratio: of / to; difference: of - to, in the metric's unit */
  kind: 'ratio' | 'difference';
  /** null: shown only */
  bar: number | null;
  side: 'least' | 'most';
}

const ratio = (
  name: string,
  of: Row,
  to: Row,
  bar: number | null,
  side: 'least' | 'most' = 'least',
): Comparison => ({
  name,
  of,
  to,
  kind: 'ratio',
  bar,
  side,
});

const memory = (gateway: string) => asked(gateway, 'hello', 100, 'memory');

const all: readonly Comparison[] = [
  ratio('order: embedded / native, hello', asked(embedded, 'hello'), asked(native, 'hello'), 1, 'most'),
  ratio(
    'order: wasmtime CLI / embedded, hello',
    asked('wasm_host_wasmtime', 'hello'),
    asked(embedded, 'hello'),
    1,
    'most',
  ),
  ratio(
    'order: WasmEdge CLI / wasmtime CLI, hello',
    asked('wasm_host_cli', 'hello'),
    asked('wasm_host_wasmtime', 'hello'),
    1,
    'most',
  ),
  ratio('compute: embedded / native', asked(embedded, 'compute'), asked(native, 'compute'), 0.95),
  // The bar is for whole engines: beside a process as small as cat, what the gateway itself does shows.
  ...['wasm_host_wasmtime', 'wasm_host_cli', 'wasm_host_self_cli', 'spawn_floor'].map((name) =>
    ratio(
      `ceiling: ${name}, of what it starts alone`,
      asked(name, 'hello'),
      alone(name),
      name === 'spawn_floor' ? null : 0.85,
    ),
  ),
  ratio('pool / native, one thread, hello', asked('wasm_host_pool', 'hello'), asked(native, 'hello'), 0.75),
  ratio('on demand / native, one thread, hello', asked(embedded, 'hello'), asked(native, 'hello'), null),
  ratio(
    'pool / on demand, two threads on every CPU',
    onEveryCpu(asked('wasm_threads_pool', 'hello')),
    onEveryCpu(asked('wasm_threads_ondemand', 'hello')),
    3.5,
  ),
  {
    name: 'start: compiled beforehand - native, Rust module',
    of: started('wasm_host_aot_rust'),
    to: started(native),
    kind: 'difference',
    bar: 15,
    side: 'most',
  },
  ratio('memory: pool / on demand', memory('wasm_host_pool'), memory(embedded), null, 'most'),
  ratio('memory: on demand / native', memory(embedded), memory(native), null, 'most'),
  ...[400, 800, 1200].map((connections) =>
    ratio(
      `event-driven at ${connections} / at 100 connections`,
      asked('event_epoll', 'hello', connections),
      asked('event_epoll', 'hello'),
      0.9,
    ),
  ),
  ...[400, 800, 1200].map((connections) =>
    ratio(
      `native at ${connections} / at 100 connections`,
      asked(native, 'hello', connections),
      asked(native, 'hello'),
      null,
    ),
  ),
];
const comparisons = all.filter(({ name }) => name.includes(options.only));

const rows = [
  ...new Map(comparisons.flatMap(({ of, to }) => [of, to]).map((row) => [keyOf(row), row])).values(),
];
const missing = new Map(rows.flatMap((row) => whyNot(row)));
const present = rows.filter((row) => !missing.has(keyOf(row)));

function whyNot(row: Row): [string, string][] {
  const { missing: reason } = kindOf(row.spec).needs(row.spec);
  return reason === undefined ? [] : [[keyOf(row), reason]];
}

const cpus = roles.server.look.cpus.map(({ cpu }) => cpu);
const everywhere = { ...site, pinning: { ...pinning, server: cpus, client: cpus, shared: true } };

const seen = new Map<string, { block: number; measured: Record<string, Measurement> }[]>();
const circumstances = { pinning, host: roles.server.facts };

try {
  for (let block = 0; block < trials; block++) {
    for (const row of shuffled(present, random)) {
      const measured: Record<string, Measurement> = {};
      await onStage(row.everyCpu ? everywhere : site, (stage) =>
        kindOf(row.spec).carryOut(row.spec, stage, (name, one) => {
          measured[name] = one;
        }),
      );
      seen.set(keyOf(row), [...(seen.get(keyOf(row)) ?? []), { block, measured }]);
    }
    process.stderr.write(`\rblock ${block + 1} of ${trials} `);
  }
  process.stderr.write('\n');
} finally {
  await roles.close();
}

const valuesOf = (row: Row): Blocked[] =>
  (seen.get(keyOf(row)) ?? []).flatMap(({ block, measured }) => {
    const value = metric(row.metric).of({ measurements: measured, ...circumstances });
    return value === null ? [] : [{ block, value }];
  });

const mean = (all: readonly Blocked[]) => all.reduce((sum, { value }) => sum + value, 0) / all.length;

const table = new Table({
  head: ['comparison', 'of', 'to', 'interval', 'bar', ''],
  style: { head: [], border: [], compact: true },
});
const record = comparisons.map(({ name, of, to, kind, bar, side }) => {
  const absent = [of, to].map((row) => missing.get(keyOf(row))).find((reason) => reason !== undefined);
  const [ofValues, toValues] = [valuesOf(of), valuesOf(to)];
  if (absent !== undefined || ofValues.length === 0 || toValues.length === 0) {
    table.push([name, { colSpan: 5, content: `not available here: ${absent ?? 'nothing was measured'}` }]);
    return { name, missing: absent ?? 'nothing was measured' };
  }
  const interval: Interval = (kind === 'ratio' ? blockedRatio : blockedDifference)(ofValues, toValues);
  const { unit } = metric(of.metric);
  const text = (value: number) => `${Number(value.toPrecision(4))} ${unit}`;
  const said = kind === 'ratio' ? shown(interval) : `${shown(interval, 1)} ${unit}`;
  const wanted = bar === null ? '' : `${side === 'least' ? '>=' : '<='} ${bar}`;
  table.push([name, text(mean(ofValues)), text(mean(toValues)), said, wanted, verdict(interval, bar, side)]);
  return { name, kind, of: ofValues, to: toValues, interval, bar, verdict: verdict(interval, bar, side) };
});
console.log(
  `\n${onCpus()}; ${trials} blocks, wrk for ${durationMs / 1000} s a trial; 95 % intervals over blocks\n${table}`,
);
console.log(saveRecord('gateways', { trials, durationMs, comparisons: record }, options.only));
