/**
 * What a ramp of offered rates shows: whether replies follow the offer below saturation, and whether they fall past it.
 *
 * No corner is searched: a corner fitted to a plateau finds its luckiest level and calls the way down from there a fall.
 * The last level is held against a peak that other trials chose, block by block.
 */
import { type Blocked, blockedRatio, type Interval, meanInterval } from './interval.js';
import { heldOutPeaks } from './peak.js';

/** Replies per second of each trial at one offered rate. */
export interface RampLevel {
  offered: number;
  replies: readonly Blocked[];
}

export interface RampShape {
  /** last level over held-out peak; null with fewer than two trials a level */
  last: Interval | null;
  /** replies over offer below saturation */
  below: Interval;
  /** offered rates behind `below` */
  answered: number[];
  /** the lowest rate lies past half of the peak already and is not answered: nothing is known from below saturation */
  startsSaturated: boolean;
}

/** A level is unanswered when replies are shown to be fewer than this share of the offer. */
const answeredShare = 0.99;

/** @param levels at least one, ascending in `offered`, each with a trial */
export function rampShape(levels: readonly RampLevel[]): RampShape {
  const share = ({ offered, replies }: RampLevel) => replies.map(({ value }) => value / offered);
  const unanswered = levels.findIndex((level) => {
    const { estimate, high } = meanInterval(share(level));
    return (high ?? estimate) < answeredShare;
  });
  const answered = unanswered < 0 ? levels : levels.slice(0, unanswered);
  const first = levels[0]!;
  const peaks = heldOutPeaks(levels.map(({ replies }) => replies));
  const peak = peaks.length > 0 ? meanInterval(peaks.map(({ value }) => value)).estimate : Infinity;
  // The block is the unit: what its answered levels share is one observation.
  const used = answered.length > 0 ? answered : [first];
  const byBlock = new Map<number, number[]>();
  for (const { offered, replies } of used) {
    for (const { block, value } of replies)
      byBlock.set(block, [...(byBlock.get(block) ?? []), value / offered]);
  }
  const average = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  return {
    last: peaks.length > 0 ? blockedRatio(levels[levels.length - 1]!.replies, peaks) : null,
    below: meanInterval([...byBlock.values()].map(average)),
    answered: answered.map(({ offered }) => offered),
    startsSaturated: answered.length === 0 && first.offered > peak / 2,
  };
}
