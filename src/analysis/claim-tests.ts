/** The few kinds of test that decide claims. Each turns cells into rows of evidence, one per series or pair. */
import type {
  AgainstTest,
  BoundTest,
  ClaimTest,
  EqualLoadTest,
  GrowthAcrossTest,
  PeakRatioTest,
  SameTest,
  Selector,
} from '../claims/claim.js';
import type { HostFacts } from '../contract/host.js';
import { levelsKey } from '../contract/sample.js';
import { blockedDifference, blockedRatio, meanInterval } from '../statistics/interval.js';
import { heldOutPeaks } from '../statistics/peak.js';
import { type Metric, type MetricId, metric } from '../trials/registry.js';
import { spareClient } from '../trials/served.js';
import { growths } from './across-hosts.js';
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
  matches,
  notes,
  resultOf,
  selectorInWords,
  type TestResult,
} from './evidence.js';

/**
 * What peers have to agree in: every factor neither selector names, those that the test wants alike, and the host unless one of them says which system
 * it runs. A mechanism of one host against that of another would be a claim about hosts.
 */
function agreement(test: AgainstTest | PeakRatioTest | EqualLoadTest): (one: Cell | Series) => string {
  const { of, to } = test;
  const named = new Set([...Object.keys(of.levels ?? {}), ...Object.keys(to.levels ?? {})]);
  for (const factor of 'alike' in test ? (test.alike ?? []) : []) named.delete(factor);
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

/** How cells are called: by their series, by what varies among them, and by their host where there are several. */
function labelling(cells: readonly Cell[], beside: readonly Cell[] = []): (cell: Cell) => string {
  const others = varyingFactors(cells.map(({ levels }) => levels));
  const severalHosts = hostNames([...cells, ...beside]).length > 1;
  return ({ levels, host }) =>
    [
      seriesLabel(levels),
      ...others.map((factor) => levelLabel(factor, levels[factor])),
      ...(severalHosts ? [host.name] : []),
    ].join(' · ');
}

/** A figure of one cell against the best of its peers. */
function against(test: AgainstTest, cells: readonly Cell[], measured: Metric): TestResult {
  const rest = agreement(test);
  const subjects = cellsMatching(cells, test.of, measured);
  const peers = cellsMatching(cells, test.to, measured);
  const label = labelling(subjects, peers);
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
      expect: test.expect,
      outcome: doubt ? 'inconclusive' : judge(interval, test.expect),
      note: doubt,
      metric: measured.id,
      ...(test.deciding && !matches(cell, test.deciding) ? { beside: true as const } : {}),
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
  // A peak that the client may have set is no peak of the server.
  const clientLimited = (one: Series) => {
    const [top] = [...levelsOf(one, measured)].sort((a, b) => average(b.values) - average(a.values));
    const busy = valuesOf(one.points.find(({ x }) => x === top?.x)!.cell, metric('client-busy'));
    const share = busy.length > 0 ? average(busy) : 0;
    return share > spareClient
      ? `the client was ${(100 * share).toFixed(0)} % busy at the peak of ${one.label}`
      : null;
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
    const doubt =
      incomparable(one.host, best.host) ??
      unsaturated(one) ??
      unsaturated(best) ??
      clientLimited(one) ??
      clientLimited(best);
    return [
      {
        subject: one.label,
        measure: `peak ${measured.title.toLowerCase()} of the ramp, ratio to the best, ${best.label}: ${expectationInWords(test.expect)}`,
        ...interval,
        unit: '×',
        expect: test.expect,
        outcome: doubt ? 'inconclusive' : judge(interval, test.expect),
        note: doubt ?? 'each trial at the level that the other trials chose',
        metric: measured.id,
      },
    ];
  });
  const lacking = subjects.length === 0 ? test.of : test.to;
  return resultOf(evidence, `two usable trials of ${selectorInWords(lacking)}`);
}

/** Servers below this share of one CPU's time have their own pace: above it they batch what waits. */
const unsaturatedShare = 0.9;
const answeredShare = 0.99;

