/** What a claim is: a published statement as data, with the tests that decide it, or what will supply them. */
import type { CellLevels } from '../contract/sample.js';
import type { ExperimentId } from '../experiments/registry.js';
import type { MetricId } from '../trials/registry.js';
import type { Source } from './bibliography.js';

export type Level = CellLevels[string];

/** Systems by the name each calls itself: the first word of `uname -sr`. */
export type SystemName = 'Linux' | 'FreeBSD' | 'SunOS' | 'Windows_NT' | 'Darwin';

/** Which cells: every named factor has one of the levels, and the server's host runs that system. */
export interface Selector {
  levels?: Record<string, Level | readonly Level[]>;
  system?: SystemName;
}

/** A bound as it is written down. */
export const rounded = (ratio: number): number => Math.round(ratio * 100) / 100;

/** Where a figure's 95 % interval must lie. Bounds are published with the claim and are never moved. */
export type Expectation = { within: readonly [number, number] } | { below: number } | { above: number };

interface TestOfMetric {
  metric: MetricId;
  /** whose cells are judged; left out: the claim's own */
  experiment?: ExperimentId;
  /** the cells that are judged */
  of: Selector;
  /** those of them that decide; the others are rows beside, since the claim is not about them */
  deciding?: Selector;
  /** decides where cells have the figure; the claim is complete without it */
  whereMeasured?: true;
}

/** The level of a factor that a claim is about. A run without it is judged on what it has, and says so. */
export interface Setting {
  factor: string;
  level: number;
  /** what another level changes, in words */
  otherwise: string;
}

/**
 * Replies against offered rate. `before`: replies over offer on the levels that are answered; `past`: replies at the last
 * level over the peak, whose level other trials chose.
 */
export interface KneeTest extends TestOfMetric {
  kind: 'knee';
  factor: string;
  before: Expectation;
  past: Expectation;
}

/**
 * Figure of each cell in `of` over the best cell in `to` that agrees with it in all factors neither names, and in the
 * host unless one of them names a system. As a difference: in the metric's unit.
 */
export interface AgainstTest extends TestOfMetric {
  kind: 'ratio' | 'difference';
  to: Selector;
  /** factors in which both agree although the selectors name them */
  alike?: readonly string[];
  expect: Expectation;
}

/**
 * Peak along `factor` of each series in `of` over the best peak in `to`, among the series that agree with it as above.
 * `factor` is the offered rate in the metric's unit: a ramp whose last level is still answered has shown no peak.
 */
export interface PeakRatioTest extends TestOfMetric {
  kind: 'peak-ratio';
  to: Selector;
  factor: string;
  expect: Expectation;
}

/**
 * Figure of each series in `of` over that of the best series in `to`, among those that agree with it as above, at one
 * common level of `factor`, an offered rate: the highest that all of them answer with their servers below saturation.
 */
export interface EqualLoadTest extends TestOfMetric {
  kind: 'equal-load';
  to: Selector;
  factor: string;
  expect: Expectation;
}

/**
 * Growth along `factor` of each series in `of` over that of each series in `to` on another host: figure at the largest
 * level that both have (at least `reach`) over that at `from`, each by its own host's, so that classes do not matter.
 */
export interface GrowthAcrossTest extends TestOfMetric {
  kind: 'growth-across';
  to: Selector;
  factor: string;
  from: number;
  reach: number;
  expect: Expectation;
}

/** Within each series in `of`: figure at the largest level of `factor` (at least `reach`) over that at `from`. */
export interface RatioAlongTest extends TestOfMetric {
  kind: 'ratio-along';
  factor: string;
  from: number;
  reach: number;
  at?: Setting;
  expect: Expectation;
}

/** Slope of a straight line along `factor`, per `per` of it; the largest level must be at least `reach`. */
export interface SlopeTest extends TestOfMetric {
  kind: 'slope';
  factor: string;
  per: number;
  reach: number;
  at?: Setting;
  expect: Expectation;
}

/**
 * `metric` along `factor` breaks to the worse somewhere `between`: the corners that the data allow overlap it. Contradicted
 * by a break shown elsewhere, or where none is shown although a loss of `loss` (share of the figure at 0) from the middle
 * of `between` on would have been in 9 of 10 runs.
 */
export interface BreakPointTest extends TestOfMetric {
  kind: 'break-point';
  factor: string;
  between: readonly [number, number];
  loss: number;
  /** counts, and trials of each, that a run must have */
  levels: number;
  trials: number;
}

/** Every trial of the cells, on whatever engine and host, has the same figure: not about as much, but the same. */
export interface SameTest extends TestOfMetric {
  kind: 'same';
}

/** Figure of each cell in `of`, in the metric's unit: what it is on the machine that measured it, and on no other. */
export interface BoundTest extends TestOfMetric {
  kind: 'bound';
  expect: Expectation;
}

export type ClaimTest =
  | KneeTest
  | AgainstTest
  | PeakRatioTest
  | EqualLoadTest
  | GrowthAcrossTest
  | RatioAlongTest
  | SlopeTest
  | BreakPointTest
  | SameTest
  | BoundTest;

/**
 * What published figures are, as far as they or the program behind them tell. impossible: no machine does that; formula: made of
 * waits of a length that was written down; random: drawn; not measured: estimated, or of something that was not done.
 */
export type Standing = 'impossible' | 'formula' | 'random' | 'not measured';

export interface PublishedStatement {
  id: string;
  source: Source;
  statement: string;
  /** cells a run must hold, in words */
  cells: string;
  /** what the source's own figures are, whatever anybody measures, and why; left out: nothing is known of that */
  standing?: { is: Standing; because: string };
}

/** Statements of one work, by the place in it. */
export const publishedBy =
  (work: Source['work']) =>
  (id: string, where: string, statement: string, cells: string): PublishedStatement => ({
    id,
    source: { work, where },
    statement,
    cells,
  });

/** One that a run of today can decide, given the host that `cells` asks for. */
export interface TestedClaim extends PublishedStatement {
  /** the one that its figures are of; a test may name another */
  experiment: ExperimentId;
  /** the command that supplies the cells */
  supply: string;
  /** why there are no such cells on most systems, for where none of them was measured */
  elsewhere?: string;
  /** all of its tests or none: with a part missing it is not tested, and no half of it is shown */
  whole?: true;
  tests: readonly [ClaimTest, ...ClaimTest[]];
}

/** One whose experiment, metric or hosts the suite does not have yet, or that a benchmark of the suite decides outside of runs. */
export interface PlannedClaim extends PublishedStatement {
  /** what will supply the cells, and the bound that is already set */
  planned: string;
}

export type Claim = TestedClaim | PlannedClaim;
