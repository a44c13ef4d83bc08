/** The few kinds of test that decide claims. Each turns cells into rows of evidence, one per series or pair. */
import type { ClaimTest, Expectation, KneeTest, Level, Selector } from '../claims/claim.js';
import type { CellLevels, HostFacts } from '../contract/sample.js';
import {
  type Cell,
  levelLabel,
  levelsKey,
  type Series,
  seriesAlong,
  seriesLabel,
  valuesOf,
} from './cells.js';
import { differenceInterval, type Interval, position, ratioInterval } from './interval.js';
import { knee } from './knee.js';
import { type Metric, metrics } from './metrics.js';
import { heldOutPeaks } from './peak.js';
import { scalingModel, straightLine } from './scaling.js';

export type Outcome = 'supported' | 'contradicted' | 'inconclusive';

export interface Evidence {
  subject: string;
  /** what was measured and what was expected, in words */
  measure: string;
  estimate: number;
  low: number | null;
  high: number | null;
  unit: string;
  /** trials on the smaller side */
  n: number;
  outcome: Outcome;
  note: string | null;
  /** metric of the figure in the report that shows it */
  metric: string;
}

/** Evidence, or the sentence that says which cells are missing. */
export interface TestResult {
  evidence: Evidence[];
  missing: string | null;
}

const bound = (value: number) => String(value).replace('-', '−');

function describe(expect: Expectation): string {
  if ('within' in expect) return `within ${bound(expect.within[0])} to ${bound(expect.within[1])}`;
  return 'below' in expect ? `below ${bound(expect.below)}` : `above ${bound(expect.above)}`;
}

/** An interval decides only when all of it lies on one side. */
export function judge(interval: Pick<Interval, 'estimate' | 'low' | 'high'>, expect: Expectation): Outcome {
  const full = { ...interval, n: 0, confidence: 0.95 };
  const { POSITIVE_INFINITY: infinity } = Number;
  const [low, high] =
    'within' in expect
      ? expect.within
      : 'below' in expect
        ? [-infinity, expect.below]
        : [expect.above, infinity];
  switch (position(full, low, high)) {
    case 'inside':
      return 'supported';
    case 'unclear':
      return 'inconclusive';
    default:
      return 'contradicted';
  }
}

function matches(cell: Cell, selector: Selector, ignored?: string): boolean {
  if (selector.kernel && !cell.host.kernel.startsWith(selector.kernel)) return false;
  return Object.entries(selector.levels ?? {}).every(([factor, wanted]) => {
    if (factor === ignored) return true;
    const level = cell.levels[factor] ?? null;
    return Array.isArray(wanted) ? wanted.includes(level) : level === wanted;
  });
}

function select(cells: readonly Cell[], selector: Selector, measured: Metric): Cell[] {
  return cells.filter((cell) => matches(cell, selector) && valuesOf(cell, measured).length > 0);
}

