/** Two runs side by side: aligned cells, shifts with intervals, and what is shown after Holm's correction. */

import type { HostFacts } from '../contract/host.js';
import type { RunInfo } from '../contract/run.js';
import { levelsKey } from '../contract/sample.js';
import type { Compared } from '../experiments/experiment.js';
import { experiments, knownExperiment } from '../experiments/registry.js';
import { unitsNeeded } from '../statistics/paired.js';
import { cliffsDelta, familyError, hodgesLehmann, holm, mannWhitney } from '../statistics/ranks.js';
import { type MetricId, metric, metrics } from '../trials/registry.js';
import type { Analysis } from './analyse.js';
import { type Cell, seriesLabel, valuesOf } from './cells.js';
import type { Judged } from './gate.js';

const declared = experiments.flatMap(({ compared }) => compared);

/** Metrics worth a verdict in some experiment; the others explain. */
export const comparedMetrics: readonly MetricId[] = [...new Set(declared.map((one) => one.metric))];

/** Those of them that are compared by their ratio. */
export const ratioMetrics: readonly MetricId[] = comparedMetrics.filter((id) =>
  declared.some((one) => one.metric === id && one.scale === 'ratio'),
);

/** What is compared of an experiment; of one that this version does not know, all that can be better or worse. */
const comparedOf = (experiment: string): readonly Compared[] =>
  knownExperiment(experiment)?.compared ??
  metrics.flatMap(({ id, better }) =>
    better === 'neither' ? [] : [{ metric: id, scale: 'ratio' as const }],
  );

/** A row of any comparison: what those need that print it or judge it. */
export interface ComparedRow extends Judged {
  experiment: string;
  levels: Cell['levels'];
  label: string;
  /** null: neither run has several */
  host: string | null;
  a: number[];
  b: number[];
  /** ends of the interval of the shift, with the confidence reached; null: too few for one */
  low: number | null;
  high: number | null;
  confidence: number;
  /** adjusted by Holm over all rows of the comparison */
  p: number;
}

/**
 * Of two runs. `shift` is Hodges-Lehmann. Ratio: the median of all ratios b/a, minus 1 (on logarithms); difference: the
 * median of all differences b - a. `p` is Mann-Whitney's. Hopeless: with so few trials not even a complete separation
 * could be shown.
 */
export interface Comparison extends ComparedRow {
  low: number;
  high: number;
  /** Cliff's delta of b against a */
  effect: number;
}

export interface RunComparison {
  environment: { what: string; a: string; b: string }[];
  rows: Comparison[];
  /** cells of one run only; they differ in a factor from everything in the other */
  unmatched: { run: 'A' | 'B'; cell: string }[];
}

/** Hosts may be called differently; a run of several is compared host by host. */
const identity = (cell: Cell, several: boolean) =>
  [cell.experiment, ...(several ? [cell.host.name] : []), levelsKey(cell.levels)].join(' ');

function flat(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

const facts = (run: RunInfo | null, host: HostFacts): [string, unknown][] => {
  const recorded = run?.hosts[host.name];
  return [
    ['CPU', host.cpuModel],
    ['CPUs', host.vcpus],
    ['kernel', host.kernel],
    ['clock source', host.clockSource],
    ['transport', host.transport],
    ['hypervisor', host.hypervisor ?? 'none'],
    ['mitigations', recorded?.environment.mitigations ?? 'unknown'],
    ['settings', recorded?.environment.settings ?? 'unknown'],
    ['versions', recorded?.versions ?? 'unknown'],
    ['addon', recorded?.addonDigest ?? 'unknown'],
    ['pinning', recorded?.pinning ?? 'unknown'],
  ];
};

/** Cells of a run that hold usable trials, by identity. */
function usable({ experiments: all }: Analysis, several: boolean): Map<string, Cell> {
  const cells = all.flatMap((one) => one.cells.map(({ cell }) => cell));
  return new Map(
    cells.filter(({ trials }) => trials.length > 0).map((cell) => [identity(cell, several), cell]),
  );
}

/** Hosts of a run, each as its first sample tells of it. */
function hostsOf({ samples }: Analysis): Map<string, HostFacts> {
  const hosts = new Map<string, HostFacts>();
  for (const { host } of samples) if (!hosts.has(host.name)) hosts.set(host.name, host);
  return hosts;
}

/**
 * Which host of B each host of A is compared with: where both runs have one that one, whatever it is called.
 * @throws Error in one sentence when there is none, or when absolute figures of two must not be compared
 */
function matchHosts(a: Analysis, b: Analysis): { several: boolean; pairs: [HostFacts, HostFacts][] } {
  const [hostsA, hostsB] = [hostsOf(a), hostsOf(b)];
  const several = Math.max(hostsA.size, hostsB.size) > 1;
  const pairs = [...hostsA].flatMap(([name, host]): [HostFacts, HostFacts][] => {
    const peer = several ? hostsB.get(name) : [...hostsB.values()][0];
    return peer ? [[host, peer]] : [];
  });
  if (pairs.length === 0) {
    const names = (hosts: typeof hostsA) => [...hosts.keys()].join(', ');
    throw new Error(`no host of A is in B: A has ${names(hostsA)}, B has ${names(hostsB)}`);
  }
  for (const [one, other] of pairs) {
    if (one.executionClass === other.executionClass) continue;
    throw new Error(
      `${several ? `${one.name} of A` : 'A'} was taken on class '${one.executionClass}', B on '${other.executionClass}': absolute figures are compared only within a class`,
    );
  }
  return { several, pairs };
}

/** What is different between two hosts and what was installed on them. */
function differences(a: RunInfo | null, b: RunInfo | null, [hostA, hostB]: [HostFacts, HostFacts]) {
  const factsB = new Map(facts(b, hostB));
  return facts(a, hostA)
    .map(([what, value]) => ({ what, a: flat(value), b: flat(factsB.get(what)) }))
    .filter((row) => row.a !== row.b);
}

/** Trials of either run so that even complete separation is shown at 5 % by the row that Holm asks most of. */
function leastTrials(rows: number): number {
  const separated = (n: number) => {
    const low = Array.from({ length: n }, (_, k) => k);
    return mannWhitney(
      low,
      low.map((k) => k + n),
    ).p;
  };
  let n = 2;
  while (separated(n) * rows > familyError) n++;
  return n;
}

/** Standard deviation within the two groups. */
function withinDeviation(a: readonly number[], b: readonly number[]): number {
  const squares = [a, b].map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  });
  return Math.sqrt((squares[0]! + squares[1]!) / Math.max(1, a.length + b.length - 2));
}

