/**
 * Hosts against each other: each by how its own cost grows along the axis, which is comparable whatever the host is, and
 * what a request or a dispatch costs on it against this machine itself.
 */
import { executionClass } from '../contract/common.js';
import type { HostFacts } from '../contract/host.js';
import { scalable } from '../contract/names.js';
import type { RunInfo } from '../contract/run.js';
import type { AcrossHosts } from '../experiments/experiment.js';
import {
  type Blocked,
  blockedDifference,
  blockedRatio,
  type Interval,
  meanInterval,
  pairsOf,
} from '../statistics/interval.js';
import { type Metric, metric } from '../trials/registry.js';
import { outcomeOf, type Standing } from './answer.js';
import { blockedValuesOf, type Series } from './cells.js';

/** One host's mechanism between the ends of the axis. */
export interface HostStanding {
  series: Series;
  /** absolute: to be held against hosts of its class alone */
  near: Interval;
  far: Interval;
  /** far over near, by blocks */
  growth: Interval;
  outcome: Standing['outcome'];
  /** best and worst place that the 95 % intervals of growth against growth leave it, from 1 */
  places: [best: number, worst: number];
}

export interface HostRanking {
  metric: Metric;
  /** what is ranked, in a word: 'TCP' */
  of: string;
  near: number;
  far: number;
  /** from the least growth */
  standings: HostStanding[];
}

export interface HostCost {
  of: string;
  metric: Metric;
  host: HostFacts;
  value: Interval;
  /** over that of the reference, by blocks; null: it is the reference, or there is none */
  against: Interval | null;
}

/** The same host with its client outside and inside: what lies between the two is all that differs. */
export interface NetworkCost {
  of: string;
  metric: Metric;
  outside: HostFacts;
  inside: HostFacts;
  /** outside less inside, and over it, by blocks */
  extra: Interval;
  factor: Interval;
}

export interface HostComparison {
  rankings: HostRanking[];
  /** native, over loopback: this machine as it is; null: the run has no such host */
  reference: HostFacts | null;
  costs: HostCost[];
  /** of hosts that the run has both ways */
  networks: NetworkCost[];
}

/** What a run knows of its hosts beyond their samples. */
export interface KnownHosts {
  /** names in the order in which they were asked for */
  order: readonly string[];
  /** names of one host with its client outside and inside */
  bothWays: readonly { outside: string; inside: string }[];
}

export function knownHosts(run: RunInfo | null): KnownHosts {
  const declared = (run?.plan.hosts ?? []).filter((one) => typeof one !== 'string');
  const bothWays = declared
    .filter(({ role }) => role === 'both')
    .flatMap(({ name: inside, kind }) =>
      declared
        .filter((one) => one.role === 'server' && one.kind === kind)
        .map(({ name: outside }) => ({ outside, inside })),
    );
  return { order: Object.keys(run?.hosts ?? {}), bothWays };
}

const isOf =
  (levels: Series['levels']) =>
  (one: Series): boolean =>
    Object.entries(levels).every(([factor, level]) => one.levels[factor] === level);

/** Of each host the series of its scalable mechanism, or of its first where it has none. */
export function bestOfEach(series: readonly Series[]): Series[] {
  const hosts = new Map<string, Series>();
  for (const one of series) {
    const known = hosts.get(one.host.name);
    const scales = ({ levels }: Series) => (scalable as readonly unknown[]).includes(levels.backend);
    if (!known || (scales(one) && !scales(known))) hosts.set(one.host.name, one);
  }
  return [...hosts.values()];
}

const at = (one: Series, x: number, measured: Metric): Blocked[] => {
  const cell = one.points.find((point) => point.x === x)?.cell;
  return cell ? blockedValuesOf(cell, measured) : [];
};

/** Growth block by block, so that a block's state of the machine is in neither. */
export const growths = (near: readonly Blocked[], far: readonly Blocked[]): Blocked[] =>
  [...new Set(far.map(({ block }) => block))].flatMap((block) =>
    pairsOf(
      far.filter((one) => one.block === block),
      near.filter((one) => one.block === block),
    ).map(([top, bottom]) => ({ block, value: top / bottom })),
  );

const mean = (trials: readonly Blocked[]) => meanInterval(trials.map(({ value }) => value));

