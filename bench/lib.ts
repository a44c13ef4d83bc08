/** What all benchmarks share: how a ratio is judged against its bar and shown, where a record goes. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { packageRoot } from '../src/addon.js';
import { readFact } from '../src/hosts/linux-facts.js';
import type { Interval } from '../src/statistics/interval.js';

/** '1.234 [1.200, 1.268]' */
export function shown({ estimate, low, high }: Interval, digits = 3): string {
  const end = (value: number | null) => (value === null ? '-' : value.toFixed(digits));
  return `${estimate.toFixed(digits)} [${end(low)}, ${end(high)}]`;
}

/** Met and missed are said of the whole interval; between them the trials do not tell. */
export function verdict(interval: Interval, bar: number | null, side: 'least' | 'most'): string {
  if (bar === null) return '';
  const [good, bad] = side === 'least' ? [interval.low, interval.high] : [interval.high, interval.low];
  if (good === null || bad === null) return 'not resolved';
  const meets = (value: number) => (side === 'least' ? value >= bar : value <= bar);
  return meets(good) ? 'met' : meets(bad) ? 'not resolved' : 'MISSED';
}

/** CPU time of all threads of a process so far, seconds. */
export function cpuSeconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFact(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0))
    .reduce((sum, ns) => sum + ns / 1e9, 0);
}

/**
 * @param rows the part of a benchmark that was asked for, which has a record of its own; empty: all of it
 * @returns the file written in results/bench
 */
export function saveRecord(benchmark: string, record: object, rows = ''): string {
  const name = [benchmark, ...(rows.match(/\w+/g) ?? [])].join('-');
  const folder = resolve(packageRoot, 'results/bench');
  mkdirSync(folder, { recursive: true });
  const file = resolve(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(record, null, 2));
  return file;
}
