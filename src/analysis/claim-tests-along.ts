/** Tests of claims that follow a figure along one factor, series by series. */
import type {
  BreakPointTest,
  ClaimTest,
  KneeTest,
  Level,
  PeakRatioTest,
  RatioAlongTest,
  Selector,
  SlopeTest,
} from '../claims/claim.js';
import { blockedRatio } from '../statistics/interval.js';
import { knee } from '../statistics/knee.js';
import { rampShape } from '../statistics/ramp.js';
import { scalingModel, straightLine } from '../statistics/scaling.js';
import type { Metric } from '../trials/registry.js';
import {
  blockedValuesOf,
  type Cell,
  hostNames,
  levelLabel,
  type Series,
  seriesAlong,
  tellServer,
} from './cells.js';
import {
  average,
  cellsMatching,
  type Evidence,
  expectationInWords,
  judge,
  resultOf,
  selectorInWords,
  type TestResult,
} from './evidence.js';

type AlongTest = Exclude<Extract<ClaimTest, { factor: string }>, PeakRatioTest>;

/** Series of the cells that a selector names; in a run of several hosts each label says which. */
export function seriesMatching(
  cells: readonly Cell[],
  selector: Selector,
  factor: string,
  measured: Metric,
): Series[] {
  const matching = cellsMatching(cells, selector, measured);
  // Series of one host do not name it, but the run may have others.
  const unnamed = hostNames(cells).length > 1 && hostNames(matching).length === 1;
  const all = seriesAlong(matching, factor);
  return unnamed ? all.map((one) => ({ ...one, label: `${one.label} · ${one.host.name}` })) : all;
}

/** Series a test speaks about, or the sentence that says how far short the sweep falls. */
function series(test: AlongTest, cells: readonly Cell[], measured: Metric, reach: number) {
  // A level that the test itself fixes does not vary among its cells, and would be missing in the label.
  const fixed = Object.entries(test.of.levels ?? {}).flatMap(([factor, level]) =>
    Array.isArray(level) || tellServer(factor) || factor === test.factor
      ? []
      : [levelLabel(factor, level as Level)],
  );
  const all = seriesMatching(cells, test.of, test.factor, measured).map((one) => ({
    ...one,
    label: [one.label, ...fixed].join(' · '),
  }));
  const long = all.filter(({ points }) => points.length > 1 && points[points.length - 1]!.x >= reach);
  const furthest = Math.max(...all.flatMap(({ points }) => points.map(({ x }) => x)));
  const missing =
    long.length > 0
      ? null
      : all.length === 0
        ? `no usable trial of ${selectorInWords(test.of)}`
        : `${test.factor} ${reach} or more with ${selectorInWords(test.of)} (this run reaches ${furthest})`;
  return { long, missing };
}

export const levelsOf = ({ points }: Series, measured: Metric) =>
  points.map(({ x, cell }) => {
    const trials = blockedValuesOf(cell, measured);
    return { x, trials, values: trials.map(({ value }) => value) };
  });

export const pointsOf = (one: Series, measured: Metric) =>
  levelsOf(one, measured).flatMap(({ x, values }) => values.map((y) => ({ x, y })));

/** Rows of each series that reaches far enough, or `need`: what its levels lack. */
function along(
  test: AlongTest,
  cells: readonly Cell[],
  measured: Metric,
  reach: number,
  need: string,
  rowsOf: (one: Series, levels: ReturnType<typeof levelsOf>) => Evidence[],
): TestResult {
  const { long, missing } = series(test, cells, measured, reach);
  return resultOf(
    long.flatMap((one) => rowsOf(one, levelsOf(one, measured))),
    missing ?? need,
  );
}

/** Rates from which on a ramp has a shape. */
const fewestRates = 5;

/** Offered rates that are answered to this share are no saturation. */
const answered = 0.95;

/** Why a ramp of replies against offered rate shows neither peak nor fall, or null. */
export function stillAnswered(points: readonly { x: number; y: number }[]): string | null {
  const highest = Math.max(...points.map(({ x }) => x));
  const replies = average(points.filter(({ x }) => x === highest).map(({ y }) => y));
  return replies < answered * highest ? null : `still answered the highest rate, ${highest}/s`;
}

export function ratioAlong(test: RatioAlongTest, cells: readonly Cell[], measured: Metric): TestResult {
  const need = `${test.factor} ${test.from} with ${selectorInWords(test.of)}`;
  return along(test, cells, measured, test.reach, need, (one, levels) => {
    const start = levels.find(({ x }) => x === test.from);
    const end = levels[levels.length - 1]!;
    if (!start) return [];
    const interval = blockedRatio(end.trials, start.trials);
    return [
      {
        subject: one.label,
        measure: `${measured.title.toLowerCase()} at ${test.factor} ${end.x} over that at ${test.from}: ${expectationInWords(test.expect)}`,
        ...interval,
        unit: '×',
        outcome: judge(interval, test.expect),
        note: null,
        metric: measured.id,
      },
    ];
  });
}

