/** What a claim is: a published statement as data, with the tests that decide it. */
import type { CellLevels } from '../contract/sample.js';

export type Level = CellLevels[string];

/** Which cells: every named factor has one of the levels, and the host's kernel starts with `kernel`. */
export interface Selector {
  levels?: Record<string, Level | readonly Level[]>;
  kernel?: string;
}

/** Where a figure's 95 % interval must lie. Bounds are published with the claim and are never moved. */
export type Expectation = { within: readonly [number, number] } | { below: number } | { above: number };

/** Replies against offered rate: the slope up to a corner and the slope past it. */
export interface KneeTest {
  kind: 'knee';
  metric: string;
  of: Selector;
  factor: string;
  before: Expectation;
  past: Expectation;
}

export type ClaimTest =
  | KneeTest
  /** figure of each cell in `of` over the best cell in `to` that agrees with it in all factors neither names */
  | { kind: 'ratio'; metric: string; of: Selector; to: Selector; expect: Expectation }
  /** the same as a difference, in the metric's unit */
  | { kind: 'difference'; metric: string; of: Selector; to: Selector; expect: Expectation }
  /**
   * peak along `factor` of each series in `of` over the best peak in `to` among the series that agree with it in all
   * factors neither names. `factor` is the offered rate in the metric's unit: a ramp whose last level is still answered
   * has shown no peak.
   */
  | { kind: 'peak-ratio'; metric: string; of: Selector; to: Selector; factor: string; expect: Expectation }
  /** within each series in `of`: figure at the largest level of `factor` (at least `reach`) over that at `from` */
  | {
      kind: 'ratio-along';
      metric: string;
      of: Selector;
      factor: string;
      from: number;
      reach: number;
      expect: Expectation;
    }
  /** slope of a straight line along `factor`, per `per` of it; the largest level must be at least `reach` */
  | {
      kind: 'slope';
      metric: string;
      of: Selector;
      factor: string;
      per: number;
      reach: number;
      expect: Expectation;
    }
  /** the scaling model of `metric` along `factor` has a break-point whose interval lies within `between` */
  | {
      kind: 'break-point';
      metric: string;
      of: Selector;
      factor: string;
      between: readonly [number, number];
    };

export interface Claim {
  id: string;
  /** number of the seed text and the figure, table or section that says it */
  source: { seed: '000' | '002' | '004'; where: string };
  statement: string;
  experiment: string;
  /** cells a run must hold, in words */
  cells: string;
  /** what supplies them */
  supply: string;
  tests: readonly ClaimTest[];
}
