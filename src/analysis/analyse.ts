/** A run seen as a whole: what every output (terminal, HTML, CSV, JSON) is made from. Pure and deterministic. */
import type { RunInfo } from '../contract/run.js';
import { knownExperiment } from '../experiments/registry.js';
import type { ParsedSamples, Refusal } from '../results/parse.js';
import { type Interval, meanInterval } from '../statistics/interval.js';
import { type ScalingModel, scalingModel, straightLine } from '../statistics/scaling.js';
import { type Metric, type MetricId, metric, metrics } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { compareHosts, type HostComparison, type KnownHosts, knownHosts } from './across-hosts.js';
import { type Answer, answersOf } from './answer.js';
import { type Cell, cellsOf, type Series, seriesAlong, valuesOf } from './cells.js';
import { type Contest, contestsOf } from './contest.js';
import { type Gains, gainsOf } from './gains.js';
import { type Predictions, predictionsOf } from './predictions.js';
import { type ScannedSeries, scanModels } from './scan.js';
import { type Notice, validityNotices } from './validity.js';
import { type Verdict, verdicts } from './verdicts.js';

/** One metric of one cell. */
export interface Figure {
  metric: Metric;
  interval: Interval;
  values: number[];
}

export interface CellSummary {
  cell: Cell;
  figures: Map<string, Figure>;
}

export interface CostModel {
  series: Series;
  metric: Metric;
  model: ScalingModel;
}

/** How fast a cost grows along the factor: slope of the straight line through all trials, per 1000 of the factor. */
export interface Growth {
  series: Series;
  metric: Metric;
  slope: Pick<Interval, 'estimate' | 'low' | 'high'>;
  trials: number;
}

export interface ExperimentAnalysis {
  name: string;
  /** the factor drawn along the x axis */
  factor: string;
  cells: CellSummary[];
  series: Series[];
  answers: Answer[];
  /** between mechanisms, where people ask which of two to take */
  contests: Contest[];
  /** what more of the factor brings, where the experiment asks */
  gains: Gains;
  /** null: no trial of it recorded series that predictors are judged on */
  predictions: Predictions | null;
  /** null: it compares what runs on a host, not hosts */
  hosts: HostComparison | null;
  /** what a wait costs, of the series whose counters tell */
  scans: ScannedSeries[];
  /** of the others, as far as their cost has a shape */
  models: CostModel[];
  growth: Growth[];
  summaryOf(cell: Cell): CellSummary;
}

export interface Analysis {
  run: RunInfo | null;
  samples: readonly Sample[];
  notices: Notice[];
  experiments: ExperimentAnalysis[];
  verdicts: Verdict[];
  excluded: Sample[];
  refused: Refusal[];
}

/**
 * `asked` where several of its levels were measured, or else the numeric factor with most levels. Ties go to the one
 * named first in the cell.
 */
function mainFactor(asked: string | undefined, cells: readonly Cell[]): string {
  if (asked === '') return '';
  const levels = new Map<string, Set<number>>();
  for (const cell of cells) {
    for (const [name, level] of Object.entries(cell.levels)) {
      if (typeof level !== 'number') continue;
      if (!levels.has(name)) levels.set(name, new Set());
      levels.get(name)!.add(level);
    }
  }
  if (asked !== undefined && (levels.get(asked)?.size ?? 0) > 1) return asked;
  let best = '';
  for (const [factor, seen] of levels) if (best === '' || seen.size > levels.get(best)!.size) best = factor;
  return best;
}

/** Every metric is a time, a rate or a share: what an interval says below 0 is not possible. */
function notBelowZero({ low, ...interval }: Interval): Interval {
  return { ...interval, low: low === null ? null : Math.max(0, low) };
}