/** Costs at the highest rate that a series and all its peers answer without saturation. */
function equalLoad(test: EqualLoadTest, cells: readonly Cell[], measured: Metric): TestResult {
  const rest = agreement(test);
  const of = (selector: Selector) => seriesMatching(cells, selector, test.factor, measured);
  const [subjects, peers] = [of(test.of), of(test.to)];
  const replies = metric('reply-rate');
  const meanAt = (one: Series, x: number, what: Metric) => {
    const point = one.points.find((candidate) => candidate.x === x);
    const values = point ? valuesOf(point.cell, what) : [];
    return values.length > 0 ? average(values) : null;
  };
  const isHeld = (one: Series, x: number) => {
    const [rate, cost] = [meanAt(one, x, replies), meanAt(one, x, metric('open-cpu-per-request'))];
    return (
      rate !== null && cost !== null && rate >= answeredShare * x && (rate * cost) / 1e6 < unsaturatedShare
    );
  };
  const evidence = subjects.flatMap((one): Evidence[] => {
    const candidates = peers.filter((peer) => rest(peer) === rest(one));
    const rates = one.points
      .map(({ x }) => x)
      .filter((x) => [one, ...candidates].every((each) => isHeld(each, x)));
    const rate = Math.max(...rates);
    const [best] = [...candidates].sort(
      (a, b) => (meanAt(a, rate, measured) ?? 0) - (meanAt(b, rate, measured) ?? 0),
    );
    if (!best || rates.length === 0) return [];
    const at = ({ points }: Series) => blockedValuesOf(points.find(({ x }) => x === rate)!.cell, measured);
    const interval = blockedRatio(at(one), at(best));
    const doubt = incomparable(one.host, best.host);
    return [
      {
        subject: one.label,
        measure: `${measured.title.toLowerCase()} at ${test.factor} ${rate}, which all answer, ratio to the best, ${best.label}: ${expectationInWords(test.expect)}`,
        ...interval,
        unit: '×',
        expect: test.expect,
        outcome: doubt ? 'inconclusive' : judge(interval, test.expect),
        note: doubt,
        metric: measured.id,
      },
    ];
  });
  return resultOf(
    evidence,
    `a rate that all of ${selectorInWords(test.of)} and ${selectorInWords(test.to)} answer`,
  );
}

/** Growth of one host's series against that of another's. */
function growthAcross(test: GrowthAcrossTest, cells: readonly Cell[], measured: Metric): TestResult {
  const of = (selector: Selector) =>
    seriesMatching(cells, selector, test.factor, measured).filter(({ points }) => {
      const xs = points.map(({ x }) => x);
      return xs.includes(test.from) && Math.max(...xs) >= test.reach;
    });
  const [subjects, peers] = [of(test.of), of(test.to)];
  const at = ({ points }: Series, x: number) =>
    blockedValuesOf(points.find((point) => point.x === x)!.cell, measured);
  const evidence = subjects.flatMap((one) =>
    peers.flatMap((peer): Evidence[] => {
      const shared = one.points.map(({ x }) => x).filter((x) => peer.points.some((point) => point.x === x));
      const far = Math.max(...shared);
      if (peer.host.name === one.host.name || far < test.reach) return [];
      const [ours, theirs] = [one, peer].map((each) => growths(at(each, test.from), at(each, far)));
      if (ours!.length === 0 || theirs!.length === 0) return [];
      const interval = blockedRatio(ours!, theirs!);
      return [
        {
          subject: `${seriesLabel(one.levels)} · ${one.host.name}`,
          measure: `growth of ${measured.title.toLowerCase()} from ${test.factor} ${test.from} to ${far}, over that of ${seriesLabel(peer.levels)} · ${peer.host.name}: ${expectationInWords(test.expect)}`,
          ...interval,
          unit: '×',
          expect: test.expect,
          outcome: judge(interval, test.expect),
          note: null,
          metric: measured.id,
        },
      ];
    }),
  );
  const lacking = subjects.length === 0 ? test.of : test.to;
  return resultOf(
    evidence,
    `${test.factor} ${test.from} and ${test.reach} or more with ${selectorInWords(lacking)}`,
  );
}

/** What is to be known of a figure that is no other machine's. */
const offNative = ({ host: { executionClass } }: Cell): string | null =>
  executionClass === 'native' ? null : `host of class ${executionClass}`;

