/**
 * autobench's table: first ten columns byte for byte as autobench writes them, five status columns as autobench_admin
 * does in the distributed case, our own columns only after all of those. A pure function of results.
 */
import { type SessionResult, totalFailures } from '../contract/ramp.js';
import { measuredAs, type Sample } from '../trials/sample.js';

export interface AutobenchRow {
  /** connections per second asked of all clients together */
  rate: number;
  /** one result per host, in the order of the header */
  results: readonly SessionResult[];
}

export interface AutobenchTable {
  hosts: readonly string[];
  calls: number;
  format: 'tsv' | 'csv';
  /** several clients: autobench_admin's status columns follow */
  distributed: boolean;
}

/** What `printf "%.15g"` prints: autobench lets Perl stringify its computed numbers. */
export function perlNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return `${value}`;
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(15)))));
  if (exponent >= -4 && exponent < 15) return `${Number(value.toPrecision(15))}`;
  const [digits, power] = value.toExponential(14).split('e') as [string, string];
  const sign = power.startsWith('-') ? '-' : '+';
  return `${Number(digits)}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
}

/** autobench: percent of replies, and 101 where there was no reply. */
export const percentErrors = (result: SessionResult): number =>
  result.replies === 0 ? 101 : (100 * totalFailures(result.failures)) / result.replies;

const autobenchColumns: readonly [string, (result: SessionResult) => string][] = [
  ['req_rate', (r) => perSecond(r.requests, r).toFixed(1)],
  ['con_rate', (r) => perSecond(r.connections, r).toFixed(1)],
  ['min_rep_rate', (r) => r.replyRate.min.toFixed(1)],
  ['avg_rep_rate', (r) => r.replyRate.avg.toFixed(1)],
  ['max_rep_rate', (r) => r.replyRate.max.toFixed(1)],
  ['stddev_rep_rate', (r) => r.replyRate.stddev.toFixed(1)],
  ['resp_time', (r) => r.responseMs.toFixed(1)],
  ['net_io', (r) => r.netKBps.toFixed(1)],
  ['errors', (r) => perlNumber(percentErrors(r))],
];

const statusColumns: typeof autobenchColumns = [1, 2, 3, 4, 5].map((digit) => [
  `status_${digit}00`,
  (r) => `${r.status[digit - 1]}`,
]);

/** Ours: milliseconds; empty where httperf was the client and cannot know. */
const ownColumns: typeof autobenchColumns = [
  ['resp_p50_ms', (r) => (r.detail ? (r.detail.response.p50 / 1e6).toFixed(3) : '')],
  ['resp_p99_ms', (r) => (r.detail ? (r.detail.response.p99 / 1e6).toFixed(3) : '')],
  ['rep_rate_samples', (r) => `${r.replyRate.samples}`],
  ['rep_rate_interval_s', (r) => `${r.replyRate.intervalS}`],
  ['client_saturated', (r) => (r.detail ? `${r.detail.saturation.length > 0 ? 1 : 0}` : '')],
];

function perSecond(events: number, result: SessionResult): number {
  return result.durationS > 0 ? events / result.durationS : 0;
}

const columnGroups = (table: AutobenchTable) => [
  table.distributed ? [...autobenchColumns, ...statusColumns] : autobenchColumns,
  ownColumns,
];

const separator = (table: AutobenchTable): string => (table.format === 'csv' ? ',' : '\t');

export function autobenchHeader(table: AutobenchTable): string {
  // Group by group over all hosts, so that the columns other tools know stay together and first.
  const names = columnGroups(table).flatMap((group) =>
    table.hosts.flatMap((host) => group.map(([name]) => `${name}_${host}`)),
  );
  return `${['dem_req_rate', ...names].join(separator(table))}\n`;
}

export function autobenchLine(table: AutobenchTable, row: AutobenchRow): string {
  const values = columnGroups(table).flatMap((group) =>
    row.results.flatMap((result) => group.map(([, value]) => value(result))),
  );
  return `${[perlNumber(table.calls * row.rate), ...values].join(separator(table))}\n`;
}

/** A run's ramps as autobench would have written them: one table for each server, host and block, by file name. */
export function autobenchTables(samples: readonly Sample[]): Map<string, string> {
  const hosts = new Set(samples.map(({ host }) => host.name));
  const ramps = new Map<string, { table: AutobenchTable; rows: AutobenchRow[] }>();
  for (const sample of samples) {
    const { cell, block, host } = sample;
    for (const [, { spec, session }] of measuredAs(sample, 'sessions')) {
      const names = [cell.backend, cell.impl, cell.io, ...(hosts.size > 1 ? [host.name] : [])];
      const server = names.filter(Boolean).join('-');
      const file = `${server}-${block + 1}.tsv`;
      const ramp = ramps.get(file) ?? {
        table: { hosts: [server], calls: spec.calls, format: 'tsv', distributed: false },
        rows: [],
      };
      ramp.rows.push({ rate: spec.rate, results: [session] });
      ramps.set(file, ramp);
    }
  }
  return new Map(
    [...ramps].map(([file, { table, rows }]) => [
      file,
      autobenchHeader(table) +
        rows
          .sort((a, b) => a.rate - b.rate)
          .map((row) => autobenchLine(table, row))
          .join(''),
    ]),
  );
}