function summarise(cell: Cell): CellSummary {
  const figures = new Map<string, Figure>();
  for (const each of metrics) {
    const values = valuesOf(cell, each);
    if (values.length > 0)
      figures.set(each.id, {
        metric: each,
        interval: notBelowZero(meanInterval(values, each.unit === '%' ? 'linear' : 'log')),
        values,
      });
  }
  return { cell, figures };
}

/** A straight line needs two levels. */
function growthOf(series: Series, measured: Metric): Growth | null {
  const levels = series.points
    .map(({ x, cell }) => ({ x, values: valuesOf(cell, measured) }))
    .filter(({ values }) => values.length > 0);
  const line = levels.length > 1 ? straightLine(levels) : null;
  if (!line) return null;
  const perThousand = (value: number | undefined) => (value === undefined ? null : 1000 * value);
  return {
    series,
    metric: measured,
    slope: {
      estimate: 1000 * line.fit.slope,
      low: perThousand(line.slope?.low),
      high: perThousand(line.slope?.high),
    },
    trials: levels.reduce((sum, { values }) => sum + values.length, 0),
  };
}

/** With fewer trials AICc's correction for their number outweighs any fit: a curve would be an artefact of it. */
const fewestModelled = 8;

function analyseExperiment(name: string, cells: readonly Cell[], hosts: KnownHosts): ExperimentAnalysis {
  const known = knownExperiment(name);
  const modelled: readonly MetricId[] = known?.modelled ?? [];
  const factor = mainFactor(known?.axis, cells);
  const series = seriesAlong(cells, factor);
  const summaries = new Map(cells.map((cell) => [cell.key, summarise(cell)]));
  const scans = scanModels(series);
  const isExplained = (one: Series) => scans.some((scan) => scan.series === one);
  const models = modelled.flatMap((id) =>
    series.flatMap((one): CostModel[] => {
      if (isExplained(one)) return [];
      const model = scalingModel(
        one.points.map(({ x, cell }) => ({ x, values: valuesOf(cell, metric(id)) })),
      );
      const hasShape = model && model.trials >= fewestModelled && model.best.kind !== 'constant';
      return hasShape ? [{ series: one, metric: metric(id), model }] : [];
    }),
  );
  const growth = modelled.flatMap((id) => series.flatMap((one) => growthOf(one, metric(id)) ?? []));
  return {
    name,
    factor,
    cells: [...summaries.values()],
    series,
    answers: answersOf(known?.answers ?? [], series),
    contests: contestsOf(known?.answers ?? [], series),
    gains: gainsOf(known?.gains, series),
    predictions: predictionsOf(cells.flatMap(({ trials }) => trials)),
    hosts: known?.acrossHosts ? compareHosts(known.acrossHosts, series, hosts) : null,
    scans,
    models,
    growth,
    summaryOf: (cell) => summaries.get(cell.key)!,
  };
}

/** An experiment that this version does not know is drawn along the numeric factor with most levels. */
export function analyse(run: RunInfo | null, { samples, refused, notices }: ParsedSamples): Analysis {
  const cells = cellsOf(samples);
  // In the plan's order: the first trial is whatever the shuffle put first.
  const planned = run?.plan.experiments.map(({ experiment }) => experiment) ?? [];
  const measured = new Set(cells.map(({ experiment }) => experiment));
  const names = [...new Set([...planned, ...measured])].filter((name) => measured.has(name));
  return {
    run,
    samples,
    notices: [
      ...notices.map((text): Notice => ({ level: 'caution', text })),
      ...refused.map(
        ({ line, reason }): Notice => ({
          level: 'serious',
          text: `The trial of line ${line} of samples.ndjson is refused: ${reason}.`,
        }),
      ),
      ...validityNotices(run, samples),
    ],
    experiments: names.map((name) =>
      analyseExperiment(
        name,
        cells.filter(({ experiment }) => experiment === name),
        knownHosts(run),
      ),
    ),
    verdicts: verdicts(cells),
    excluded: samples.filter(({ status }) => status !== 'ok'),
    refused,
  };
}
