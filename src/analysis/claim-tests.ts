/** The few kinds of test that decide claims. Each turns cells into rows of evidence, one per series or pair. */
import type { ClaimTest, Selector } from '../claims/claim.js';
import type { CellLevels, HostFacts } from '../contract/sample.js';
import { type Cell, levelsKey, type Series, seriesAlong, seriesLabel, valuesOf } from './cells.js';
import {
  breakPoint,
  kneeTest,
  levelsOf,
  pointsOf,
  ratioAlong,
  slope,
  stillAnswered,
} from './claim-tests-along.js';
import {
  average,
  describe,
  type Evidence,
  judge,
  resultOf,
  select,
  type TestResult,
  words,
} from './evidence.js';
import { differenceInterval, ratioInterval } from './interval.js';
import { type Metric, metrics } from './metrics.js';
import { heldOutPeaks } from './peak.js';

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
  return resultOf(evidence, `no usable trial of ${words(lacking)}`);
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
  return resultOf(evidence, `two usable trials of ${words(lacking)}`);
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
