/** A run seen as a whole: what every output (terminal, HTML, CSV, JSON) is made from. Pure and deterministic. */
import type { RunInfo } from '../contract/run.js';
import type { Sample } from '../contract/sample.js';
import { type Cell, cellsOf, type Series, seriesAlong, valuesOf } from './cells.js';
import { type Interval, meanInterval } from './interval.js';
import { type Metric, type MetricId, metric, metrics } from './metrics.js';
import type { ParsedSamples, Refusal } from './parse.js';
import { type ScalingModel, scalingModel } from './scaling.js';
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

export interface ExperimentAnalysis {
  name: string;
  /** the factor drawn along the x axis */
  factor: string;
  cells: CellSummary[];
  series: Series[];
  models: CostModel[];
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

/** The numeric factor with most levels: what an experiment varies. Ties go to the one named first in the cell. */
function mainFactor(cells: readonly Cell[]): string {
  const levels = new Map<string, Set<number>>();
  for (const cell of cells) {
    for (const [name, level] of Object.entries(cell.levels)) {
      if (typeof level !== 'number') continue;
      if (!levels.has(name)) levels.set(name, new Set());
      levels.get(name)!.add(level);
    }
  }
  let best = '';
  for (const [name, seen] of levels) if (best === '' || seen.size > levels.get(best)!.size) best = name;
  return best;
}

function summarise(cell: Cell): CellSummary {
  const figures = new Map<string, Figure>();
  for (const each of metrics) {
    const values = valuesOf(cell, each);
    if (values.length > 0) figures.set(each.id, { metric: each, interval: meanInterval(values), values });
  }
  return { cell, figures };
}

const modelled: MetricId[] = ['cpu-per-request', 'open-cpu-per-request'];

function analyseExperiment(name: string, cells: readonly Cell[]): ExperimentAnalysis {
  const factor = mainFactor(cells);
  const series = seriesAlong(cells, factor);
  const summaries = new Map(cells.map((cell) => [cell.key, summarise(cell)]));
  const models = modelled.flatMap((id) =>
    series.flatMap((one): CostModel[] => {
      const model = scalingModel(
        one.points.map(({ x, cell }) => ({ x, values: valuesOf(cell, metric(id)) })),
      );
      return model ? [{ series: one, metric: metric(id), model }] : [];
    }),
  );
  return {
    name,
    factor,
    cells: [...summaries.values()],
    series,
    models,
    summaryOf: (cell) => summaries.get(cell.key)!,
  };
}

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
          text: `The trial of line ${line} is refused: ${reason}.`,
        }),
      ),
      ...validityNotices(run, samples),
    ],
    experiments: names.map((name) =>
      analyseExperiment(
        name,
        cells.filter(({ experiment }) => experiment === name),
      ),
    ),
    verdicts: verdicts(cells),
    excluded: samples.filter(({ status }) => status !== 'ok'),
    refused,
  };
}
