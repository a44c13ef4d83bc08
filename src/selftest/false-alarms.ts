/** How often the suite's own comparison calls the same thing different. Pure functions. */
import type { Random } from '../analysis/random.js';
import { hodgesLehmann, mannWhitney } from '../analysis/ranks.js';

const LEVEL = 0.05;

const different = (a: readonly number[], b: readonly number[]) => mannWhitney(a, b).p < LEVEL;

/** The comparison that a report makes between two cells: is there a difference, and how large? */
export function compare(a: readonly number[], b: readonly number[]) {
  return { different: different(a, b), shift: hodgesLehmann(b, a) };
}

/**
 * Trials of one and the same server, in the order they were made, are labelled A and B as a randomised block would
 * (one of each in every pair), again and again; the share of comparisons that found a difference.
 */
export function falseAlarmShare(trials: readonly number[], comparisons: number, random: Random): number {
  let alarms = 0;
  for (let comparison = 0; comparison < comparisons; comparison += 1) {
    const a: number[] = [];
    const b: number[] = [];
    for (let pair = 0; pair + 1 < trials.length; pair += 2) {
      const swap = random() < 0.5 ? 1 : 0;
      a.push(trials[pair + swap]!);
      b.push(trials[pair + 1 - swap]!);
    }
    if (different(a, b)) alarms += 1;
  }
  return alarms / comparisons;
}

/** Sets of trials that the limit is found from, and the share of them that stays within it. */
const SETS = 200;
const WITHIN = 0.99;

/**
 * The largest share that `pairs` pairs of independent trials without any difference reach in 99 of 100 cases: few pairs
 * can be labelled in few ways only, and then the share of one set of trials is far from the level of the test.
 */
export function falseAlarmLimit(pairs: number, comparisons: number, random: Random): number {
  const shares = Array.from({ length: SETS }, () =>
    falseAlarmShare(
      Array.from({ length: 2 * pairs }, () => random()),
      comparisons,
      random,
    ),
  ).sort((a, b) => a - b);
  return shares[Math.ceil(WITHIN * SETS) - 1]!;
}
