/** Samples grouped: trials of the same cell, and cells of the same series along one factor. */
import type { HostFacts } from '../contract/host.js';
import { implementationOrder, isReference, mechanismOrder } from '../contract/names.js';
import { type CellLevels, levelsKey } from '../contract/sample.js';
import { factorNamed } from '../experiments/registry.js';
import { tellingFactors } from '../experiments/servers.js';
import type { Blocked } from '../statistics/interval.js';
import type { Metric } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';

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

/** The same, each with the block it was measured in. */
export function blockedValuesOf(cell: Cell, metric: Metric): Blocked[] {
  return cell.trials.flatMap((sample) => {
    const value = metric.of(sample);
    return value === null ? [] : [{ block: sample.block, value }];
  });
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

/** A level as part of a label: "idle 100"; what is no number may have a word of its own, as the closed loop has. */
export function levelLabel(factor: string, level: string | number | null | undefined): string {
  const word = typeof level === 'number' || level === undefined ? null : factorNamed(factor)?.level?.(level);
  return word ?? `${factor} ${text(level)}`;
}

/** "epoll · ts batch", "browser webtransport": mechanism first, then who runs it. */
export function seriesLabel(levels: CellLevels): string {
  const who = [text(levels.impl), text(levels.io), text(levels.transport)].filter(Boolean).join(' ');
  return [text(levels.backend), who].filter(Boolean).join(' · ');
}

/** Factors that say which server; the others are its circumstances. */
export const tellServer = (factor: string): boolean => tellingFactors.includes(factor);

/** "idle 1000, connections 100": every factor but the server's. */
export function circumstances(levels: CellLevels): string {
  return Object.entries(levels)
    .filter(([factor]) => !tellServer(factor))
    .map(([factor, level]) => levelLabel(factor, level))
    .join(', ');
}

/** "epoll · ts batch, idle 1000, connections 100" */
export const cellLabel = (levels: CellLevels): string =>
  [seriesLabel(levels), circumstances(levels)].filter(Boolean).join(', ');

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
  return [...seen].filter(([name, levels]) => levels.size > 1 && !tellServer(name)).map(([name]) => name);
}

/** Names of the hosts of these, once each. */
export const hostNames = (all: readonly { host: HostFacts }[]): string[] => [
  ...new Set(all.map(({ host }) => host.name)),
];

/** What tells one of these from the others: server, other factors that vary, and where there are several the host. */
export function labelsAmong(
  all: readonly Pick<Cell, 'levels' | 'host'>[],
  /** factors that are told elsewhere */
  apart: readonly string[],
): (one: Pick<Cell, 'levels' | 'host'>) => string {
  const several = hostNames(all).length > 1;
  const others = varyingFactors(all.map(({ levels }) => levels)).filter((name) => !apart.includes(name));
  return ({ levels, host }) =>
    [
      seriesLabel(levels),
      ...others.map((name) => levelLabel(name, levels[name])),
      ...(several ? [host.name] : []),
    ]
      .filter(Boolean)
      .join(' · ');
}

/**
 * Series of `cells` along `factor`, in a fixed, readable order; with several hosts the label says which. Cells of an
 * experiment that has no factor of numbers ('') are each a series of one point, at 0.
 */
export function seriesAlong(cells: readonly Cell[], factor: string): Series[] {
  const labelOf = labelsAmong(cells, [factor]);
  const all = new Map<string, Series>();
  for (const cell of cells) {
    const x = factor === '' ? 0 : cell.levels[factor];
    if (typeof x !== 'number') continue;
    const { [factor]: _, ...levels } = cell.levels;
    const key = `${cell.host.name} ${levelsKey(levels)}`;
    const series = all.get(key) ?? { key, label: labelOf(cell), levels, host: cell.host, points: [] };
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

/**
 * The implementation nearest to the mechanism, for answers and figures about one only: raw system calls where nothing
 * else was measured, all servers where none is ours.
 */
export function nearest(series: readonly Series[]): Series[] {
  const measured = implementationOrder.filter((name) => series.some(({ levels }) => levels.impl === name));
  const impl = measured.find((name) => !isReference(name)) ?? measured[0];
  const own = series.filter(({ levels }) => impl === undefined || levels.impl === impl);
  const batched = own.filter(({ levels }) => levels.io !== 'call');
  return batched.length > 0 ? batched : own;
}
