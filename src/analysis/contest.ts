/**
 * What is asked of every run that has both: does it cost less to be told of completions than of readiness? Each server is
 * compared with itself on the other mechanism, at equal circumstances.
 */
import { type engineNames, isEngine } from '../contract/names.js';
import { levelsKey } from '../contract/sample.js';
import type { Experiment } from '../experiments/experiment.js';
import { blockedRatio, type Interval, pairsOf, position } from '../statistics/interval.js';
import { paired } from '../statistics/paired.js';
import { familyError, holm } from '../statistics/ranks.js';
import { type Metric, metric } from '../trials/registry.js';
import { blockedValuesOf, type Series } from './cells.js';

/** The readiness mechanism that an engine would take the place of, and the question as people ask it. */
const incumbents: Record<(typeof engineNames)[number], Omit<Contest, 'bouts'>> = {
  uring: { incumbent: 'epoll', question: 'epoll or io_uring?', challenger: 'io_uring' },
};

/** Two costs are the same whose ratio is shown to lie within this of 1. */
export const sameWithin = 0.03;

export type Outcome = 'less' | 'same' | 'more' | 'unclear';

/**
 * One server on both, for one cost. It is less or more where that is shown at 5 % for all that is asked of a run together
 * (Student's t over the ratios within blocks, adjusted by Holm), and the same where the 90 % interval of the ratio lies
 * within 3 % (two one-sided tests at 5 %).
 */
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

/** @param p of no difference, adjusted for all that is asked of a run */
function outcomeOf(ratio: Interval, p: number): Outcome {
  if (p <= familyError) return ratio.estimate < 1 ? 'less' : 'more';
  return position(ratio, 1 / (1 + sameWithin), 1 + sameWithin) === 'inside' ? 'same' : 'unclear';
}

/** What two series share that differ in their mechanism only. */
const besidesMechanism = ({ levels: { backend: _, ...levels }, host }: Series) =>
  `${host.name} ${levelsKey(levels)}`;

/** A bout whose outcome depends on all others. */
type Fought = Omit<Bout, 'at'> & { at: { x: number; ratio: Interval; p: number }[] };

function boutOf(challenger: Series, incumbent: Series, measured: Metric, when: string): Fought | null {
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
      const logs = pairsOf(own, other).map(([top, bottom]) => Math.log(top / bottom));
      return { x, ratio: blockedRatio(own, other), p: logs.length > 0 ? paired(logs).p : 1 };
    }),
  };
}

/** One for each engine and host that has rows of both; the costs are those that answer the experiment. */
export function contestsOf(asked: Experiment['answers'], series: readonly Series[]): Contest[] {
  const fought = series.flatMap((challenger): Fought[] => {
    const { backend } = challenger.levels;
    const other = series.find(
      (one) =>
        isEngine(backend) &&
        one.levels.backend === incumbents[backend].incumbent &&
        besidesMechanism(one) === besidesMechanism(challenger),
    );
    return other
      ? asked.flatMap(({ metric: id, when }) => boutOf(challenger, other, metric(id), when) ?? [])
      : [];
  });
  const adjusted = holm(fought.flatMap(({ at }) => at.map(({ p }) => p))).values();
  const contests = new Map<string, Contest>();
  for (const bout of fought) {
    const engine = bout.series.levels.backend as keyof typeof incumbents;
    const key = `${engine} ${bout.series.host.name}`;
    const contest = contests.get(key) ?? { ...incumbents[engine], bouts: [] };
    contests.set(key, contest);
    contest.bouts.push({
      ...bout,
      at: bout.at.map(({ x, ratio }) => ({ x, ratio, outcome: outcomeOf(ratio, adjusted.next().value!) })),
    });
  }
  return [...contests.values()];
}