export function slope(test: SlopeTest, cells: readonly Cell[], measured: Metric): TestResult {
  const need = `at least two levels of ${test.factor} with ${selectorInWords(test.of)}`;
  return along(test, cells, measured, test.reach, need, (one, levels) => {
    const line = straightLine(levels);
    const n = Math.min(...levels.map(({ values }) => values.length));
    if (!line) return [];
    const scaled = {
      estimate: line.fit.slope * test.per,
      low: line.slope ? line.slope.low * test.per : null,
      high: line.slope ? line.slope.high * test.per : null,
      low90: line.slope ? line.slope.low90 * test.per : null,
      high90: line.slope ? line.slope.high90 * test.per : null,
    };
    return [
      {
        subject: one.label,
        measure: `${measured.title.toLowerCase()}, slope per ${test.per} ${test.factor}: ${expectationInWords(test.expect)}`,
        ...scaled,
        unit: measured.unit,
        n,
        outcome: judge(scaled, test.expect),
        note:
          levels.length > 2
            ? `R² of the straight line ${line.fit.rSquared.toFixed(3)}`
            : 'two levels only: whether the growth is straight cannot be seen',
        metric: measured.id,
      },
    ];
  });
}

/** Two rows a ramp: whether replies follow the offer below saturation, and whether they fall past it. */
export function kneeTest(test: KneeTest, cells: readonly Cell[], measured: Metric): TestResult {
  const need = `at least five levels of ${test.factor} with ${selectorInWords(test.of)}`;
  return along(test, cells, measured, 0, need, (one) => {
    const levels = one.points
      .map(({ x, cell }) => ({ offered: x, replies: blockedValuesOf(cell, measured) }))
      .filter(({ replies }) => replies.length > 0);
    if (levels.length < fewestRates) return [];
    const { below, last, answered, startsSaturated } = rampShape(levels);
    const still = stillAnswered(pointsOf(one, measured));
    const row = { subject: one.label, unit: '×', metric: measured.id };
    const before: Evidence = {
      ...row,
      measure: `replies over offer below saturation: ${expectationInWords(test.before)}`,
      ...below,
      outcome: startsSaturated ? 'inconclusive' : judge(below, test.before),
      note:
        answered.length > 0
          ? `answered up to ${answered[answered.length - 1]}/s`
          : 'the lowest rate is not answered',
    };
    if (!last) return [before];
    const past: Evidence = {
      ...row,
      measure: `replies at the last rate over the peak: ${expectationInWords(test.past)}`,
      ...last,
      // Nothing is known of what comes past a saturation that the ramp did not reach.
      outcome: still ? 'inconclusive' : judge(last, test.past),
      note: still ?? 'each peak at the rate that the other trials chose',
    };
    return [before, past];
  });
}

/**
 * A published table of one figure a rate has no trials, so it cannot show a fall; replies that still rise past the
 * corner of a two-piece fit contradict one.
 */
export function tableEvidence(
  test: KneeTest,
  subject: string,
  points: readonly { x: number; y: number }[],
): Evidence[] {
  const found = knee(points);
  if (!found) return [];
  return [
    {
      subject,
      measure: `slope of replies past the knee at ${Math.round(found.at)}/s: a fall is below 0`,
      ...found.past,
      low90: null,
      high90: null,
      unit: '',
      n: found.observations,
      outcome: found.past.low > 0 ? 'contradicted' : 'inconclusive',
      note: `R² ${found.rSquared.toFixed(3)}; the table has no trials`,
      metric: test.metric,
    },
  ];
}

export function breakPoint(test: BreakPointTest, cells: readonly Cell[], measured: Metric): TestResult {
  const [from, to] = test.between;
  return along(test, cells, measured, to, `more levels of ${test.factor}`, (one, levels) => {
    const model = scalingModel(levels);
    if (!model) return [];
    const found = model.best.kind === 'break-point' ? model.intervals.breakAt : null;
    const interval = {
      estimate: model.best.breakAt ?? Number.NaN,
      low: found?.low ?? null,
      high: found?.high ?? null,
      low90: null,
      high90: null,
    };
    return [
      {
        subject: one.label,
        measure: `break-point of ${measured.title.toLowerCase()} in ${test.factor}: within ${from} to ${to}`,
        ...interval,
        unit: test.factor,
        n: Math.min(...levels.map(({ values }) => values.length)),
        outcome: found ? judge(interval, { within: test.between }) : 'contradicted',
        note: found ? null : `the ${model.best.kind} model fits best: no break-point`,
        metric: measured.id,
      },
    ];
  });
}