function compareCells(
  a: Cell,
  b: Cell,
  { metric: id, scale }: Compared,
  several: boolean,
): Comparison | null {
  const measured = metric(id);
  const [before, after] = [valuesOf(a, measured), valuesOf(b, measured)];
  if (before.length === 0 || after.length === 0) return null;
  const all = [...before, ...after];
  // All zero: nothing there that could differ, and no reason to make the family larger.
  if (scale === 'ratio' ? all.some((value) => value <= 0) : all.every((value) => value === 0)) return null;
  const [on, back] = scale === 'ratio' ? [Math.log, Math.expm1] : [Number, Number];
  const shift = hodgesLehmann(after.map(on), before.map(on));
  const [low, high] = [back(shift.low), back(shift.high)];
  const deviation = withinDeviation(before.map(on), after.map(on));
  return {
    experiment: a.experiment,
    levels: a.levels,
    label: seriesLabel(a.levels),
    host: several ? a.host.name : null,
    metric: measured,
    a: before,
    b: after,
    scale,
    shift: back(shift.estimate),
    low,
    high,
    confidence: shift.confidence,
    // Three trials of either run reach 90 % exactly, but for rounding.
    bounds: shift.confidence > 0.9 - 1e-9 ? { low, high } : null,
    effect: cliffsDelta(after, before),
    p: mannWhitney(after, before).p,
    change: '~',
    hopeless: false,
    needed: (margin) => (scale === 'ratio' ? unitsNeeded(deviation, margin, 2) : 0),
  };
}

/**
 * Adjusts p over the family and says what is shown. The family is the whole comparison, all cells in all metrics, because
 * its reader and `--fail-if` act on any row of it.
 */
function decide(family: Comparison[]): void {
  if (family.length === 0) return;
  const adjusted = holm(family.map(({ p }) => p));
  const least = leastTrials(family.length);
  family.forEach((row, i) => {
    const apart = mannWhitney(
      row.a.map((_, k) => k),
      row.b.map((_, k) => -1 - k),
    ).p;
    row.hopeless = apart * family.length > familyError;
    const { needed } = row;
    row.needed = (margin) => Math.max(least, needed(margin));
    row.p = adjusted[i]!;
    if (row.p > familyError) return;
    // Not by the shift: where most trials are 0, the median of their differences is too.
    const grew = row.effect > 0;
    row.change =
      row.metric.better === 'neither'
        ? 'different'
        : grew === (row.metric.better === 'higher')
          ? 'better'
          : 'worse';
  });
}

/**
 * @param chosen what to compare; fewer metrics make a smaller family, which shows smaller differences
 * @throws Error in one sentence when the runs cannot be compared at all
 */
export function compareRuns(
  a: Analysis,
  b: Analysis,
  chosen: readonly MetricId[] = comparedMetrics,
): RunComparison {
  const { several, pairs } = matchHosts(a, b);
  const [cellsA, cellsB] = [usable(a, several), usable(b, several)];
  const shared = [...cellsA.keys()].filter((key) => cellsB.has(key));
  const alone = (own: Map<string, Cell>, other: Map<string, Cell>) =>
    [...own.keys()].filter((key) => !other.has(key));
  const [onlyA, onlyB] = [alone(cellsA, cellsB), alone(cellsB, cellsA)];
  if (shared.length === 0) {
    throw new Error(
      `no cell of A exists in B: every one differs in a factor (for example A has '${onlyA[0] ?? 'none'}', B has '${onlyB[0] ?? 'none'}')`,
    );
  }
  const rows = chosen.flatMap((id) =>
    shared
      .map((key) => {
        const cell = cellsA.get(key)!;
        const compared = comparedOf(cell.experiment).find((one) => one.metric === id);
        return compared ? compareCells(cell, cellsB.get(key)!, compared, several) : null;
      })
      .filter((row) => row !== null),
  );
  decide(rows);
  return {
    environment: pairs.flatMap((pair) =>
      differences(a.run, b.run, pair).map((row) =>
        several ? { ...row, what: `${pair[0].name}: ${row.what}` } : row,
      ),
    ),
    rows,
    unmatched: [
      ...onlyA.map((cell) => ({ run: 'A' as const, cell })),
      ...onlyB.map((cell) => ({ run: 'B' as const, cell })),
    ],
  };
}
