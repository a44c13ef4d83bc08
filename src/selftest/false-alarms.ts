/** How often the suite's own comparison calls the same thing different. Pure functions. */
import type { Random } from '../analysis/random.js';
import { hodgesLehmann, mannWhitney } from '../analysis/ranks.js';

const LEVEL = 0.05;

/** The comparison that a report makes between two cells: is there a difference, and how large? */
export function compare(a: readonly number[], b: readonly number[]) {
  return { different: mannWhitney(a, b).p < LEVEL, shift: hodgesLehmann(b, a) };
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
    if (compare(a, b).different) alarms += 1;
  }
  return alarms / comparisons;
}
