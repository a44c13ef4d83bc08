/**
 * `dispatchbench history`: every run under results/ as one table. Read straight from the runs' own files: thousands of
 * samples take a second, and no database has to be installed or kept in step. For questions beyond this table, --csv
 * is what DuckDB, R or a spreadsheet reads (and DuckDB writes as Parquet).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { type PastRun, type Trend, trends } from '../../analysis/history.js';
import { metric, metrics } from '../../analysis/metrics.js';
import { number, withInterval } from '../../report/format.js';
import { sparkline } from '../../report/terminal.js';
import { readRun } from '../../report/write.js';

const ids = metrics.map(({ id }) => id);

export const history = new Command('history')
  .description('a figure of every cell over all runs, with the runs at which it changed')
  .addOption(new Option('--metric <name>', 'which figure').choices(ids).default('cpu-per-request'))
  .option('--out <dir>', 'folder of the runs', 'results')
  .option('--json', 'print the trends as JSON')
  .option('--csv', 'print a row per run and cell')
  .action(({ metric: id, out, json, csv }) => {
    const measured = metric(id as (typeof ids)[number]);
    const { runs, unreadable } = readRuns(out);
    if (runs.length === 0)
      throw new Error(`${out}/ holds no readable run: start one with 'dispatchbench run quick'`);
    const found = trends(runs, measured);
    for (const reason of unreadable) console.error(`left out: ${reason}`);
    if (json) console.log(JSON.stringify(found, null, 2));
    else console.log(csv ? rows(found, id) : `${measured.title} (${measured.unit})\n${table(found)}`);
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
  for (const { cell, points, changes } of all) {
    const means = points.map(({ interval }) => interval.estimate);
    out.push([
      cell,
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

function rows(all: readonly Trend[], id: string): string {
  const lines = all.flatMap(({ experiment, machine, cell, points }) =>
    points.map(({ run, startedAt, interval }) =>
      [
        run,
        startedAt,
        experiment,
        `"${machine.replaceAll('"', '""')}"`,
        cell,
        id,
        interval.estimate,
        interval.low,
        interval.high,
        interval.n,
      ].join(','),
    ),
  );
  return ['run,started_at,experiment,machine,cell,metric,mean,low95,high95,trials', ...lines].join('\n');
}
