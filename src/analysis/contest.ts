/**
 * What is asked of every run that has both: does it cost less to be told of completions than of readiness? Each server is
 * compared with itself on the other mechanism, at equal circumstances.
 */
import { type engineNames, isEngine } from '../contract/names.js';
import { levelsKey } from '../contract/sample.js';
import type { Experiment } from '../experiments/experiment.js';
import { blockedRatio, type Interval } from '../statistics/interval.js';
import { type Metric, metric } from '../trials/registry.js';
import { blockedValuesOf, type Series } from './cells.js';

/** The readiness mechanism that an engine would take the place of, and the question as people ask it. */
const incumbents: Record<
  (typeof engineNames)[number],
  { incumbent: string; question: string; calls: string }
> = {
  uring: { incumbent: 'epoll', question: 'epoll or io_uring?', calls: 'io_uring' },
};

/** Two costs are the same whose ratio is shown to lie within this of 1. */
export const sameWithin = 0.03;

export type Outcome = 'less' | 'same' | 'more' | 'unclear';

/** One server on both, for one cost. */
export interface Bout {
  /** on the engine */
  series: Series;
  metric: Metric;
  /** in which state the server pays this cost, in words */
  when: string;
  /** cost on the engine over that on the incumbent, by blocks, at the ends of the levels that both have */
  at: { x: number; ratio: Interval; outcome: Outcome }[];
}

/** Of one host. */
export interface Contest {
  question: string;
  incumbent: string;
  /** what the engine is called in the question */
  challenger: string;
  bouts: Bout[];
}

/**
 * A cost is less or more where its 95 % interval lies on that side of 1, and the same where the 90 % one lies within 3 %
 * (two one-sided tests at 5 %).
 */
export function outcomeOf({ low, high, low90, high90 }: Interval): Outcome {
  if (low === null || high === null || low90 === null || high90 === null) return 'unclear';
  if (high < 1) return 'less';
  if (low > 1) return 'more';
  return low90 >= 1 - sameWithin && high90 <= 1 + sameWithin ? 'same' : 'unclear';
}

/** What two series share that differ in their mechanism only. */
const besidesMechanism = ({ levels: { backend: _, ...levels }, host }: Series) =>
  `${host.name} ${levelsKey(levels)}`;

function boutOf(challenger: Series, incumbent: Series, measured: Metric, when: string): Bout | null {
  const others = new Map(incumbent.points.map(({ x, cell }) => [x, blockedValuesOf(cell, measured)]));
  const shared = challenger.points.flatMap(({ x, cell }) => {
    const [own, other] = [blockedValuesOf(cell, measured), others.get(x) ?? []];
    return own.length > 0 && other.length > 0 ? [{ x, own, other }] : [];
  });
  const ends = [...new Set([shared[0], shared.at(-1)])].filter((one) => one !== undefined);
  if (ends.length === 0) return null;
  return {
    series: challenger,
    metric: measured,
    when,
    at: ends.map(({ x, own, other }) => {
      const ratio = blockedRatio(own, other);
      return { x, ratio, outcome: outcomeOf(ratio) };
    }),
  };
}

/** One for each engine and host that has rows of both; the costs are those that answer the experiment. */
export function contestsOf(asked: Experiment['answers'], series: readonly Series[]): Contest[] {
  const contests = new Map<string, Contest>();
  for (const challenger of series) {
    const { backend } = challenger.levels;
    if (!isEngine(backend)) continue;
    const { incumbent, question, calls } = incumbents[backend];
    const other = series.find(
      (one) => one.levels.backend === incumbent && besidesMechanism(one) === besidesMechanism(challenger),
    );
    const bouts = other
      ? asked.flatMap(({ metric: id, when }) => boutOf(challenger, other, metric(id), when) ?? [])
      : [];
    if (bouts.length === 0) continue;
    const key = `${backend} ${challenger.host.name}`;
    const contest = contests.get(key) ?? { question, incumbent, challenger: calls, bouts: [] };
    contest.bouts.push(...bouts);
    contests.set(key, contest);
  }
  return [...contests.values()];
}
