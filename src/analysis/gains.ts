/**
 * What more of something brings: a figure along the axis of its experiment over the same at the near end, level by level, and
 * over that of a peer at the same level. An experiment declares the figure and the peer.
 */
import { type CellLevels, levelsKey } from '../contract/sample.js';
import type { Experiment } from '../experiments/experiment.js';
import { blockedRatio, type Interval, position } from '../statistics/interval.js';
import { type Metric, metric } from '../trials/registry.js';
import { blockedValuesOf, type Series, tellServer } from './cells.js';

/** A gain or a loss is one that is shown to be larger than this; no gain one that is shown to be smaller. */
export const gainsFrom = 1.11;
/** As much as the peer: shown to lie within this of 1. */
export const asMuchWithin = 0.05;

export type GainOutcome = 'gain' | 'no gain' | 'loss' | 'not resolved';
export type PeerOutcome = 'more' | 'as much' | 'less' | 'not resolved';

export interface Gain {
  series: Series;
  metric: Metric;
  near: number;
  /** figure at x over that at the near end, by blocks */
  at: { x: number; ratio: Interval; outcome: GainOutcome }[];
}

export interface BesidePeer {
  series: Series;
  peer: Series;
  metric: Metric;
  /** figure over the peer's, by blocks */
  at: { x: number; ratio: Interval; outcome: PeerOutcome }[];
}

/** Whoever chooses along the axis by itself, over the levels that were best and worst in hindsight. */
export interface Adapted {
  series: Series;
  metric: Metric;
  best: number;
  ratio: Interval;
  /** null: there is one level */
  worst: { x: number; ratio: Interval } | null;
  /** as much: within 5 %, or more */
  outcome: PeerOutcome;
}

export interface Gains {
  gains: Gain[];
  beside: BesidePeer[];
  adapted: Adapted[];
}

export function gainOutcome(ratio: Interval): GainOutcome {
  if (position(ratio, 1 / gainsFrom, Number.POSITIVE_INFINITY) === 'below') return 'loss';
  switch (position(ratio, 0, gainsFrom)) {
    case 'inside':
      return 'no gain';
    case 'above':
      return 'gain';
    default:
      return 'not resolved';
  }
}

function peerOutcome(ratio: Interval): PeerOutcome {
  if (position(ratio, 1 - asMuchWithin, 1 / (1 - asMuchWithin)) === 'inside') return 'as much';
  const { low, high } = ratio;
  if (low !== null && low > 1) return 'more';
  return high !== null && high < 1 ? 'less' : 'not resolved';
}

const has = ({ levels }: Series, wanted: CellLevels) =>
  Object.entries(wanted).every(([factor, level]) => levels[factor] === level);

/** What a series shares with the peer's: where it ran, and all that does not say whose it is or how it sends. */
const around = ({ levels, host }: Series, own: readonly string[]) =>
  `${host.name} ${levelsKey(
    Object.fromEntries(
      Object.entries(levels).filter(([factor]) => !tellServer(factor) && !own.includes(factor)),
    ),
  )}`;

/** Factors of ours that the peer has no levels of, but one. */
function ownFactors(all: readonly Series[], peer: CellLevels): string[] {
  const theirs = all.filter((one) => has(one, peer));
  const factors = new Set(theirs.flatMap(({ levels }) => Object.keys(levels)));
  return [...factors].filter(
    (factor) =>
      new Set(theirs.map(({ levels }) => levels[factor])).size === 1 &&
      new Set(all.map(({ levels }) => levels[factor])).size > 1,
  );
}

export function gainsOf(asked: Experiment['gains'], all: readonly Series[]): Gains {
  if (!asked) return { gains: [], beside: [], adapted: [] };
  const measured = metric(asked.metric);
  const figures = (one: Series) =>
    one.points
      .map(({ x, cell }) => ({ x, values: blockedValuesOf(cell, measured) }))
      .filter(({ values }) => values.length > 0);
  const { peer: theirs, chosenBy } = asked;
  const isFixed = ({ levels }: Series) => (levels[chosenBy] ?? null) === null;
  const fixed = all.filter(isFixed);
  const gains = fixed.flatMap((series): Gain[] => {
    const [near, ...further] = figures(series);
    if (!near || further.length === 0) return [];
    const at = further.map(({ x, values }) => {
      const ratio = blockedRatio(values, near.values);
      return { x, ratio, outcome: gainOutcome(ratio) };
    });
    return [{ series, metric: measured, near: near.x, at }];
  });
  const own = theirs ? ownFactors(all, theirs) : [];
  const beside = fixed
    .filter((series) => theirs && !has(series, theirs))
    .flatMap((series): BesidePeer[] => {
      const peer = all.find((other) => has(other, theirs!) && around(other, own) === around(series, own));
      if (!peer) return [];
      const peers = new Map(figures(peer).map(({ x, values }) => [x, values]));
      const at = figures(series).flatMap(({ x, values }) => {
        const other = peers.get(x);
        if (!other) return [];
        const ratio = blockedRatio(values, other);
        return [{ x, ratio, outcome: peerOutcome(ratio) }];
      });
      return at.length > 0 ? [{ series, peer, metric: measured, at }] : [];
    });
  const adapted = all
    .filter((series) => !isFixed(series))
    .flatMap((series): Adapted[] => {
      const { [chosenBy]: _, ...levels } = series.levels;
      const rivals = fixed
        .filter((other) => other.host.name === series.host.name && has(other, levels))
        .flatMap(figures);
      const mean = ({ values }: (typeof rivals)[number]) =>
        values.reduce((sum, { value }) => sum + value, 0) / values.length;
      const [best, ...others] = rivals.sort((a, b) => mean(b) - mean(a));
      const [own] = figures(series);
      if (!best || !own) return [];
      const ratio = blockedRatio(own.values, best.values);
      const last = others.at(-1);
      const worst = last ? { x: last.x, ratio: blockedRatio(own.values, last.values) } : null;
      return [{ series, metric: measured, best: best.x, ratio, worst, outcome: peerOutcome(ratio) }];
    });
  return { gains, beside, adapted };
}
