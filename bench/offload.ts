/**
 * Offloading against its bars: a task that does nothing, and the travelling salesman against Node's own WASI in as many worker
 * threads and a process for each task; pages by each transport, the three schedulers, and what it costs to have tasks verified.
 * Every block measures each row once, in an order of its own; seven take about half an hour, of the rows that the bars ask
 * for alone ten minutes. The bars hold for a quiet machine with two CPUs.
 *
 *     npm run bench:offload [-- --quick | --bars] [-- --blocks N] [-- --only TEXT]     # rows whose names hold it: 'noop browser'
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { wasimoff2023, wasimoffTestbed } from '../src/analysis/reference/wasimoff-2023.js';
import { offloadSchedulers, offloadTransports } from '../src/contract/offload.js';
import { missingBrowser, usualBrowser } from '../src/offload/browser.js';
import { missingSidecar } from '../src/offload/sidecar.js';
import { missingWorkload } from '../src/offload/workload.js';
import type { OffloadSpec } from '../src/programs/offload.js';
import { onStage } from '../src/stage/on-stage.js';
import { type Blocked, blockedRatio, meanInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { offloadStepIds } from '../src/trials/offload.js';
import { kindOf, type Measurement, type MetricId, metric } from '../src/trials/registry.js';
import { roles, site } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    bars: { type: 'boolean', default: false },
    blocks: { type: 'string' },
    only: { type: 'string', default: '' },
    host: { type: 'string' },
  },
});
const blocks = Number(options.blocks ?? (options.quick ? 1 : 7));
const length = options.quick ? { warmupMs: 100, durationMs: 300 } : { warmupMs: 1000, durationMs: 4000 };
const workers = 2;

const row = (
  way: OffloadSpec['way'],
  task: OffloadSpec['task'],
  inFlight: number,
  more: Partial<OffloadSpec> = {},
): OffloadSpec => ({ way, task, providers: 1, workers, inFlight, ...length, ...more });

/** Who runs a task, and by what. */
const all = [
  ...offloadTransports.map((transport) => ({ way: 'browser' as const, transport })),
  ...(['process', 'wasi-pool', 'native'] as const).map((way) => ({ way, transport: undefined })),
];
const brokered = all.filter(({ way }) => way === 'browser' || way === 'process');
/** Latency is that of one task at a time; rates keep every worker busy. */
const rows = [
  ...brokered.flatMap(({ way, transport }) => [1, 8].map((at) => row(way, 'noop', at, { transport }))),
  ...(['tsp-8', 'tsp-10', 'edges'] as const).flatMap((task) =>
    all.map(({ way, transport }) => row(way, task, 2 * workers, { transport })),
  ),
];
const several = { providers: 2, workers: 1 };
/** Two pages of a worker each, so that there is something to choose; half and all of what they can have under way. */
const schedulerRows = offloadSchedulers.flatMap((scheduler) =>
  [2, 8].map((at) => row('browser', 'noop', at, { ...several, scheduler })),
);
const verifyShares = [0, 10, 100] as const;
const verifyRows = verifyShares.flatMap((verify) =>
  (['noop', 'tsp-8'] as const).map((task) => row('browser', task, 4, { ...several, verify })),
);
const everything = [...rows, ...schedulerRows, ...verifyRows];
/** In its quick form one of each kind. */
const isQuick = ({ task, inFlight, verify }: OffloadSpec) =>
  verify === undefined ? inFlight === 8 || task === 'tsp-8' : task === 'noop' && verify === 100;

const whoOf = ({ way, transport }: OffloadSpec) =>
  way === 'browser' ? `browser, ${transport ?? 'websocket'}` : way;
const nameOf = (spec: OffloadSpec) =>
  [
    `${spec.task} ${whoOf(spec)} ${spec.providers}x${spec.workers} ${spec.inFlight}`,
    ...(spec.scheduler ? [spec.scheduler] : []),
    ...(spec.verify === undefined ? [] : [`verify ${spec.verify}`]),
  ].join(' ');
const isBarred = (spec: OffloadSpec) =>
  rows.includes(spec) && ['noop', 'tsp-10'].includes(spec.task) && spec.way !== 'native';
const measured = everything.filter(
  (spec) =>
    (!options.quick || isQuick(spec)) &&
    (!options.bars || isBarred(spec)) &&
    nameOf(spec).includes(options.only),
);
if (measured.length === 0) {
  console.error(`bench:offload: no row's name holds '${options.only}': ${everything.map(nameOf).join('; ')}`);
  process.exit(2);
}
const isMeasured = (spec: OffloadSpec) => measured.includes(spec);
const missing = ({ way, task, transport }: OffloadSpec) =>
  missingWorkload(task, way === 'native') ??
  (way === 'browser' ? missingBrowser(usualBrowser()) : null) ??
  (transport === 'webtransport' ? missingSidecar() : null);

// Client, broker and providers are one row: they have every CPU.
const cpus = roles.server.look.cpus.map(({ cpu }) => cpu);
const everywhere = { ...site, pinning: { server: cpus, client: cpus, shared: true, siblings: false } };
const circumstances = { pinning: everywhere.pinning, host: roles.server.facts };
const random = randomFrom('offload');
const seen = new Map<string, Blocked[]>();
const put = (key: string, block: number, value: number | null) => {
  if (value !== null) seen.set(key, [...(seen.get(key) ?? []), { block, value }]);
};
const ids = ['offload-rate', 'offload-p50', 'offload-p99'] as const satisfies readonly MetricId[];
const steps = [...offloadStepIds, 'offload-trace'] as const satisfies readonly MetricId[];
type Id = (typeof ids)[number] | (typeof steps)[number];