function words({ levels = {}, kernel }: Selector): string {
  const parts = Object.entries(levels).map(([factor, level]) =>
    Array.isArray(level) ? `${factor} ${level.join(' or ')}` : `${factor} ${level}`,
  );
  return [...(kernel ? [`${kernel} host`] : []), ...parts].join(', ') || 'any cell';
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

type AgainstTest = Extract<ClaimTest, { to: Selector }>;

/** What peers have to agree in: every factor neither selector names. */
function restOf(test: AgainstTest): (levels: CellLevels) => string {
  const named = new Set([...Object.keys(test.of.levels ?? {}), ...Object.keys(test.to.levels ?? {})]);
  return (levels) =>
    levelsKey(Object.fromEntries(Object.entries(levels).filter(([factor]) => !named.has(factor))));
}

/** Absolute figures are compared within an execution class only: why these two cannot be, or null. */
function incomparable(a: HostFacts, b: HostFacts): string | null {
  return a.executionClass === b.executionClass
    ? null
    : `hosts of class ${a.executionClass} and ${b.executionClass} cannot be compared absolutely`;
}

/** A figure of one cell against the best of its peers. */
function against(
  test: Extract<ClaimTest, { kind: 'ratio' | 'difference' }>,
  cells: readonly Cell[],
  measured: Metric,
): TestResult {
  const rest = restOf(test);
  const subjects = select(cells, test.of, measured);
  const peers = select(cells, test.to, measured);
  const evidence: Evidence[] = [];
  for (const cell of subjects) {
    const candidates = peers.filter((peer) => rest(peer.levels) === rest(cell.levels));
    const sign = measured.better === 'lower' ? 1 : -1;
    const best = candidates.sort(
      (a, b) => sign * (average(valuesOf(a, measured)) - average(valuesOf(b, measured))),
    )[0];
    if (!best) continue;
    const isRatio = test.kind === 'ratio';
    const interval = (isRatio ? ratioInterval : differenceInterval)(
      valuesOf(cell, measured),
      valuesOf(best, measured),
    );
    const doubt = incomparable(cell.host, best.host);
    evidence.push({
      subject: seriesLabel(cell.levels),
      measure: `${measured.title.toLowerCase()}, ${isRatio ? 'ratio' : 'difference'} to ${seriesLabel(best.levels)}: ${describe(test.expect)}`,
      ...interval,
      unit: isRatio ? '×' : measured.unit,
      outcome: doubt ? 'inconclusive' : judge(interval, test.expect),
      note: doubt,
      metric: measured.id,
    });
  }
  const lacking = subjects.length === 0 ? test.of : test.to;
  return { evidence, missing: evidence.length > 0 ? null : `no usable trial of ${words(lacking)}` };
}

type AlongTest = Exclude<Extract<ClaimTest, { factor: string }>, { kind: 'peak-ratio' }>;

/** Series a test speaks about, or the sentence that says how far short the sweep falls. */
function series(test: AlongTest, cells: readonly Cell[], measured: Metric, reach: number) {
  // A level that the test itself fixes does not vary among its cells, and would be missing in the label.
  const fixed = Object.entries(test.of.levels ?? {}).flatMap(([factor, level]) =>
    Array.isArray(level) || ['backend', 'impl', 'io', test.factor].includes(factor)
      ? []
      : [levelLabel(factor, level as Level)],
  );
  const all = seriesAlong(select(cells, test.of, measured), test.factor).map((one) => ({
    ...one,
    label: [one.label, ...fixed].join(' · '),
  }));
  const long = all.filter(({ points }) => points.length > 1 && points[points.length - 1]!.x >= reach);
  const furthest = Math.max(...all.flatMap(({ points }) => points.map(({ x }) => x)));
  const missing =
    long.length > 0
      ? null
      : all.length === 0
        ? `no usable trial of ${words(test.of)}`
        : `${test.factor} ${reach} or more with ${words(test.of)} (this run reaches ${furthest})`;
  return { long, missing };
}

const levelsOf = ({ points }: Series, measured: Metric) =>
  points.map(({ x, cell }) => ({ x, values: valuesOf(cell, measured) }));

const pointsOf = (one: Series, measured: Metric) =>
  levelsOf(one, measured).flatMap(({ x, values }) => values.map((y) => ({ x, y })));

/** Offered rates that are answered to this share are no saturation. */
const answered = 0.95;

/** Why a ramp of replies against offered rate shows neither peak nor fall, or null. */
function stillAnswered(points: readonly { x: number; y: number }[]): string | null {
  const highest = Math.max(...points.map(({ x }) => x));
  const replies = average(points.filter(({ x }) => x === highest).map(({ y }) => y));
  return replies < answered * highest ? null : `still answered the highest rate, ${highest}/s`;
}

function ratioAlong(
  test: Extract<ClaimTest, { kind: 'ratio-along' }>,
  cells: readonly Cell[],
  measured: Metric,
): TestResult {
  const { long, missing } = series(test, cells, measured, test.reach);
  const evidence = long.flatMap((one): Evidence[] => {
    const levels = levelsOf(one, measured);
    const start = levels.find(({ x }) => x === test.from);
    const end = levels[levels.length - 1]!;
    if (!start) return [];
    const interval = ratioInterval(end.values, start.values);
    return [
      {
        subject: one.label,
        measure: `${measured.title.toLowerCase()} at ${test.factor} ${end.x} over that at ${test.from}: ${describe(test.expect)}`,
        ...interval,
        unit: '×',
        outcome: judge(interval, test.expect),
        note: null,
        metric: measured.id,
      },
    ];
  });
  const absent = missing ?? `${test.factor} ${test.from} with ${words(test.of)}`;
  return { evidence, missing: evidence.length > 0 ? null : absent };
}

/** Peaks of ramps against the best peak of their peers. A ramp that never reached saturation has none. */
function peakRatio(
  test: Extract<ClaimTest, { kind: 'peak-ratio' }>,
  cells: readonly Cell[],
  measured: Metric,
): TestResult {
  const rest = restOf(test);
  const ramps = (selector: Selector) => seriesAlong(select(cells, selector, measured), test.factor);
  const peers = ramps(test.to);
  const valuesAt = (one: Series) => levelsOf(one, measured).map(({ values }) => values);
  const peakOf = (one: Series) => Math.max(...valuesAt(one).map(average));
  const unsaturated = (one: Series) => {
    const still = stillAnswered(pointsOf(one, measured));
    return still && `${one.label} ${still}`;
  };
  const subjects = ramps(test.of);
  const evidence = subjects.flatMap((one): Evidence[] => {
    const candidates = peers.filter((peer) => rest(peer.levels) === rest(one.levels));
    const best = [...candidates].sort((a, b) => peakOf(b) - peakOf(a))[0];
    const ours = heldOutPeaks(valuesAt(one));
    // The best peer is chosen the same way as its best level: by the trials that are not the figure.
    const theirs = heldOutPeaks(candidates.flatMap(valuesAt));
    if (!best || ours.length === 0 || theirs.length === 0) return [];
    const interval = ratioInterval(ours, theirs);
    const doubt = incomparable(one.host, best.host) ?? unsaturated(one) ?? unsaturated(best);
    return [
      {
        subject: one.label,
        measure: `peak ${measured.title.toLowerCase()} of the ramp, ratio to the best, ${best.label}: ${describe(test.expect)}`,
        ...interval,
        unit: '×',
        outcome: doubt ? 'inconclusive' : judge(interval, test.expect),
        note: doubt ?? 'each trial at the level that the other trials chose',
        metric: measured.id,
      },
    ];
  });
  const lacking = subjects.length === 0 ? test.of : test.to;
  return { evidence, missing: evidence.length > 0 ? null : `two usable trials of ${words(lacking)}` };
}

function slope(
  test: Extract<ClaimTest, { kind: 'slope' }>,
  cells: readonly Cell[],
  measured: Metric,
): TestResult {
  const { long, missing } = series(test, cells, measured, test.reach);
  const evidence = long.flatMap((one): Evidence[] => {
    const levels = levelsOf(one, measured);
    const line = straightLine(levels);
    const n = Math.min(...levels.map(({ values }) => values.length));
    if (!line) return [];
    const scaled = {
      estimate: line.fit.slope * test.per,
      low: line.slope ? line.slope.low * test.per : null,
      high: line.slope ? line.slope.high * test.per : null,
    };
    return [
      {
        subject: one.label,
        measure: `${measured.title.toLowerCase()}, slope per ${test.per} ${test.factor}: ${describe(test.expect)}`,
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
  const absent = missing ?? `at least two levels of ${test.factor} with ${words(test.of)}`;
  return { evidence, missing: evidence.length > 0 ? null : absent };
}

/** Two rows a ramp: the slope before the corner and past it. Also used on reference tables. */
export function kneeEvidence(
  test: KneeTest,
  subject: string,
  points: readonly { x: number; y: number }[],
): Evidence[] {
  const found = knee(points);
  if (!found) return [];
  const still = stillAnswered(points);
  return (['before', 'past'] as const).map((side) => ({
    subject,
    measure: `slope of replies ${side} the knee at ${Math.round(found.at)}/s: ${describe(test[side])}`,
    ...found[side],
    unit: '',
    n: found.observations,
    // A corner within a ramp that was answered throughout is noise: nothing is known of what comes past saturation.
    outcome: side === 'past' && still ? 'inconclusive' : judge(found[side], test[side]),
    note: side === 'past' && still ? still : `R² ${found.rSquared.toFixed(3)}`,
    metric: test.metric,
  }));
}

function kneeTest(test: KneeTest, cells: readonly Cell[], measured: Metric): TestResult {
  const { long, missing } = series(test, cells, measured, 0);
  const evidence = long.flatMap((one) => kneeEvidence(test, one.label, pointsOf(one, measured)));
  const absent = missing ?? `at least five levels of ${test.factor} with ${words(test.of)}`;
  return { evidence, missing: evidence.length > 0 ? null : absent };
}

function breakPoint(
  test: Extract<ClaimTest, { kind: 'break-point' }>,
  cells: readonly Cell[],
  measured: Metric,
): TestResult {
  const [from, to] = test.between;
  const { long, missing } = series(test, cells, measured, to);
  const evidence = long.flatMap((one): Evidence[] => {
    const levels = levelsOf(one, measured);
    const model = scalingModel(levels);
    if (!model) return [];
    const found = model.best.kind === 'break-point' ? model.intervals.breakAt : null;
    const interval = {
      estimate: model.best.breakAt ?? Number.NaN,
      low: found?.low ?? null,
      high: found?.high ?? null,
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
  return { evidence, missing: evidence.length > 0 ? null : (missing ?? `more levels of ${test.factor}`) };
}

/** Runs one test of a claim over the cells of its experiment. */
export function runTest(test: ClaimTest, cells: readonly Cell[]): TestResult {
  const measured: Metric | undefined = metrics.find(({ id }) => id === test.metric);
  if (!measured) return { evidence: [], missing: `no sample carries '${test.metric}'` };
  switch (test.kind) {
    case 'ratio':
    case 'difference':
      return against(test, cells, measured);
    case 'peak-ratio':
      return peakRatio(test, cells, measured);
    case 'ratio-along':
      return ratioAlong(test, cells, measured);
    case 'slope':
      return slope(test, cells, measured);
    case 'knee':
      return kneeTest(test, cells, measured);
    case 'break-point':
      return breakPoint(test, cells, measured);
  }
}
