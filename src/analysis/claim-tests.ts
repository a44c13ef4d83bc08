/** The few kinds of test that decide claims. Each turns cells into rows of evidence, one per series or pair. */
import type { AgainstTest, ClaimTest, PeakRatioTest, Selector } from '../claims/claim.js';
import type { HostFacts } from '../contract/host.js';
import { levelsKey } from '../contract/sample.js';
import { blockedDifference, blockedRatio } from '../statistics/interval.js';
import { heldOutPeaks } from '../statistics/peak.js';
import { type Metric, metric } from '../trials/registry.js';
import {
  blockedValuesOf,
  type Cell,
  hostNames,
  levelLabel,
  type Series,
  seriesLabel,
  valuesOf,
  varyingFactors,
} from './cells.js';
import {
  breakPoint,
  kneeTest,
  levelsOf,
  pointsOf,
  ratioAlong,
  seriesMatching,
  slope,
  stillAnswered,
} from './claim-tests-along.js';
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

/**
 * What peers have to agree in: every factor neither selector names, and the host unless one of them says which system
 * it runs. A mechanism of one host against that of another would be a claim about hosts.
 */
function agreement({ of, to }: AgainstTest | PeakRatioTest): (one: Cell | Series) => string {
  const named = new Set([...Object.keys(of.levels ?? {}), ...Object.keys(to.levels ?? {})]);
  const acrossHosts = (of.system ?? to.system) !== undefined;
  return ({ levels, host }) => {
    const rest = Object.fromEntries(Object.entries(levels).filter(([factor]) => !named.has(factor)));
    return `${acrossHosts ? '' : host.name} ${levelsKey(rest)}`;
  };
}

/** Absolute figures are compared within an execution class only: why these two cannot be, or null. */
function incomparable(a: HostFacts, b: HostFacts): string | null {
  return a.executionClass === b.executionClass
    ? null
    : `hosts of class ${a.executionClass} and ${b.executionClass} cannot be compared absolutely`;
}

/** A figure of one cell against the best of its peers. */
function against(test: AgainstTest, cells: readonly Cell[], measured: Metric): TestResult {
  const rest = agreement(test);
  const subjects = cellsMatching(cells, test.of, measured);
  const peers = cellsMatching(cells, test.to, measured);
  const others = varyingFactors(subjects.map(({ levels }) => levels));
  const severalHosts = hostNames([...subjects, ...peers]).length > 1;
  const label = ({ levels, host }: Cell) =>
    [
      seriesLabel(levels),
      ...others.map((factor) => levelLabel(factor, levels[factor])),
      ...(severalHosts ? [host.name] : []),
    ].join(' · ');
  const evidence: Evidence[] = [];
  for (const cell of subjects) {
    const candidates = peers.filter((peer) => rest(peer) === rest(cell));
    const sign = measured.better === 'lower' ? 1 : -1;
    const best = candidates.sort(
      (a, b) => sign * (average(valuesOf(a, measured)) - average(valuesOf(b, measured))),
    )[0];
    if (!best) continue;
    const isRatio = test.kind === 'ratio';
    const interval = (isRatio ? blockedRatio : blockedDifference)(
      blockedValuesOf(cell, measured),
      blockedValuesOf(best, measured),
    );
    const doubt = incomparable(cell.host, best.host);
    evidence.push({
      subject: label(cell),
      measure: `${measured.title.toLowerCase()}, ${isRatio ? 'ratio' : 'difference'} to ${label(best)}: ${expectationInWords(test.expect)}`,
      ...interval,
      unit: isRatio ? '×' : measured.unit,
      outcome: doubt ? 'inconclusive' : judge(interval, test.expect),
      note: doubt,
      metric: measured.id,
    });
  }
  const lacking = subjects.length === 0 ? test.of : test.to;
  return resultOf(evidence, `no usable trial of ${selectorInWords(lacking)}`);
}

/** Peaks of ramps against the best peak of their peers. A ramp that never reached saturation has none. */
function peakRatio(test: PeakRatioTest, cells: readonly Cell[], measured: Metric): TestResult {
  const rest = agreement(test);
  const ramps = (selector: Selector) => seriesMatching(cells, selector, test.factor, measured);
  const peers = ramps(test.to);
  const trialsAt = (one: Series) => levelsOf(one, measured).map(({ trials }) => trials);
  const peakOf = (one: Series) => Math.max(...levelsOf(one, measured).map(({ values }) => average(values)));
  const unsaturated = (one: Series) => {
    const still = stillAnswered(pointsOf(one, measured));
    return still && `${one.label} ${still}`;
  };
  const subjects = ramps(test.of);
  const evidence = subjects.flatMap((one): Evidence[] => {
    const candidates = peers.filter((peer) => rest(peer) === rest(one));
    const best = [...candidates].sort((a, b) => peakOf(b) - peakOf(a))[0];
    const ours = heldOutPeaks(trialsAt(one));
    // The best peer is chosen the same way as its best level: by the trials that are not the figure.
    const theirs = heldOutPeaks(candidates.flatMap(trialsAt));
    if (!best || ours.length === 0 || theirs.length === 0) return [];
    const interval = blockedRatio(ours, theirs);
    const doubt = incomparable(one.host, best.host) ?? unsaturated(one) ?? unsaturated(best);
    return [
      {
        subject: one.label,
        measure: `peak ${measured.title.toLowerCase()} of the ramp, ratio to the best, ${best.label}: ${expectationInWords(test.expect)}`,
        ...interval,
        unit: '×',
        outcome: doubt ? 'inconclusive' : judge(interval, test.expect),
        note: doubt ?? 'each trial at the level that the other trials chose',
        metric: measured.id,
      },
    ];
  });
  const lacking = subjects.length === 0 ? test.of : test.to;
  return resultOf(evidence, `two usable trials of ${selectorInWords(lacking)}`);
}

/** Runs one test of a claim over the cells of its experiment. */
export function runTest(test: ClaimTest, cells: readonly Cell[]): TestResult {
  const measured = metric(test.metric);
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
