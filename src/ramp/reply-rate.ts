/** Reply rate as httperf states it: figures over consecutive samples of equal length. Pure functions. */
import type { ReplyRate } from '../contract/ramp.js';

/** Zeros when the step was too short for a whole sample. */
export function replyRate(replies: readonly number[], intervalS: number): ReplyRate {
  const rates = replies.map((count) => count / intervalS);
  const n = rates.length;
  if (n === 0) return { min: 0, avg: 0, max: 0, stddev: 0, samples: 0, intervalS };
  const avg = rates.reduce((sum, rate) => sum + rate, 0) / n;
  const squares = rates.reduce((sum, rate) => sum + (rate - avg) ** 2, 0);
  return {
    min: Math.min(...rates),
    avg,
    max: Math.max(...rates),
    stddev: n > 1 ? Math.sqrt(squares / (n - 1)) : 0,
    samples: n,
    intervalS,
  };
}
