/**
 * What a run answers: which mechanism holds as the axis of its experiment grows, by what factor the others grow, and what
 * a request costs more with them. An experiment declares the costs that decide.
 */
import { levelsKey } from '../contract/sample.js';
import type { Experiment } from '../experiments/experiment.js';
import { blockedDifference, blockedRatio, type Interval, pairsOf, position } from '../statistics/interval.js';
import { paired, unitsNeeded } from '../statistics/paired.js';
import { asAsked } from '../trials/load-window.js';
import { type Metric, metric } from '../trials/registry.js';
import { measuredAs } from '../trials/sample.js';
import { blockedValuesOf, type Cell, nearest, type Series, tellServer } from './cells.js';

/** A cost holds that grows by less than this factor: the published margin of "stays flat" (T4). */
export const holdsBelow = 1.11;

/** One mechanism between the ends of the axis. */
export interface Standing {
  series: Series;
  outcome: 'holds' | 'grows' | 'unclear';
  /** cost at the far end over that at the near one, by blocks */
  growth: Interval;
  /** cost at the far end over that of the cheapest there, and less it; null for the cheapest */
  against: { factor: Interval; extra: Interval } | null;
  /** unclear: blocks that would decide, by the scatter of these; null: unknown, of fewer than two */
  blocksNeeded: number | null;
}

/** Of one cost, on one host, under the same circumstances, by servers of one implementation. */
export interface Answer {
  metric: Metric;
  /** in which state the server pays this cost, in words */
  when: string;
  near: number;
  far: number;
  /** from the cheapest at the far end */
  standings: Standing[];
  /** what bears the load at the near end and cannot at the far one, so that it has no cost there */
  overcome: Series[];
}

/** Whether a cost holds that grows by this factor. */
export function outcomeOf(growth: Interval): Standing['outcome'] {
  switch (position(growth, 0, holdsBelow)) {
    case 'inside':
      return 'holds';
    case 'above':
      return 'grows';
    default:
      return 'unclear';
  }
}

/** Series of one host that differ in their server only. */
function groupsOf(series: readonly Series[]): Series[][] {
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const around = Object.entries(one.levels).filter(([factor]) => !tellServer(factor));
    const key = `${one.host.name} ${levelsKey(Object.fromEntries(around))}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

/** The ends of the levels that most of the series have figures at; null: a single one. */
function endsOf(levels: readonly (readonly number[])[]): [near: number, far: number] | null {
  const having = new Map<number, number>();
  for (const x of levels.flat()) having.set(x, (having.get(x) ?? 0) + 1);
  const most = Math.max(...having.values());
  const shared = [...having].filter(([, count]) => count === most).map(([x]) => x);
  const [near, far] = [Math.min(...shared), Math.max(...shared)];
  return near < far ? [near, far] : null;
}

/** Whether a cell was offered less than was asked, because its server had no time to spare, in every trial. */
const isOvercome = ({ trials }: Cell): boolean =>
  trials.length > 0 && trials.every((trial) => measuredAs(trial, 'load').some(([, one]) => !asAsked(one)));

function answerOf(series: readonly Series[], measured: Metric, when: string): Answer | null {
  const figures = nearest(series)
    .map((one) => ({
      one,
      at: new Map(
        one.points
          .map(({ x, cell }) => [x, blockedValuesOf(cell, measured)] as const)
          .filter(([, trials]) => trials.length > 0),
      ),
      overcomeAt: new Set(one.points.filter(({ cell }) => isOvercome(cell)).map(({ x }) => x)),
    }))
    .filter(({ at }) => at.size > 0);
  const ends =
    figures.length > 0
      ? endsOf(figures.map(({ at, overcomeAt }) => [...new Set([...at.keys(), ...overcomeAt])]))
      : null;
  if (!ends) return null;
  const [near, far] = ends;
  const overcome = figures
    .filter(({ at, overcomeAt }) => at.has(near) && !at.has(far) && overcomeAt.has(far))
    .map(({ one }) => one);
  const costs = figures
    .flatMap(({ one, at }) => {
      const [start, end] = [at.get(near), at.get(far)];
      return start && end ? [{ one, start, end }] : [];
    })
    .map((each) => ({ ...each, mean: each.end.reduce((sum, { value }) => sum + value, 0) / each.end.length }))
    .sort((a, b) => a.mean - b.mean);
  const [cheapest] = costs;
  const standings = costs.map(({ one, start, end }, i): Standing => {
    const growth = blockedRatio(end, start);
    const outcome = outcomeOf(growth);
    const logs = pairsOf(end, start).map(([top, bottom]) => Math.log(top / bottom));
    return {
      series: one,
      outcome,
      growth,
      against:
        i === 0
          ? null
          : { factor: blockedRatio(end, cheapest!.end), extra: blockedDifference(end, cheapest!.end) },
      blocksNeeded:
        outcome === 'unclear' && logs.length > 1 ? unitsNeeded(paired(logs).deviation, holdsBelow - 1) : null,
    };
  });
  return standings.length > 0 ? { metric: measured, when, near, far, standings, overcome } : null;
}

/** One for each cost that decides, host and circumstances; none of an experiment that asks something else. */
export function answersOf(asked: Experiment['answers'], series: readonly Series[]): Answer[] {
  return groupsOf(series).flatMap((group) =>
    asked.flatMap(({ metric: id, when }) => answerOf(group, metric(id), when) ?? []),
  );
}
