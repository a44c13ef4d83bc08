/** Many runs as one table: a figure of a cell over time, and where it changed. */
import { levelsKey } from '../contract/sample.js';
import { changePoints, noise } from '../statistics/change-points.js';
import { type Interval, meanInterval, relativeHalfWidth } from '../statistics/interval.js';
import type { Metric } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { cellsOf, valuesOf } from './cells.js';

export interface PastRun {
  id: string;
  startedAt: string;
  samples: readonly Sample[];
}

export interface Trend {
  experiment: string;
  /** name, execution class, transport and CPU of the host: figures of different ones are different trends */
  machine: string;
  cell: string;
  points: { run: string; startedAt: string; interval: Interval }[];
  /** runs at which the level changed (PELT over the logarithms of the runs' means) */
  changes: { run: string; before: number; after: number }[];
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function changesOf(points: Trend['points']): Trend['changes'] {
  const means = points.map(({ interval }) => interval.estimate);
  if (means.length < 4 || means.some((value) => value <= 0)) return [];
  const logs = means.map(Math.log);
  // Few runs tell their own noise badly; the trials inside each tell a lower bound of it.
  const widths = points.map(({ interval }) => relativeHalfWidth(interval) ?? 0);
  const deviation = Math.max(noise(logs), average(widths) / 1.96);
  const starts = changePoints(logs, { penalty: 3 * Math.log(logs.length) * deviation ** 2 + 1e-12 });
  return starts.map((start, i) => ({
    run: points[start]!.run,
    before: average(means.slice(starts[i - 1] ?? 0, start)),
    after: average(means.slice(start, starts[i + 1])),
  }));
}

/** One trend per cell and machine, runs in order of time. */
export function trends(runs: readonly PastRun[], measured: Metric): Trend[] {
  const all = new Map<string, Trend>();
  for (const { id, startedAt, samples } of [...runs].sort((a, b) => a.startedAt.localeCompare(b.startedAt))) {
    for (const cell of cellsOf(samples)) {
      const values = valuesOf(cell, measured);
      if (values.length === 0) continue;
      const { name: host, executionClass, transport, cpuModel } = cell.host;
      const machine = [host, executionClass, transport, cpuModel].join(', ');
      const name = levelsKey(cell.levels);
      const key = `${cell.experiment} ${machine} ${name}`;
      const trend = all.get(key) ?? {
        experiment: cell.experiment,
        machine,
        cell: name,
        points: [],
        changes: [],
      };
      trend.points.push({ run: id, startedAt, interval: meanInterval(values) });
      all.set(key, trend);
    }
  }
  return [...all.values()].map((trend) => ({ ...trend, changes: changesOf(trend.points) }));
}
