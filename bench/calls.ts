/**
 * Ways to call a work against each other on this machine: through the bridge of JSON and into a fresh instance against the bare
 * call, an engine against the other, and each at the ends of argument and work, which says whether what it costs is constant.
 * Every block measures each row once, in an order of its own, and ratios are taken within blocks.
 *
 *     npm run bench:calls [-- --quick] [-- --blocks N] [-- --only 'json']
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { CallRow, Work } from '../src/contract/device.js';
import { machineOf } from '../src/experiments/experiment.js';
import { runtimeCommand } from '../src/experiments/runtimes.js';
import { onStage } from '../src/stage/on-stage.js';
import { type Blocked, blockedRatio, meanInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { kindOf, type Measurement, type MetricId, metric, type TrialSpec } from '../src/trials/registry.js';
import { hostOption, onCpus, pinning, roles, site } from './here.js';
import { saveRecord, shown } from './lib.js';

const { values: options } = parseArgs({
  options: {
    ...hostOption,
    quick: { type: 'boolean', default: false },
    blocks: { type: 'string' },
    /** comparisons whose name holds this */
    only: { type: 'string', default: '' },
  },
});
const blocks = Number(options.blocks ?? (options.quick ? 1 : 7));
const length = options.quick ? { rounds: 3, sliceUs: 500 } : { rounds: 20, sliceUs: 4000 };

const machine = machineOf(roles.server.look);

/** A work with its size: hello by the bytes of its argument, the chained digest by its number. */
interface Size {
  work: Work;
  argument: number;
  amount: number;
}
const hello = (argument: number): Size => ({ work: 'hello', argument, amount: 1 });
const digests = (amount: number): Size => ({ work: 'sha256', argument: 64, amount });
const network: Size = { work: 'network', argument: 784, amount: 1 };

interface Row extends Size {
  runtime: 'host' | 'node';
  row: CallRow;
}
const row = (runtime: Row['runtime'], way: CallRow, size: Size): Row => ({ runtime, row: way, ...size });
const nameOf = ({ runtime, row: way, work, argument, amount }: Row) =>
  `${runtime} ${way}, ${work}${work === 'hello' ? ` of ${argument} bytes` : work === 'sha256' ? ` x ${amount}` : ''}`;

function specOf({ runtime, ...rest }: Row): TrialSpec {
  const { module: _, ...command } = runtimeCommand(runtime, 'calls', machine);
  return { kind: 'calls', ...command, ...rest, ...length };
}

interface Comparison {
  name: string;
  of: Row;
  to: Row;
  metric: MetricId;
}
const runtimes = ['host', 'node'] as const;
const ratio = (name: string, of: Row, to: Row, id: MetricId = 'call-time'): Comparison => ({
  name,
  of,
  to,
  metric: id,
});

const comparisons = [
  ...runtimes.flatMap((runtime) =>
    (['json', 'fresh'] as const).map((way) =>
      ratio(
        `${runtime}: ${way} / bare, hello of 16 bytes`,
        row(runtime, way, hello(16)),
        row(runtime, 'bare', hello(16)),
      ),
    ),
  ),
  ratio(
    'host: json / json of native code, hello of 16 bytes',
    row('host', 'json', hello(16)),
    row('host', 'native-json', hello(16)),
  ),
  ...(['bare', 'json', 'fresh'] as const).map((way) =>
    ratio(`${way}: node / host, hello of 16 bytes`, row('node', way, hello(16)), row('host', way, hello(16))),
  ),
  // 1: constant; as much as the argument or the work grows: proportional to it.
  ...(['json', 'fresh'] as const).flatMap((way) => [
    ratio(
      `host: ${way} over native, hello of 65536 / 16 bytes`,
      row('host', way, hello(65_536)),
      row('host', way, hello(16)),
      'call-over-native',
    ),
    ratio(
      `host: ${way} beside the work, sha256 x 20000 / x 1`,
      row('host', way, digests(20_000)),
      row('host', way, digests(1)),
      'call-cost',
    ),
  ]),
].filter(({ name }) => name.includes(options.only));