try {
  for (let block = 0; block < blocks; block++) {
    for (const spec of shuffled(measured, random)) {
      if (missing(spec) !== null) continue;
      const measurements: Record<string, Measurement> = {};
      const trial = { kind: 'offload' as const, ...spec };
      await onStage(everywhere, (stage) =>
        kindOf(trial).carryOut(trial, stage, (name, one) => {
          measurements[name] = one;
        }),
      );
      for (const one of Object.values(measurements))
        for (const { id, message } of kindOf(one).gates(nameOf(spec), one, null))
          console.error(`${id}: ${message}`);
      for (const id of [...ids, ...steps])
        put(`${nameOf(spec)} ${id}`, block, metric(id).of({ measurements, ...circumstances }));
    }
    process.stderr.write(`\rblock ${block + 1} of ${blocks} `);
  }
  process.stderr.write('\n');
} finally {
  await roles.close();
}

const valuesOf = (spec: OffloadSpec, id: Id) => seen.get(`${nameOf(spec)} ${id}`) ?? [];
const interval = (spec: OffloadSpec, id: Id) => meanInterval(valuesOf(spec, id).map(({ value }) => value));

const style = { head: [], border: [], compact: true };
const figuresOf = (spec: OffloadSpec, of: readonly Id[], digits: (id: Id) => number) => {
  const why = missing(spec);
  return why
    ? [{ colSpan: of.length, content: `not available here: ${why}` }]
    : of.map((id) => (valuesOf(spec, id).length > 0 ? shown(interval(spec, id), digits(id)) : '-'));
};
const usual = (spec: OffloadSpec) => figuresOf(spec, ids, (id) => (id === 'offload-rate' ? 0 : 2));
const heads = ['tasks/s', 'p50 ms', 'p99 ms'];
const table = new Table({ head: ['task', 'who', 'under way', ...heads], style });
for (const spec of rows.filter(isMeasured))
  table.push([spec.task, whoOf(spec), spec.inFlight, ...usual(spec)]);

/** Where time goes is asked of one task at a time, as far as that is measured. */
const traced = options.quick ? 8 : 1;
const traces = new Table({
  head: [
    `noop, under way ${traced}`,
    ...steps.map((id) => id.replace('offload-', '').replace('trace', 'sum / whole')),
  ],
  style,
});
for (const { way, transport } of brokered) {
  const spec = row(way, 'noop', traced, { transport });
  traces.push([whoOf(spec), ...figuresOf(spec, steps, () => 3)]);
}

const schedulerTable = new Table({ head: ['scheduler', 'under way', ...heads], style });
for (const spec of schedulerRows.filter(isMeasured))
  schedulerTable.push([spec.scheduler, spec.inFlight, ...usual(spec)]);
const verifyTable = new Table({ head: ['verified', 'task', ...heads], style });
for (const spec of verifyRows.filter(isMeasured))
  verifyTable.push([`${spec.verify} %`, spec.task, ...usual(spec)]);

const bars = new Table({ head: ['bar', 'interval', 'wanted', ''], style });
const record: object[] = [];
function bar(
  name: string,
  of: ReturnType<typeof meanInterval> | null,
  wanted: number,
  side: 'least' | 'most',
) {
  const said = of ? verdict(of, wanted, side) : 'not measured';
  bars.push([name, of ? shown(of) : '', `${side === 'least' ? '>=' : '<='} ${wanted}`, said]);
  record.push({ name, interval: of, wanted, side, verdict: said });
}
const figure = (spec: OffloadSpec, id: Id) => (valuesOf(spec, id).length > 0 ? interval(spec, id) : null);
const ratio = (of: OffloadSpec, to: OffloadSpec) => {
  const [above, below] = [valuesOf(of, 'offload-rate'), valuesOf(to, 'offload-rate')];
  return above.length > 0 && below.length > 0 ? blockedRatio(above, below) : null;
};
for (const { way, transport } of brokered) {
  const at = (task: OffloadSpec['task'], under: number) => row(way, task, under, { transport });
  const who = whoOf(at('noop', 1));
  if (way === 'browser') {
    bar(`no-op, ${who}, p50, ms`, figure(at('noop', 1), 'offload-p50'), 2, 'most');
    bar(`no-op, ${who}, tasks/s`, figure(at('noop', 8), 'offload-rate'), 1000, 'least');
  }
  bar(
    `tsp-10, ${who} / WASI pool of as many workers`,
    ratio(at('tsp-10', 2 * workers), row('wasi-pool', 'tsp-10', 2 * workers)),
    0.7,
    'least',
  );
  // Of the mean of all tasks, within 5 % of what the client measured.
  const trace = figure(at('noop', traced), 'offload-trace');
  bar(`steps of a no-op, ${who}, sum / whole`, trace, 0.95, 'least');
  bar(`steps of a no-op, ${who}, sum / whole`, trace, 1.05, 'most');
}

const published = new Table({
  head: ['task', 'machines', 'system', 'requests/s', 'p50 ms', 'failed'],
  style,
});
for (const { task, machines, system, rate, p50Ms, failures } of wasimoff2023)
  published.push([task, machines, system, rate, p50Ms, failures]);

console.log(
  `\n${workers} workers, ${blocks} blocks of ${length.durationMs / 1000} s; 95 % intervals over blocks\n${table}\n\nWhere the time of a task goes, mean ms\n${traces}\n\nSchedulers, two pages of one worker\n${schedulerTable}\n\nA share of the tasks is run by both pages and compared\n${verifyTable}\n\n${bars}\n\nPublished with wasimoff (${wasimoffTestbed}); other machines and programs: orders may be compared, figures not\n${published}`,
);
console.log(
  saveRecord(
    'offload',
    { blocks, ...length, workers, bars: record, values: Object.fromEntries(seen) },
    options.only,
  ),
);
