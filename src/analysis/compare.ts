/** Two runs side by side: aligned cells, shifts with intervals, and what is shown after Holm's correction. */
import type { RunInfo } from '../contract/run.js';
import type { HostFacts } from '../contract/sample.js';
import type { Analysis } from './analyse.js';
import { type Cell, levelsKey, seriesLabel, valuesOf } from './cells.js';
import { type Metric, type MetricId, metric } from './metrics.js';
import { cliffsDelta, hodgesLehmann, holm, mannWhitney } from './ranks.js';

/** Compared by their ratio: how much slower is asked, not by how many microseconds. */
export const ratioMetrics = [
  'throughput',
  'cpu-per-request',
  'open-cpu-per-request',
  'latency-p50',
  'latency-p99',
] as const satisfies readonly MetricId[];
/** Compared by their difference: often 0, and 0 has no ratio. */
const differenceMetrics = ['loss-rate'] as const satisfies readonly MetricId[];
/** Metrics worth a verdict; the others explain. */
export const comparedMetrics = [...ratioMetrics, ...differenceMetrics] as const;
export type ComparedMetric = (typeof comparedMetrics)[number];

/** A comparison of two equal runs calls anything at all different in at most this share of cases. */
const familyError = 0.05;

export interface Comparison {
  experiment: string;
  levels: Cell['levels'];
  label: string;
  metric: Metric;
  a: number[];
  b: number[];
  scale: 'ratio' | 'difference';
  /**
   * Hodges-Lehmann with its interval and the confidence reached. Ratio: the median of all ratios b/a, minus 1 (on
   * logarithms); difference: the median of all differences b - a, in the metric's unit
   */
  shift: number;
  low: number;
  high: number;
  confidence: number;
  /** Cliff's delta of b against a */
  effect: number;
  /** Mann-Whitney, adjusted by Holm over all rows of the comparison */
  p: number;
  /** `~`: nothing is shown */
  change: 'better' | 'worse' | 'different' | '~';
  /** with so few trials not even a complete separation could be shown */
  hopeless: boolean;
}

export interface RunComparison {
  environment: { what: string; a: string; b: string }[];
  rows: Comparison[];
  /** cells of one run only; they differ in a factor from everything in the other */
  unmatched: { run: 'A' | 'B'; cell: string }[];
}

const identity = (cell: Cell) => `${cell.experiment} ${levelsKey(cell.levels)}`;

function flat(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

const facts = (run: RunInfo | null, host: HostFacts): [string, unknown][] => [
  ['CPU', host.cpuModel],
  ['CPUs', host.vcpus],
  ['kernel', host.kernel],
  ['clock source', host.clockSource],
  ['transport', host.transport],
  ['hypervisor', host.hypervisor ?? 'none'],
  ['mitigations', run?.environment.mitigations ?? 'unknown'],
  ['versions', run?.versions ?? 'unknown'],
  ['addon', run?.addonDigest ?? 'unknown'],
  ['pinning', run?.pinning ?? 'unknown'],
];

/** Cells of a run that hold usable trials, by identity. */
function usable({ experiments }: Analysis): Map<string, Cell> {
  const cells = experiments.flatMap((one) => one.cells.map(({ cell }) => cell));
  return new Map(cells.filter(({ trials }) => trials.length > 0).map((cell) => [identity(cell), cell]));
}

function compareCells(a: Cell, b: Cell, measured: Metric): Comparison | null {
  const [before, after] = [valuesOf(a, measured), valuesOf(b, measured)];
  if (before.length === 0 || after.length === 0) return null;
  const all = [...before, ...after];
  const scale = differenceMetrics.some((id) => id === measured.id) ? 'difference' : 'ratio';
  // All zero: nothing there that could differ, and no reason to make the family larger.
  if (scale === 'ratio' ? all.some((value) => value <= 0) : all.every((value) => value === 0)) return null;
  const [on, back] = scale === 'ratio' ? [Math.log, Math.expm1] : [Number, Number];
  const shift = hodgesLehmann(after.map(on), before.map(on));
  return {
    experiment: a.experiment,
    levels: a.levels,
    label: seriesLabel(a.levels),
    metric: measured,
    a: before,
    b: after,
    scale,
    shift: back(shift.estimate),
    low: back(shift.low),
    high: back(shift.high),
    confidence: shift.confidence,
    effect: cliffsDelta(after, before),
    p: mannWhitney(after, before).p,
    change: '~',
    hopeless: false,
  };
}

/**
 * Adjusts p over the family and says what is shown. The family is the whole comparison, all cells in all metrics, because
 * its reader and `--fail-if` act on any row of it.
 */
function decide(family: Comparison[]): void {
  const adjusted = holm(family.map(({ p }) => p));
  family.forEach((row, i) => {
    const apart = mannWhitney(
      row.a.map((_, k) => k),
      row.b.map((_, k) => -1 - k),
    ).p;
    row.hopeless = apart * family.length > familyError;
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
  chosen: readonly ComparedMetric[] = comparedMetrics,
): RunComparison {
  const [hostA, hostB] = [a.samples[0]!.host, b.samples[0]!.host];
  if (hostA.executionClass !== hostB.executionClass) {
    throw new Error(
      `A was taken on class '${hostA.executionClass}', B on '${hostB.executionClass}': absolute figures are compared only within a class`,
    );
  }
  const [cellsA, cellsB] = [usable(a), usable(b)];
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
      .map((key) => compareCells(cellsA.get(key)!, cellsB.get(key)!, metric(id)))
      .filter((row) => row !== null),
  );
  decide(rows);
  const factsB = new Map(facts(b.run, hostB));
  return {
    environment: facts(a.run, hostA)
      .map(([what, value]) => ({ what, a: flat(value), b: flat(factsB.get(what)) }))
      .filter((row) => row.a !== row.b),
    rows,
    unmatched: [
      ...onlyA.map((cell) => ({ run: 'A' as const, cell })),
      ...onlyB.map((cell) => ({ run: 'B' as const, cell })),
    ],
  };
}

/** A condition that fails a comparison: `slower>3%`, `faster>3%`, `loss>0.1%` (percentage points more) or `different`. */
export function failureRule(text: string): (row: Comparison) => boolean {
  if (text === 'different') return ({ change }) => change !== '~';
  const [, word, limit] = /^(slower|faster|loss)\s*>\s*(\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  if (!word)
    throw new Error(`'${text}' is not a condition: write slower>3%, faster>3%, loss>0.1% or different`);
  if (word === 'loss')
    return ({ metric, change, shift }) =>
      metric.id === 'loss-rate' && change === 'worse' && shift > Number(limit);
  const wanted = word === 'slower' ? 'worse' : 'better';
  return ({ scale, change, shift }) =>
    scale === 'ratio' && change === wanted && Math.abs(shift) > Number(limit) / 100;
}
