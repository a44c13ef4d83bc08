/** Moved memory as trials and in a report: the pause of who writes, and what was published beside what is measured. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyse } from '../../src/analysis/analyse.js';
import { memory2025, ratioOf, savedByCodec } from '../../src/analysis/reference/memory-2025.js';
import { verdictOn } from '../../src/analysis/reference/published.js';
import { experimentNamed } from '../../src/experiments/registry.js';
import { plotsOf } from '../../src/report/figures.js';
import { kindOf, type Measurement, type MetricId, metric } from '../../src/trials/registry.js';
import type { Sample } from '../../src/trials/sample.js';
import { carriedOut, circumstances } from '../gateways/carried-out.js';
import { syntheticSample } from '../support/samples.js';

const machine = { available: ['poll' as const], nodeBackend: 'poll' as const, descriptorLimit: 20_000 };

test('memory that is written to has a pause, and other memory has none', async () => {
  const spec = {
    ...({
      kind: 'migrate',
      pages: 'vm',
      bytes: 4 << 20,
      seed: 1,
      connections: 1,
      bitsPerSecond: null,
    } as const),
    by: { codec: 'none', workers: 1 } as const,
  };
  const pause = (measurements: Record<string, Measurement>) =>
    metric('migrate-pause').of({ measurements, ...circumstances });
  assert.equal(pause(await carriedOut(spec)), null);
  assert.ok(pause(await carriedOut({ ...spec, dirtyRate: 2000 }))! > 0);
});

const migrated = (stoppedNs: number | null) => ({
  ...{ event: 'migrated' as const, fault: null, monotonicNs: 1, stoppedNs },
  ...{ totalMs: 1, downtimeMs: 1, setupMs: 1, saidBytes: 1, cpuUs: 1 },
});

test('a QEMU that lost words of a guest that wrote is warned of, and one whose guest was still is not counted', () => {
  const moved = (downNs: number | null) => ({
    kind: 'migrate' as const,
    moved: {
      ...{ by: 'qemu' as const, carried: { there: 1, back: 1 }, version: '7.2.0', wallNs: 1, downNs },
      ...{ memory: 4096, exact: false },
      qemu: migrated(downNs),
    },
  });
  const gates = (downNs: number | null) =>
    kindOf(moved(downNs))
      .gates('move', moved(downNs), null)
      .map(({ invalidates }) => invalidates);
  assert.deepEqual([gates(1), gates(null)], [[false], [true]]);
});

test('pages that are written to a second are a factor, over links that have a rate', () => {
  const memory = experimentNamed('memory');
  const cells = memory.cells(memory.profile('quick', machine), machine);
  for (const cell of cells) assert.ok(memory.cell.safeParse(cell).success);
  const written = cells.filter(({ dirty }) => dirty !== 0);
  assert.ok(written.length > 0 && written.every(({ rate, pages }) => rate !== 0 && pages === 'vm'));
  const ours = written.find(({ impl }) => impl === 'zstd')!;
  const trial = memory.trial(ours, memory.profile('quick', machine), machine);
  assert.ok('dirtyRate' in trial && trial.dirtyRate === ours.dirty);
});

test('every published figure of compression has its verdict', () => {
  const verdicts = memory2025.map((one) => ({ ...one, ...verdictOn(one) }));
  for (const { what, why } of verdicts) assert.ok(why.length > 0, what);
  const count = (wanted: string) => verdicts.filter(({ plausibility }) => plausibility === wanted).length;
  assert.deepEqual([count('real'), count('misnamed'), count('impossible')], [14, 6, 1]);
});

/** Three blocks of a run of one experiment. */
function plotOf(
  experiment: string,
  id: MetricId,
  cells: Sample['cell'][],
  measurements: Record<string, Measurement>,
) {
  const samples = cells.flatMap((cell) =>
    [0, 1, 2].map((block) => ({ ...syntheticSample({ experiment, cell, block, cpuUs: 1 }), measurements })),
  );
  const analysed = analyse(null, { samples, refused: [], notices: [] }).experiments[0]!;
  return plotsOf(analysed).find((plot) => plot.id === `${experiment}-${id}`)!;
}

test('published ratios stand in grey beside the codecs that they are of, with what they can be', () => {
  const column = { codec: 'lz4', level: 1, piece: 1 << 20, packed: 1e5, packNs: 1, unpackNs: 1, exact: true };
  const cell = { backend: null, io: null, pages: 'vm', piece: 1 << 20 };
  const plot = plotOf(
    'memory-codecs',
    'codec-ratio',
    ['lz4-1', 'zstd-1', 'zstd-9'].map((impl) => ({ ...cell, impl })),
    { column: { kind: 'codecs', bytes: 1 << 20, column, elapsedNs: 1 } },
  );
  const marks = plot.panels
    .flatMap(({ series }) => series)
    .filter(({ role }) => role === 'reference')
    .flatMap(({ name, points }) => points.map(({ y, row }) => ({ name, y, row: plot.rows[row!] })));
  assert.deepEqual(marks.map(({ y, row }) => [row, y]).sort(), [
    ['lz4-1', ratioOf(savedByCodec.vm.lz4)],
    ['zstd-1', ratioOf(savedByCodec.vm.snappy)],
  ]);
  assert.match(marks.find(({ row }) => row === 'zstd-1')!.name, /real, of something else/);
  assert.match(plot.meaning, /In grey, .*Xeon/);
});

test('they stand beside memory that is moved as well, along the rate of the link', () => {
  const moved = {
    ...{ by: 'qemu' as const, carried: { there: 1e6, back: 1 }, version: '7.2.0', wallNs: 1, downNs: null },
    ...{ memory: 8e6, exact: true },
    qemu: migrated(null),
  };
  const cells = ['lz4', 'auto'].flatMap((impl) =>
    [50, 200].map((rate) => ({ backend: null, io: null, pages: 'vm', dirty: 0, impl, rate })),
  );
  const plot = plotOf('memory', 'migrate-ratio', cells, { move: { kind: 'migrate', moved } });
  const marked = plot.panels.filter(({ series }) => series.some(({ role }) => role === 'reference'));
  assert.deepEqual(
    marked.map(({ series }) => series.at(-1)!.points.map(({ x, y }) => [x, y])),
    [[50, 200].map((x) => [x, ratioOf(savedByCodec.vm.lz4)])],
  );
});