/** Of which the call's share is told. */
const shares = runtimes
  .flatMap((runtime) =>
    (['bare', 'json', 'fresh'] as const).flatMap((way) =>
      [hello(16), digests(20_000), network].map((size) => row(runtime, way, size)),
    ),
  )
  .filter((one) => nameOf(one).includes(options.only));

const rows = [
  ...new Map(
    [...comparisons.flatMap(({ of, to }) => [of, to]), ...shares].map((one) => [nameOf(one), one]),
  ).values(),
];
const missing = (one: Row): string | undefined => {
  const spec = specOf(one);
  return kindOf(spec).needs(spec).missing;
};

const seen = new Map<string, { block: number; measurements: Record<string, Measurement> }[]>();
const random = randomFrom('calls');
try {
  for (let block = 0; block < blocks; block++) {
    for (const one of shuffled(rows, random)) {
      if (missing(one) !== undefined) continue;
      const spec = specOf(one);
      const measurements: Record<string, Measurement> = {};
      await onStage(site, (stage) =>
        kindOf(spec).carryOut(spec, stage, (name, measured) => {
          measurements[name] = measured;
        }),
      );
      seen.set(nameOf(one), [...(seen.get(nameOf(one)) ?? []), { block, measurements }]);
    }
    process.stderr.write(`\rblock ${block + 1} of ${blocks} `);
  }
  process.stderr.write('\n');
} finally {
  await roles.close();
}

const circumstances = { pinning, host: roles.server.facts };
const valuesOf = (one: Row, id: MetricId): Blocked[] =>
  (seen.get(nameOf(one)) ?? []).flatMap(({ block, measurements }) => {
    const value = metric(id).of({ measurements, ...circumstances });
    return value === null ? [] : [{ block, value }];
  });
const mean = (all: readonly Blocked[]) => all.reduce((sum, { value }) => sum + value, 0) / all.length;
const nothing = 'its difference was lost in the noise of so few rounds';

const style = { head: [], border: [], compact: true };
const table = new Table({ head: ['comparison', 'of, µs', 'to, µs', 'interval'], style });
const record = comparisons.map(({ name, of, to, metric: id }) => {
  const [above, below] = [valuesOf(of, id), valuesOf(to, id)];
  const why = missing(of) ?? missing(to) ?? (above.length === 0 || below.length === 0 ? nothing : null);
  if (why !== null) {
    table.push([name, { colSpan: 3, content: `not available here: ${why}` }]);
    return { name, metric: id, missing: why };
  }
  const interval = blockedRatio(above, below);
  table.push([name, mean(above).toPrecision(3), mean(below).toPrecision(3), shown(interval)]);
  return { name, metric: id, of: above, to: below, interval };
});

const shareTable = new Table({ head: ['call', 'time, µs', "the call's share, %"], style });
const shareRecord = shares.map((one) => {
  const [times, values] = [valuesOf(one, 'call-time'), valuesOf(one, 'call-share')];
  const why = missing(one) ?? (values.length === 0 ? nothing : null);
  if (why !== null) {
    shareTable.push([nameOf(one), { colSpan: 2, content: `not available here: ${why}` }]);
    return { row: one, missing: why };
  }
  // A share may be 0, where the other rows have none.
  const interval = meanInterval(
    values.map(({ value }) => value),
    'linear',
  );
  shareTable.push([nameOf(one), mean(times).toPrecision(3), shown(interval, 2)]);
  return { row: one, times, share: values, interval };
});
console.log(
  `\n${onCpus()}; ${blocks} blocks, ${length.rounds} rounds of ${length.sliceUs} µs a trial; 95 % intervals over blocks\n${table}\n${shareTable}`,
);
console.log(
  saveRecord('calls', { blocks, ...length, comparisons: record, shares: shareRecord }, options.only),
);