function ranking(
  series: readonly Series[],
  { metric: id, levels, of }: AcrossHosts['ranked'][number],
): HostRanking | null {
  const measured = metric(id);
  const mine = bestOfEach(series.filter(isOf(levels)));
  const xs = mine.flatMap((one) =>
    one.points.map(({ x }) => x).filter((x) => at(one, x, measured).length > 0),
  );
  const [near, far] = [Math.min(...xs), Math.max(...xs)];
  if (!(near < far)) return null;
  const all = mine.flatMap((one) => {
    const [start, end] = [at(one, near, measured), at(one, far, measured)];
    if (start.length === 0 || end.length === 0) return [];
    return [{ one, start, end, growth: blockedRatio(end, start), blocks: growths(start, end) }];
  });
  const isLess = (a: (typeof all)[number], b: (typeof all)[number]): boolean => {
    if (a.blocks.length === 0 || b.blocks.length === 0) return false;
    const { high } = blockedRatio(a.blocks, b.blocks);
    return high !== null && high < 1;
  };
  const standings = all
    .map((entry): HostStanding => {
      const others = all.filter((other) => other !== entry);
      return {
        series: entry.one,
        near: mean(entry.start),
        far: mean(entry.end),
        growth: entry.growth,
        outcome: outcomeOf(entry.growth),
        places: [
          1 + others.filter((other) => isLess(other, entry)).length,
          all.length - others.filter((other) => isLess(entry, other)).length,
        ],
      };
    })
    .sort((a, b) => a.growth.estimate - b.growth.estimate);
  return standings.length > 0 ? { metric: measured, of, near, far, standings } : null;
}

function costsOf(
  series: readonly Series[],
  { metric: id, levels, of }: AcrossHosts['overhead'][number],
  reference: HostFacts | null,
): HostCost[] {
  const measured = metric(id);
  const mine = bestOfEach(series.filter(isOf(levels)));
  const near = Math.min(...mine.flatMap(({ points }) => points.map(({ x }) => x)));
  const base = mine.find(({ host }) => host.name === reference?.name);
  return mine.flatMap((one): HostCost[] => {
    const trials = at(one, near, measured);
    if (trials.length === 0) return [];
    const others = base && base !== one ? at(base, near, measured) : [];
    return [
      {
        of,
        metric: measured,
        host: one.host,
        value: mean(trials),
        against: others.length > 0 ? blockedRatio(trials, others) : null,
      },
    ];
  });
}

function networksOf(
  series: readonly Series[],
  { metric: id, levels, of }: AcrossHosts['overhead'][number],
  { bothWays }: KnownHosts,
): NetworkCost[] {
  const measured = metric(id);
  const mine = bestOfEach(series.filter(isOf(levels)));
  const near = Math.min(...mine.flatMap(({ points }) => points.map(({ x }) => x)));
  const trialsOf = (name: string) => {
    const one = mine.find(({ host }) => host.name === name);
    return one && { host: one.host, trials: at(one, near, measured) };
  };
  return bothWays.flatMap(({ outside, inside }): NetworkCost[] => {
    const [out, within] = [trialsOf(outside), trialsOf(inside)];
    if (!out?.trials.length || !within?.trials.length) return [];
    return [
      {
        of,
        metric: measured,
        outside: out.host,
        inside: within.host,
        extra: blockedDifference(out.trials, within.trials),
        factor: blockedRatio(out.trials, within.trials),
      },
    ];
  });
}

export function compareHosts(
  asked: AcrossHosts,
  series: readonly Series[],
  known: KnownHosts,
): HostComparison {
  const place = ({ host }: Series) => {
    const found = known.order.indexOf(host.name);
    return found < 0 ? known.order.length : found;
  };
  const classOf = ({ host }: Series) => executionClass.options.indexOf(host.executionClass);
  const ordered = [...series].sort((a, b) => classOf(a) - classOf(b) || place(a) - place(b));
  // A host with its client inside has a loopback as well, but is none of those that were there before.
  const insides = known.bothWays.map(({ inside }) => inside);
  const [first] = ordered
    .filter(({ host }) => host.executionClass === 'native' && host.transport === 'loopback')
    .filter(({ host }) => !insides.includes(host.name));
  const reference = first?.host ?? null;
  return {
    rankings: asked.ranked.map((one) => ranking(ordered, one)).filter((one) => one !== null),
    reference,
    costs: asked.overhead.flatMap((one) => costsOf(ordered, one, reference)),
    networks: asked.overhead.flatMap((one) => networksOf(ordered, one, known)),
  };
}