/** One row for each cell: the share of its trials that have what most trials of all cells have. */
function same(test: SameTest, cells: readonly Cell[], measured: Metric): TestResult {
  const all = cellsMatching(cells, test.of, measured);
  const values = all.flatMap((cell) => valuesOf(cell, measured));
  const often = new Map<number, number>();
  for (const value of values) often.set(value, (often.get(value) ?? 0) + 1);
  const [most] = [...often].sort(([, a], [, b]) => b - a)[0] ?? [Number.NaN];
  const severalHosts = hostNames(all).length > 1;
  const evidence = all.map((cell): Evidence => {
    const own = valuesOf(cell, measured);
    const alike = own.filter((value) => value === most).length;
    return {
      subject: [seriesLabel(cell.levels), ...(severalHosts ? [cell.host.name] : [])].join(' · '),
      measure: `${measured.title.toLowerCase()}: share of the trials in which it is that of the others`,
      estimate: alike / own.length,
      low: null,
      high: null,
      low90: null,
      high90: null,
      unit: '',
      n: own.length,
      expect: null,
      outcome: alike === own.length ? 'supported' : 'contradicted',
      note: offNative(cell),
      metric: measured.id,
    };
  });
  return resultOf(evidence.length > 1 ? evidence : [], `two usable cells of ${selectorInWords(test.of)}`);
}

/** Each cell's own figure: of that machine, whatever runs it. */
function bound(test: BoundTest, cells: readonly Cell[], measured: Metric): TestResult {
  const all = cellsMatching(cells, test.of, measured);
  const label = labelling(all);
  const evidence = all.map((cell): Evidence => {
    const interval = meanInterval(valuesOf(cell, measured));
    return {
      subject: label(cell),
      measure: `${measured.title.toLowerCase()}: ${expectationInWords(test.expect)} ${measured.unit}`,
      ...interval,
      unit: measured.unit,
      expect: test.expect,
      outcome: judge(interval, test.expect),
      note: offNative(cell),
      metric: measured.id,
    };
  });
  return resultOf(evidence, `no usable trial of ${selectorInWords(test.of)}`);
}

/** Sum of both sides' CPU time beside the server's own. */
const sums: Partial<Record<MetricId, MetricId>> = {
  'cpu-per-request': 'total-cpu-per-request',
  'open-cpu-per-request': 'open-total-cpu-per-request',
};

/** The server's own cost is so many times another's: beside what the client pays the factor is less, its side of 1 is not. */
const isManyTimes = (test: ClaimTest): boolean =>
  test.kind === 'ratio' &&
  'within' in test.expect &&
  (test.expect.within[0] > 1 || test.expect.within[1] < 1);

/**
 * Prints the same comparison of client and server together beside each row, and withdraws what its sign does not bear
 * out: who of the two pays for a packet on loopback is no property of the mechanism.
 */
function heldOnSum(test: ClaimTest, rows: readonly Evidence[], cells: readonly Cell[]): Evidence[] {
  const id = sums[test.metric];
  if (id === undefined || !('expect' in test)) return [...rows];
  const summed = carriedOut(test, cells, metric(id)).evidence;
  return rows.map((row) => {
    const sum = summed.find(({ subject }) => subject === row.subject);
    if (!sum) return row;
    const { estimate } = sum;
    const point = { estimate, low: estimate, high: estimate, low90: estimate, high90: estimate };
    const keeps =
      row.outcome === 'inconclusive' ||
      judge(point, test.expect) === row.outcome ||
      (isManyTimes(test) && estimate > 1 === row.estimate > 1);
    const figure = `client and server together: ${Number(estimate.toPrecision(3))} ${row.unit}`;
    return keeps
      ? { ...row, note: notes(row.note, figure) }
      : { ...row, outcome: 'inconclusive', note: notes(row.note, `${figure}, which does not bear it out`) };
  });
}

/** Runs one test of a claim over the cells of its experiment. */
export function runTest(test: ClaimTest, cells: readonly Cell[]): TestResult {
  const { evidence, missing } = carriedOut(test, cells, metric(test.metric));
  return { evidence: heldOnSum(test, evidence, cells), missing };
}

function carriedOut(test: ClaimTest, cells: readonly Cell[], measured: Metric): TestResult {
  switch (test.kind) {
    case 'ratio':
    case 'difference':
      return against(test, cells, measured);
    case 'peak-ratio':
      return peakRatio(test, cells, measured);
    case 'equal-load':
      return equalLoad(test, cells, measured);
    case 'growth-across':
      return growthAcross(test, cells, measured);
    case 'ratio-along':
      return ratioAlong(test, cells, measured);
    case 'slope':
      return slope(test, cells, measured);
    case 'knee':
      return kneeTest(test, cells, measured);
    case 'break-point':
      return breakPoint(test, cells, measured);
    case 'same':
      return same(test, cells, measured);
    case 'bound':
      return bound(test, cells, measured);
  }
}
