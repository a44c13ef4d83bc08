/**
 * `dispatchbench history`: every run under results/ as one table. Read straight from the runs' own files: thousands of
 * samples take a second, and no database has to be installed or kept in step. For questions beyond this table, --csv
 * and --parquet (every figure in one table) are what DuckDB, R, pandas or a spreadsheet reads.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { type PastRun, type Trend, trends } from '../../analysis/history.js';
import { replaceFile } from '../../files.js';
import { counted, number } from '../../number.js';
import { withInterval } from '../../report/format.js';
import { sparkline } from '../../report/terminal.js';
import { readRun } from '../../results/find.js';
import { metric, metrics } from '../../trials/registry.js';
import { withExamples } from '../examples.js';

const ids = metrics.map(({ id }) => id);

export const history = new Command('history')
  .addOption(new Option('--metric <name>', 'which figure').choices(ids).default('cpu-per-request'))
  .option('--out <dir>', 'folder of the runs', 'results')
  .option('--json', 'print the trends as JSON')
  .option('--csv', 'print a row per run and cell')
  .option('--parquet <file>', 'write a row per run, cell and figure, all figures, as Parquet')
  .action(async ({ metric: id, out, json, csv, parquet }) => {
    const measured = metric(id as (typeof ids)[number]);
    const { runs, unreadable } = readRuns(out);
    for (const reason of unreadable) console.error(`left out: ${reason}`);
    if (runs.length === 0)
      throw new Error(`${out}/ holds no readable run: start one with 'dispatchbench run quick'`);
    if (parquet !== undefined) {
      const all = metrics.flatMap((each) => rowsOf(trends(runs, each), each.id));
      await writeParquet(parquet, all);
      console.log(`${counted(all.length, 'row')} of ${counted(runs.length, 'run')}: ${parquet}`);
      return;
    }
    const found = trends(runs, measured);
    if (json) console.log(JSON.stringify(found, null, 2));
    else
      console.log(csv ? csvOf(rowsOf(found, id)) : `${measured.title} (${measured.unit})\n${table(found)}`);
  });

function readRuns(folder: string): { runs: PastRun[]; unreadable: string[] } {
  const runs: PastRun[] = [];
  const unreadable: string[] = [];
  let entries: string[] = [];
  try {
    entries = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    throw new Error(`there is no folder '${folder}': name the folder of the runs with --out`);
  }
  for (const id of entries.sort()) {
    try {
      const { info, parsed } = readRun(join(folder, id));
      const startedAt = info?.startedAt ?? parsed.samples[0]!.startedAt;
      runs.push({ id, startedAt, samples: parsed.samples });
    } catch (error) {
      unreadable.push(`${id}: ${(error as Error).message}`);
    }
  }
  return { runs, unreadable };
}

function table(all: readonly Trend[]): string {
  const out = new Table({
    head: ['cell', 'runs', 'trend', 'last', 'changed at'],
    colWidths: [34, 6, 14, 24, 21],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  const several = (of: (trend: Trend) => string) => new Set(all.map(of)).size > 1;
  const [experiments, machines] = [several((one) => one.experiment), several((one) => one.machine)];
  for (const { experiment, machine, cell, points, changes } of all) {
    const means = points.map(({ interval }) => interval.estimate);
    out.push([
      [...(experiments ? [experiment] : []), cell, ...(machines ? [machine] : [])].join(', '),
      points.length,
      sparkline(means.slice(-12), Math.min(...means), Math.max(...means)),
      withInterval(points[points.length - 1]!.interval),
      changes
        .map(({ run, before, after }) => `${run}: ${number(before, 3)} → ${number(after, 3)}`)
        .join('\n') || '–',
    ]);
  }
  return out.toString();
}

/** Columns of an export, in this order, with their Parquet types. */
const columns = {
  run: 'STRING',
  started_at: 'STRING',
  experiment: 'STRING',
  machine: 'STRING',
  cell: 'STRING',
  metric: 'STRING',
  mean: 'DOUBLE',
  low95: 'DOUBLE',
  high95: 'DOUBLE',
  trials: 'INT32',
} as const;
type Column = keyof typeof columns;
type Row = Record<Column, string | number | null>;
const columnNames = Object.keys(columns) as Column[];

function rowsOf(all: readonly Trend[], metricId: string): Row[] {
  return all.flatMap(({ experiment, machine, cell, points }) =>
    points.map(({ run, startedAt, interval }) => ({
      run,
      started_at: startedAt,
      experiment,
      machine,
      cell,
      metric: metricId,
      mean: interval.estimate,
      low95: interval.low,
      high95: interval.high,
      trials: interval.n,
    })),
  );
}

function csvOf(rows: readonly Row[]): string {
  const text = (value: Row[Column]) =>
    typeof value === 'string' && /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : `${value ?? ''}`;
  return [
    columnNames.join(','),
    ...rows.map((row) => columnNames.map((name) => text(row[name])).join(',')),
  ].join('\n');
}

/** @throws Error when the file cannot be written */
async function writeParquet(file: string, rows: readonly Row[]): Promise<void> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const columnData = columnNames.map((name) => ({
    name,
    data: rows.map((row) => row[name]),
    type: columns[name],
    nullable: true,
  }));
  replaceFile(file, new Uint8Array(parquetWriteBuffer({ columnData })));
}

withExamples(history, [
  ['history', 'CPU time of a request, over all runs under results/'],
  ['history --metric latency-p99 --out /srv/runs --csv', 'another figure, a row per run and cell'],
]);
