/**
 * What runs show: their samples, figures with intervals, verdicts on published claims, and what changed between two runs.
 *
 *     import { compare, figures, readRun } from 'dispatchbench/analysis';
 *
 *     const run = readRun('results/2026-01-01T00-00-00-idle-connections-quick');
 *     for (const { label, metric, interval } of figures(run)) console.log(label, metric.id, interval);
 *
 * Nothing here needs the native part, and nothing but `readRun` touches a file. Intervals are those of 95 %.
 */
import { cellLabel } from '../analysis/cells.js';
import { type Comparison, comparedMetrics, compareRuns, type RunComparison } from '../analysis/compare.js';
import { type GateSummary, gateSummary, rowConditions } from '../analysis/gate.js';
import type { VerdictName } from '../analysis/verdicts.js';
import { cited } from '../claims/bibliography.js';
import type { Outcome } from '../contract/conditions.js';
import type { CellLevels } from '../contract/sample.js';
import type { Interval } from '../statistics/interval.js';
import type { Metric, MetricId } from '../trials/registry.js';
import { analysisOf, type RecordedRun } from './recorded.js';

export type { HostFacts } from '../contract/host.js';
export type { Latency } from '../contract/load.js';
export type { RunInfo } from '../contract/run.js';
export type { LoggedHistogram } from '../load/histogram.js';
export type { Refusal } from '../results/parse.js';
export {
  type Blocked,
  blockedDifference,
  blockedRatio,
  differenceInterval,
  fewestTrials,
  type KnownInterval,
  meanInterval,
  ratioInterval,
  relativeHalfWidth,
} from '../statistics/interval.js';
export { type Paired, paired, unitsNeeded } from '../statistics/paired.js';
export {
  cliffsDelta,
  hodgesLehmann,
  holm,
  type MannWhitney,
  mannWhitney,
  type Shift,
} from '../statistics/ranks.js';
export { type Measurement, metrics } from '../trials/registry.js';
export type { Sample } from '../trials/sample.js';
export { parseRun, type RecordedRun, readRun } from './recorded.js';
export type {
  CellLevels,
  Comparison,
  GateSummary,
  Interval,
  Metric,
  MetricId,
  Outcome,
  RunComparison,
  VerdictName,
};
export { comparedMetrics };

/** One metric of one cell of a run. */
export interface CellFigure {
  experiment: string;
  /** name of the host that it was measured on; absolute figures are compared only within its execution class */
  host: string;
  /** the cell's level of each factor */
  levels: CellLevels;
  /** the same for people: 'epoll · ts batch, idle 1000, connections 100' */
  label: string;
  metric: Metric;
  /** of the mean over trials, in the metric's unit */
  interval: Interval;
  /** one for each trial that counts, in the order of samples.ndjson */
  values: readonly number[];
  /** trials of the cell that do not count: failed, invalid or impossible */
  leftOut: number;
}

/** Every figure of a run: by experiment, cell and metric. */
export function figures(run: RecordedRun): CellFigure[] {
  return analysisOf(run).experiments.flatMap(({ name, cells }) =>
    cells.flatMap(({ cell: { levels, host, excluded }, figures: known }) =>
      [...known.values()].map(({ metric, interval, values }) => ({
        experiment: name,
        host: host.name,
        levels,
        label: cellLabel(levels),
        metric,
        interval,
        values,
        leftOut: excluded.length,
      })),
    ),
  );
}

/** What a run says about a published claim. */
export interface ClaimVerdict {
  /** 'T1', 'W2', ... */
  id: string;
  statement: string;
  source: string;
  verdict: VerdictName;
  /** which cells are missing; null: none */
  missing: string | null;
}

/** Verdicts on all claims of the suite; what the run did not measure is 'not tested'. */
export function verdicts(run: RecordedRun): ClaimVerdict[] {
  return analysisOf(run).verdicts.map(({ claim, verdict, missing }) => ({
    id: claim.id,
    statement: claim.statement,
    source: cited(claim.source),
    verdict,
    missing,
  }));
}

/**
 * Two runs side by side, cell by cell: shifts of `b` against `a` with their intervals, and what is shown at 5 % after
 * Holm's correction over all rows.
 * @param chosen metrics to compare; fewer show smaller differences. Left out: `comparedMetrics`
 * @throws Error in one sentence when the runs have no cell in common, or were taken on hosts of different classes
 */
export function compare(
  a: RecordedRun,
  b: RecordedRun,
  chosen: readonly MetricId[] = comparedMetrics,
): RunComparison {
  return compareRuns(analysisOf(a), analysisOf(b), chosen);
}

/**
 * Whether a condition, such as `slower<3%`, holds in a comparison (`passed`), does not (`failed`), or neither is known.
 * @throws Error in one sentence when it is not one condition
 */
export function judge({ rows }: RunComparison, condition: string): GateSummary {
  const [first, ...others] = rowConditions(condition);
  if (!first || others.length > 0)
    throw new Error(`'${condition}' is not one condition: judge each by itself`);
  return gateSummary(first, rows);
}
