/** How often the suite's own comparison calls the same thing different. Pure functions. */
import type { Random } from '../statistics/random.js';
import { doubledRanks, hodgesLehmann, mannWhitney, rankSumTest } from '../statistics/ranks.js';

const LEVEL = 0.05;

const different = (a: readonly number[], b: readonly number[]) => mannWhitney(a, b).p < LEVEL;

/** The comparison that a report makes between two cells: is there a difference, and how large? */
export function compare(a: readonly number[], b: readonly number[]) {
  return { different: different(a, b), shift: hodgesLehmann(b, a) };
}

/** The least distance of a doubled rank sum of `n` from its mean, either way, that is called a difference. */
function criticalDistance(ranks: readonly number[], n: number): number {
  const { p } = rankSumTest(ranks, n);
  const centre = n * (ranks.length + 1);
  let [equal, found] = [-1, centre + 1];
  while (found - equal > 1) {
    const half = (equal + found) >> 1;
    if (p(centre + half) < LEVEL) found = half;
    else equal = half;
  }
  return found;
}

/** The test sees only which ranks are labelled A: their sum tells whether a labelling is called different. */
function alarmShare(ranks: readonly number[], critical: number, comparisons: number, random: Random): number {
  const pairs = ranks.length >> 1;
  const centre = pairs * (2 * pairs + 1);
  let alarms = 0;
  for (let comparison = 0; comparison < comparisons; comparison += 1) {
    let sum = 0;
    for (let pair = 0; pair < pairs; pair += 1) sum += ranks[2 * pair + (random() < 0.5 ? 1 : 0)]!;
    if (Math.abs(sum - centre) >= critical) alarms += 1;
  }
  return alarms / comparisons;
}

/**
 * Trials of one and the same server, in the order they were made, are labelled A and B as a randomised block would
 * (one of each in every pair), again and again; the share of comparisons that found a difference.
 */
export function falseAlarmShare(trials: readonly number[], comparisons: number, random: Random): number {
  const pairs = trials.length >> 1;
  const ranks = doubledRanks(trials.slice(0, 2 * pairs));
  return alarmShare(ranks, criticalDistance(ranks, pairs), comparisons, random);
}

/** Sets of trials that the limit is found from, and the share of them that stays within it. */
const SETS = 1000;
const WITHIN = 0.99;

/**
 * The largest share that `pairs` pairs of independent trials without any difference reach in 99 of 100 cases: few pairs
 * can be labelled in few ways only, and then the share of one set of trials is far from the level of the test.
 */
export function falseAlarmLimit(pairs: number, comparisons: number, random: Random): number {
  const anew = () => doubledRanks(Array.from({ length: 2 * pairs }, () => random()));
  const critical = criticalDistance(anew(), pairs);
  const shares = Array.from({ length: SETS }, () => alarmShare(anew(), critical, comparisons, random));
  return shares.sort((a, b) => a - b)[Math.ceil(WITHIN * SETS) - 1]!;
}
