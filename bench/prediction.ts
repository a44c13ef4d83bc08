/**
 * Predictors of a link's next bandwidth side by side, walk-forward: on made-up series, whose irreducible error is known, and on
 * recorded ones; with the CPU time that each takes, training included. And whether published times of such a net can be.
 *
 *     npm run bench:prediction [-- --quick] [-- --seeds N] [-- --record] [-- --load WORDS]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { packageRoot } from '../src/addon.js';
import { dwcpLstm2025, dwcpProcessor } from '../src/analysis/reference/dwcp-2025.js';
import { judgeAll, judgedFrom, standings } from '../src/planner/prediction/contest.js';
import { forwardFlop, initialWeights, Net } from '../src/planner/prediction/lstm.js';
import { chosen, methods } from '../src/planner/prediction/methods.js';
import { flopPerSecond, plausibility } from '../src/planner/prediction/plausibility.js';
import { madeUp, makers, type Series } from '../src/planner/prediction/series.js';
import { floorOf, positive } from '../src/planner/prediction/walk-forward.js';
import { predictionsInWords } from '../src/report/predictions.js';
import { meanInterval } from '../src/statistics/interval.js';
import { randomFrom } from '../src/statistics/random.js';
import { saveRecord } from './lib.js';
import { readRecorded, record } from './recording.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    record: { type: 'boolean', default: false },
    load: { type: 'string', default: 'not told' },
  },
});
const seeds = Number(options.seeds ?? (options.quick ? 1 : 10));
const length = options.quick ? 160 : 400;
const from = options.quick ? 90 : judgedFrom;

const recordings = options.record
  ? await record(options.quick ? 100 : 400, options.load, !options.quick)
  : readRecorded();
const recordedSeries: Series[] = recordings.series.flatMap(({ id, goodput, deliveryRate }) =>
  [
    { id: `${id}: goodput`, values: goodput },
    { id: `${id}: delivery rate`, values: deliveryRate },
  ].map((one) => ({
    ...one,
    values: positive(one.values).slice(0, options.quick ? 200 : undefined),
    expected: null,
  })),
);

interface Judged {
  series: string;
  method: string;
  /** by seed */
  errors: number[];
  cpuUs: number[];
}

const judged: Judged[] = [];
const floors: Record<string, number[]> = {};

const ownCpuUs = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function judge(series: string, values: readonly number[], seed: number): void {
  for (const { id, error, cpuUs } of judgeAll(values, from, seed, ownCpuUs)) {
    let row = judged.find((one) => one.series === series && one.method === id);
    if (!row) {
      row = { series, method: id, errors: [], cpuUs: [] };
      judged.push(row);
    }
    row.errors.push(error);
    row.cpuUs.push(cpuUs);
  }
}

for (let seed = 1; seed <= seeds; seed++) {
  for (const { id, values, expected } of madeUp(length, seed)) {
    floors[id] = [...(floors[id] ?? []), floorOf(values, expected!, from)];
    judge(id, values, seed);
  }
  process.stderr.write(`\rmade-up series, seed ${seed} of ${seeds} `);
}
process.stderr.write('\n');
// A recorded series is one; what differs is what a net draws.
for (const { id, values } of recordedSeries)
  for (let seed = 1; seed <= Math.min(seeds, 3); seed++) judge(id, values, seed);

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const of = (series: string, method: string) =>
  judged.find((one) => one.series === series && one.method === method)!;
const percent = (share: number) => (100 * share).toFixed(share < 0.01 ? 2 : 1);
const style = { head: [], border: [], compact: true };

function tableOf(ids: readonly string[], withFloor: boolean): string {
  const table = new Table({
    head: ['MAPE, %', ...methods.map(({ id }) => id), ...(withFloor ? ['floor'] : [])],
    style,
  });
  for (const id of ids) {
    const errors = methods.map((one) => mean(of(id, one.id).errors));
    const best = Math.min(...errors);
    table.push([
      id,
      ...errors.map((error) => percent(error) + (error === best ? ' *' : '')),
      ...(withFloor ? [percent(mean(floors[id]!))] : []),
    ]);
  }
  return String(table);
}

const recordedIds = recordedSeries.map(({ id }) => id);
const ranking = standings(
  recordedIds.map((series) =>
    methods.map(({ id }) => {
      const { errors, cpuUs } = of(series, id);
      return { id, error: mean(errors), cpuUs: mean(cpuUs) };
    }),
  ),
);
const cpu = methods.map(({ id }) => ({
  id,
  us: mean(judged.filter((one) => one.method === id).flatMap((one) => one.cpuUs)),
}));

