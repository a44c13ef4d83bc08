/** Tests of claims that follow a figure along one factor, series by series. */
import type {
  BreakPointTest,
  ClaimTest,
  EqualLoadTest,
  GrowthAcrossTest,
  KneeTest,
  Level,
  PeakRatioTest,
  RatioAlongTest,
  Selector,
  SlopeTest,
} from '../claims/claim.js';
import { breakOf } from '../statistics/break.js';
import { blockedRatio, robustBeside } from '../statistics/interval.js';
import { knee } from '../statistics/knee.js';
import { rampShape } from '../statistics/ramp.js';
import { straightLine } from '../statistics/scaling.js';
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
  matches,
  notes,
  resultOf,
  selectorInWords,
  type TestResult,
} from './evidence.js';

type AlongTest = Exclude<
  Extract<ClaimTest, { factor: string }>,
  PeakRatioTest | EqualLoadTest | GrowthAcrossTest
>;

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

const settingOf = (test: AlongTest) => ('at' in test && test.at) || null;

/** Where cells have the level that a claim is about, those alone. */
function inSetting(test: AlongTest, cells: readonly Cell[], measured: Metric): readonly Cell[] {
  const setting = settingOf(test);
  if (!setting) return cells;
  const at = cells.filter(({ levels }) => levels[setting.factor] === setting.level);
  return cellsMatching(at, test.of, measured).length > 0 ? at : cells;
}

/** Like with like: the levels that as many server processes served as the first one. */
function alike(one: Series): Series {
  const processes = ({ cell }: Series['points'][number]) => cell.trials[0]?.serverProcesses;
  return { ...one, points: one.points.filter((point) => processes(point) === processes(one.points[0]!)) };
}

/** What a row of a series says besides: that it is about another setting, and where the claim is not about it. */
function placed(test: AlongTest, one: Series, row: Evidence): Evidence {
  const setting = settingOf(test);
  const level = setting && one.levels[setting.factor];
  const isOther = setting !== null && level !== undefined && level !== setting.level;
  return {
    ...row,
    note: notes(
      row.note,
      isOther ? `${setting.factor} ${level}, the claim's are ${setting.level}: ${setting.otherwise}` : null,
    ),
    ...(test.deciding && !matches(one, test.deciding) ? { beside: true as const } : {}),
  };
}

/** Series a test speaks about, or the sentence that says how far short the sweep falls. */
function series(test: AlongTest, cells: readonly Cell[], measured: Metric, reach: number) {
  // A level that the test itself fixes does not vary among its cells, and would be missing in the label.
  const fixed = Object.entries(test.of.levels ?? {}).flatMap(([factor, level]) =>
    Array.isArray(level) || tellServer(factor) || factor === test.factor
      ? []
      : [levelLabel(factor, level as Level)],
  );
  const all = seriesMatching(inSetting(test, cells, measured), test.of, test.factor, measured)
    .map((one) => ({ ...one, label: [one.label, ...fixed].join(' · ') }))
    .map(alike);
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
    long.flatMap((one) => rowsOf(one, levelsOf(one, measured)).map((row) => placed(test, one, row))),
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

/** The robust estimate, where one trial decides the mean. */
function besideMean(values: readonly number[]): string | null {
  const robust = robustBeside(values);
  return robust === null
    ? null
    : `one trial decides the last mean: a robust estimate of it is ${Number(robust.toPrecision(3))}`;
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
        expect: test.expect,
        outcome: judge(interval, test.expect),
        note: besideMean(end.values),
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
        expect: test.expect,
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
      expect: test.before,
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
      expect: test.past,
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
      expect: null,
      outcome: found.past.low > 0 ? 'contradicted' : 'inconclusive',
      note: `R² ${found.rSquared.toFixed(3)}; the table has no trials`,
      metric: test.metric,
    },
  ];
}

export function breakPoint(test: BreakPointTest, cells: readonly Cell[], measured: Metric): TestResult {
  const [from, to] = test.between;
  const need = `${test.levels} levels of ${test.factor} with ${test.trials} trials each`;
  return along(test, cells, measured, to, need, (one, levels) => {
    const n = Math.min(...levels.map(({ values }) => values.length));
    const found = breakOf(levels, (from + to) / 2);
    if (!found || levels.length < test.levels || n < test.trials) return [];
    const { at, low, high, shown, bend, detectable } = found;
    const isWorse = shown && (measured.better === 'higher' ? bend < 0 : bend > 0);
    const overlaps = isWorse && low <= to && high >= from;
    const isExcluded = isWorse || detectable <= test.loss;
    return [
      {
        subject: one.label,
        measure: `break of ${measured.title.toLowerCase()} in ${test.factor}: overlaps ${from} to ${to}`,
        estimate: at,
        low: isWorse ? low : null,
        high: isWorse ? high : null,
        low90: null,
        high90: null,
        unit: test.factor,
        n,
        expect: null,
        outcome: overlaps ? 'supported' : isExcluded ? 'contradicted' : 'inconclusive',
        note: isWorse
          ? null
          : `no break to the worse is shown; a loss of ${(100 * detectable).toFixed(0)} % would be in 9 of 10 runs`,
        metric: measured.id,
      },
    ];
  });
}
