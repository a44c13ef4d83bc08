/**
 * Offloading against its bars: a task that does nothing, and the travelling salesman against Node's own WASI in as many worker
 * threads and a process for each task. Every block measures each row once, in an order of its own.
 *
 *     npm run bench:offload [-- --quick] [-- --blocks N]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { wasimoff2023, wasimoffTestbed } from '../src/analysis/reference/wasimoff-2023.js';
import { missingBrowser, usualBrowser } from '../src/offload/browser.js';
import { missingWorkload } from '../src/offload/workload.js';
import type { OffloadSpec } from '../src/programs/offload.js';
import { onStage } from '../src/stage/on-stage.js';
import { type Blocked, blockedRatio, meanInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { kindOf, type Measurement, type MetricId, metric } from '../src/trials/registry.js';
import { roles, site } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    blocks: { type: 'string' },
    host: { type: 'string' },
  },
});
const blocks = Number(options.blocks ?? (options.quick ? 1 : 7));
const length = options.quick ? { warmupMs: 100, durationMs: 300 } : { warmupMs: 1000, durationMs: 4000 };
const workers = 2;

const row = (way: OffloadSpec['way'], task: OffloadSpec['task'], inFlight: number): OffloadSpec => ({
  way,
  task,
  providers: 1,
  workers,
  inFlight,
  ...length,
});
/** Latency is that of one task at a time; rates keep every worker busy. */
const rows = [
  row('browser', 'noop', 1),
  row('browser', 'noop', 8),
  row('process', 'noop', 1),
  row('process', 'noop', 8),
  ...(['tsp-8', 'tsp-10'] as const).flatMap((task) =>
    (['browser', 'process', 'wasi-pool', 'native'] as const).map((way) => row(way, task, 2 * workers)),
  ),
];
const nameOf = ({ way, task, inFlight }: OffloadSpec) => `${task} ${way} ${inFlight}`;
const missing = ({ way, task }: OffloadSpec) =>
  missingWorkload(task, way === 'native') ?? (way === 'browser' ? missingBrowser(usualBrowser()) : null);

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

try {
  for (let block = 0; block < blocks; block++) {
    for (const spec of shuffled(rows, random)) {
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
      for (const id of ids)
        put(`${nameOf(spec)} ${id}`, block, metric(id).of({ measurements, ...circumstances }));
    }
    process.stderr.write(`\rblock ${block + 1} of ${blocks} `);
  }
  process.stderr.write('\n');
} finally {
  await roles.close();
}

const valuesOf = (spec: OffloadSpec, id: (typeof ids)[number]) => seen.get(`${nameOf(spec)} ${id}`) ?? [];
const interval = (spec: OffloadSpec, id: (typeof ids)[number]) =>
  meanInterval(valuesOf(spec, id).map(({ value }) => value));

const style = { head: [], border: [], compact: true };
const table = new Table({ head: ['task', 'who', 'under way', 'tasks/s', 'p50 ms', 'p99 ms'], style });
for (const spec of rows) {
  const why = missing(spec);
  const figures = why
    ? [{ colSpan: 3, content: `not available here: ${why}` }]
    : ids.map((id, at) =>
        valuesOf(spec, id).length > 0 ? shown(interval(spec, id), at === 0 ? 0 : 2) : '-',
      );
  table.push([spec.task, spec.way, spec.inFlight, ...figures]);
}

const bars = new Table({ head: ['bar', 'interval', 'wanted', ''], style });
const record: object[] = [];
function bar(
  name: string,
  of: ReturnType<typeof meanInterval> | null,
  wanted: number,
  side: 'least' | 'most',
) {
  const said = of ? verdict(of, wanted, side) : 'not available here';
  bars.push([name, of ? shown(of) : '', `${side === 'least' ? '>=' : '<='} ${wanted}`, said]);
  record.push({ name, interval: of, wanted, side, verdict: said });
}
const figure = (spec: OffloadSpec, id: (typeof ids)[number]) =>
  valuesOf(spec, id).length > 0 ? interval(spec, id) : null;
const ratio = (of: OffloadSpec, to: OffloadSpec) => {
  const [above, below] = [valuesOf(of, 'offload-rate'), valuesOf(to, 'offload-rate')];
  return above.length > 0 && below.length > 0 ? blockedRatio(above, below) : null;
};
bar('no-op in a browser, p50, ms', figure(row('browser', 'noop', 1), 'offload-p50'), 2, 'most');
bar('no-op in a browser, tasks/s', figure(row('browser', 'noop', 8), 'offload-rate'), 1000, 'least');
for (const way of ['browser', 'process'] as const)
  bar(
    `tsp-10, ${way} / WASI pool of as many workers`,
    ratio(row(way, 'tsp-10', 2 * workers), row('wasi-pool', 'tsp-10', 2 * workers)),
    0.7,
    'least',
  );

const published = new Table({
  head: ['task', 'machines', 'system', 'requests/s', 'p50 ms', 'failed'],
  style,
});
for (const { task, machines, system, rate, p50Ms, failures } of wasimoff2023)
  published.push([task, machines, system, rate, p50Ms, failures]);

console.log(
  `\n${workers} workers, ${blocks} blocks of ${length.durationMs / 1000} s; 95 % intervals over blocks\n${table}\n${bars}\n\nPublished with wasimoff (${wasimoffTestbed}); other machines and programs: orders may be compared, figures not\n${published}`,
);
console.log(
  saveRecord('offload', { blocks, ...length, workers, bars: record, values: Object.fromEntries(seen) }),
);