/** The time of one prediction of a net of that shape by ours, in typed arrays, microseconds. */
function ownTime(shape: { sequence: number; hidden: number }): number {
  const random = randomFrom('time');
  const net = new Net(shape, initialWeights(shape, random));
  const inputs = Float64Array.from({ length: shape.sequence }, random);
  const times = Math.max(3, Math.min(3000, Math.round(2e8 / forwardFlop(shape))));
  for (let warm = 0; warm < 3; warm++) net.forward(inputs, 0);
  const took = Array.from({ length: options.quick ? 3 : 7 }, () => {
    const began = performance.now();
    for (let time = 0; time < times; time++) net.forward(inputs, 0);
    return ((performance.now() - began) * 1000) / times;
  });
  return Math.min(...took);
}

/** Operations per second of one core here, by a compiled program; a reason where it cannot be told. */
function ownPeak(): number | string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-peak-'));
  try {
    const program = join(folder, 'peak');
    const source = join(packageRoot, 'bench/flop-peak.cc');
    const built = spawnSync(
      'c++',
      ['-O3', '-march=native', '-ffp-contract=fast', '-std=c++20', source, '-o', program],
      { encoding: 'utf8' },
    );
    if (built.status !== 0) return 'not available here: no C++ compiler';
    const [single] = spawnSync(program, [], { encoding: 'utf8' }).stdout.split(' ').map(Number);
    return single! > 0 ? single! : 'not available here: the program that measures it failed';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const peak = ownPeak();
const giga = (value: number) => (value / 1e9).toFixed(value < 1e10 ? 2 : 0);
const published = dwcpLstm2025.map((one) => {
  const flop = forwardFlop(one);
  return {
    ...one,
    flop,
    needs: flopPerSecond(flop, one.us),
    there: plausibility(flop, one.us, dwcpProcessor.peakFlopPerSecond),
    here: typeof peak === 'number' ? plausibility(flop, one.us, peak) : null,
    oursUs: ownTime(one),
  };
});
const guard = new Table({
  head: [
    'LSTM',
    'published µs',
    'asks for GFLOP/s',
    'on its processor',
    'on a core here',
    'ours here, µs',
    'at GFLOP/s',
  ],
  style,
});
for (const { sequence, hidden, us, flop, needs, there, here, oursUs } of published)
  guard.push([
    `${sequence}/${hidden}`,
    us,
    giga(needs),
    there,
    here ?? '-',
    oursUs.toFixed(0),
    giga(flopPerSecond(flop, oursUs)),
  ]);

const costs = new Table({ head: ['CPU', ...methods.map(({ id }) => id)], style });
costs.push(['µs a value, training included', ...cpu.map(({ us }) => us.toFixed(1))]);
costs.push([
  `% of a CPU at a value each ${recordings.intervalMs} ms`,
  ...cpu.map(({ us }) => (us / (recordings.intervalMs * 10)).toFixed(3)),
]);

console.log(
  `\nMade-up series of ${length}, judged from ${from} on, means of ${seeds} seeds; floor: who knows how the series is made\n${tableOf(
    makers.map(({ id }) => id),
    true,
  )}`,
);
console.log(
  `\nRecorded on ${recordings.recordedAt}, ${recordings.kernel}, ${recordings.cpu}; the machine meanwhile: ${recordings.load}\n${tableOf(recordedIds, false)}`,
);
console.log(`\n${costs}`);
const { intervalMs } = recordings;
const words = { series: recordedIds.length, intervalMs, standings: ranking, chosen: chosen.id };
console.log(`\n${predictionsInWords(words).join(' ')}`);
console.log(
  `\nPublished times of one prediction (one input: the least that such a net calculates). Its processor does ${giga(dwcpProcessor.peakFlopPerSecond)} GFLOP/s at most on a core (${dwcpProcessor.why}); a core here ${typeof peak === 'number' ? `${giga(peak)}, measured` : peak}\n${guard}`,
);
console.log(
  saveRecord('prediction', {
    seeds,
    length,
    from,
    chosen: chosen.id,
    ranking,
    cpu,
    floors: Object.fromEntries(Object.entries(floors).map(([id, all]) => [id, meanInterval(all)])),
    judged,
    recorded: {
      ...recordings,
      series: recordings.series.map(({ goodput, deliveryRate: _, ...one }) => ({
        ...one,
        samples: goodput.length,
      })),
    },
    peak,
    published,
  }),
);
