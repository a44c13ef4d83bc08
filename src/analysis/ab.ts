/** Two arms of one run, paired by block: shifts with intervals, what is shown, what is equal, and what would decide. */
import { type CellLevels, levelsKey } from '../contract/sample.js';
import { knownExperiment } from '../experiments/registry.js';
import { fewestTrials } from '../statistics/interval.js';
import { type Paired, paired, unitsNeeded } from '../statistics/paired.js';
import { familyError, holm } from '../statistics/ranks.js';
import { type Metric, type MetricId, metric } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { seriesLabel } from './cells.js';
import type { ComparedRow } from './compare.js';

export type AbVerdict = 'slower' | 'faster' | 'equal' | 'not resolved';

/**
 * A cell in one metric. `a` and `b` are the halves of the pairs, in the order of the blocks; `shift` is the geometric mean
 * of candidate over baseline, minus 1; `p` is Student's on its logarithms, adjusted by Holm over all rows.
 */
export interface AbRow extends ComparedRow {
  pairs: number;
  /** slower and faster: shown; equal: within the margin, by two one-sided tests at 5 % */
  verdict: AbVerdict;
  /** standard deviation of the pairs' logarithms; 0 for a single pair */
  deviation: number;
  /** pairs that would decide about the margin; null: it is decided, or there are too few to say */
  pairsNeeded: number | null;
}

/** Which arm a sample belongs to, and its cell without what tells the arms apart. null: neither. */
export type ArmOf = (sample: Sample) => { arm: 'baseline' | 'candidate'; levels: CellLevels } | null;

export interface AbComparison {
  baseline: string;
  candidate: string;
  /** share up to which two are called equal */
  margin: number;
  rows: AbRow[];
  /** blocks of a cell of which one half or both did not count: failed, or invalid by a gate */
  lost: number;
}

interface Pair {
  baseline?: Sample;
  candidate?: Sample;
}

interface PairedCell {
  experiment: string;
  levels: CellLevels;
  pairs: Pair[];
}

/** Trials that count, by cell and block. */
function pairedCells(samples: readonly Sample[], armOf: ArmOf): { cells: PairedCell[]; lost: number } {
  const cells = new Map<string, PairedCell & { byBlock: Map<number, Pair> }>();
  for (const sample of samples) {
    const place = sample.status === 'impossible' ? null : armOf(sample);
    if (!place) continue;
    const { experiment, block, status } = sample;
    const key = `${experiment} ${levelsKey(place.levels)}`;
    const cell = cells.get(key) ?? { experiment, levels: place.levels, pairs: [], byBlock: new Map() };
    cells.set(key, cell);
    const pair = cell.byBlock.get(block) ?? {};
    cell.byBlock.set(block, pair);
    if (status === 'ok') pair[place.arm] = sample;
  }
  let lost = 0;
  const complete = [...cells.values()].map(({ byBlock, ...cell }) => {
    const all = [...byBlock].sort(([one], [other]) => one - other).map(([, pair]) => pair);
    const pairs = all.filter(({ baseline, candidate }) => baseline && candidate);
    lost += all.length - pairs.length;
    return { ...cell, pairs };
  });
  return { cells: complete, lost };
}

function rowOf(
  { experiment, levels, pairs }: PairedCell,
  measured: Metric,
): (AbRow & { found: Paired }) | null {
  const both = pairs.flatMap(({ baseline, candidate }): [number, number][] => {
    const [a, b] = [measured.of(baseline!), measured.of(candidate!)];
    // Zero has no ratio, and nothing of ours that is compared by one is ever 0.
    return a !== null && b !== null && a > 0 && b > 0 ? [[a, b]] : [];
  });
  if (both.length === 0) return null;
  const found = paired(both.map(([a, b]) => Math.log(b / a)));
  const { interval, deviation } = found;
  return {
    experiment,
    levels,
    label: seriesLabel(levels),
    host: null,
    metric: measured,
    scale: 'ratio',
    a: both.map(([a]) => a),
    b: both.map(([, b]) => b),
    shift: Math.expm1(found.mean),
    low: interval && Math.expm1(interval.low),
    high: interval && Math.expm1(interval.high),
    confidence: 0.95,
    p: found.p,
    change: '~',
    bounds: interval && { low: Math.expm1(interval.low90), high: Math.expm1(interval.high90) },
    hopeless: found.pairs < fewestTrials,
    needed: (margin) => (found.pairs < 2 ? fewestTrials : unitsNeeded(deviation, margin)),
    pairs: found.pairs,
    verdict: 'not resolved',
    deviation,
    pairsNeeded: null,
    found,
  };
}

function verdictOf({ change, bounds }: AbRow, margin: number): AbVerdict {
  if (change !== '~') return change === 'better' ? 'faster' : 'slower';
  // The lower end of a ratio is as far from 1 as the upper one on the logarithms that were tested.
  const inside = bounds && bounds.high < margin && bounds.low > -margin / (1 + margin);
  return inside ? 'equal' : 'not resolved';
}

/**
 * @param chosen what to compare, of what the experiment compares by ratio; fewer show more, because the family is smaller
 * @param margin share up to which two are called equal, above 0
 */
export function compareArms(
  samples: readonly Sample[],
  armOf: ArmOf,
  {
    chosen,
    margin,
    baseline,
    candidate,
  }: { chosen: readonly MetricId[]; margin: number; baseline: string; candidate: string },
): AbComparison {
  const { cells, lost } = pairedCells(samples, armOf);
  const family = cells.flatMap((cell) =>
    (knownExperiment(cell.experiment)?.compared ?? [])
      .filter(({ metric: id, scale }) => scale === 'ratio' && chosen.includes(id))
      .flatMap(({ metric: id }) => rowOf(cell, metric(id)) ?? []),
  );
  const adjusted = holm(family.map(({ p }) => p));
  const rows = family.map(({ found, ...row }, i): AbRow => {
    const shown = adjusted[i]! <= familyError;
    const improved = found.mean > 0 === (row.metric.better === 'higher');
    const decided: AbRow = { ...row, p: adjusted[i]!, change: shown ? (improved ? 'better' : 'worse') : '~' };
    const verdict = verdictOf(decided, margin);
    return { ...decided, verdict, pairsNeeded: verdict === 'not resolved' ? row.needed(margin) : null };
  });
  return { baseline, candidate, margin, rows, lost };
}
