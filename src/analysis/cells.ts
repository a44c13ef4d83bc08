/** Samples grouped: trials of the same cell, and cells of the same series along one factor. */
import type { CellLevels, HostFacts, Sample } from '../contract/sample.js';
import { mechanismOrder } from './mechanisms.js';
import type { Metric } from './metrics.js';

export interface Cell {
  experiment: string;
  levels: CellLevels;
  host: HostFacts;
  key: string;
  /** trials that count: status ok */
  trials: Sample[];
  /** failed, invalid and impossible ones: shown, never in a verdict */
  excluded: Sample[];
}

/** Text identity of a combination of factor levels, independent of the order they were written in. */
export function levelsKey(levels: CellLevels): string {
  return Object.keys(levels)
    .sort()
    .map((name) => `${name}=${levels[name]}`)
    .join(' ');
}

export function cellsOf(samples: readonly Sample[]): Cell[] {
  const cells = new Map<string, Cell>();
  for (const sample of samples) {
    const key = `${sample.experiment} ${sample.host.name} ${levelsKey(sample.cell)}`;
    let cell = cells.get(key);
    if (!cell) {
      const { experiment, cell: levels, host } = sample;
      cell = { experiment, levels, host, key, trials: [], excluded: [] };
      cells.set(key, cell);
    }
    (sample.status === 'ok' ? cell.trials : cell.excluded).push(sample);
  }
  return [...cells.values()];
}

/** One value per counting trial; trials that lack the metric are left out. */
export function valuesOf(cell: Cell, metric: Metric): number[] {
  return cell.trials.map((sample) => metric.of(sample)).filter((value) => value !== null);
}

/** Cells that differ in one factor only, ascending in it. */
export interface Series {
  key: string;
  label: string;
  /** the other factors' levels */
  levels: CellLevels;
  host: HostFacts;
  points: { x: number; cell: Cell }[];
}

const text = (level: string | number | null | undefined) =>
  level === null || level === undefined ? '' : `${level}`;

/** A level as part of a label: "idle 100"; a rate of null is the closed loop. */
export function levelLabel(factor: string, level: string | number | null | undefined): string {
  if (factor === 'rate' && level === null) return 'closed loop';
  return `${factor} ${text(level)}`;
}

/** "epoll · ts batch": mechanism first, then who runs it. */
export function seriesLabel(levels: CellLevels): string {
  const who = [text(levels.impl), text(levels.io)].filter(Boolean).join(' ');
  return [text(levels.backend), who].filter(Boolean).join(' · ');
}

const implementationOrder = ['baseline', 'native', 'ts', 'libuv'];
const rank = (list: readonly string[], name: unknown) => {
  const at = list.indexOf(`${name}`);
  return at < 0 ? list.length : at;
};

/** Factors beside mechanism and implementation that tell these combinations apart. */
export function varyingFactors(all: readonly CellLevels[]): string[] {
  const seen = new Map<string, Set<unknown>>();
  for (const levels of all) {
    for (const [name, level] of Object.entries(levels))
      seen.set(name, (seen.get(name) ?? new Set()).add(level));
  }
  return [...seen]
    .filter(([name, levels]) => levels.size > 1 && !['backend', 'impl', 'io'].includes(name))
    .map(([name]) => name);
}

/** Series of `cells` along `factor`, in a fixed, readable order; with several hosts the label says which. */
export function seriesAlong(cells: readonly Cell[], factor: string): Series[] {
  const hosts = new Set(cells.map(({ host }) => host.name));
  const others = varyingFactors(cells.map(({ levels }) => levels)).filter((name) => name !== factor);
  const all = new Map<string, Series>();
  for (const cell of cells) {
    const x = cell.levels[factor];
    if (typeof x !== 'number') continue;
    const { [factor]: _, ...levels } = cell.levels;
    const key = `${cell.host.name} ${levelsKey(levels)}`;
    const label = [
      seriesLabel(levels),
      ...others.map((name) => levelLabel(name, levels[name])),
      ...(hosts.size > 1 ? [cell.host.name] : []),
    ].join(' · ');
    const series = all.get(key) ?? { key, label, levels, host: cell.host, points: [] };
    series.points.push({ x, cell });
    all.set(key, series);
  }
  for (const series of all.values()) series.points.sort((a, b) => a.x - b.x);
  return [...all.values()].sort(
    (a, b) =>
      rank(implementationOrder, a.levels.impl) - rank(implementationOrder, b.levels.impl) ||
      rank(mechanismOrder, a.levels.backend) - rank(mechanismOrder, b.levels.backend) ||
      a.key.localeCompare(b.key, 'en', { numeric: true }),
  );
}
