/**
 * Offset and drift between two monotonic clocks from ping exchanges (the four timestamps of NTP, RFC 5905). A pure
 * function. Asymmetric delay cannot be seen, only bounded: the true offset of an exchange lies within half its delay.
 */

/** Nanoseconds: sent and answered on our clock, received and replied on theirs. */
export interface Exchange {
  sentNs: number;
  theyReceivedNs: number;
  theySentNs: number;
  answeredNs: number;
}

export interface ClockEstimate {
  /** their clock minus ours at `atNs` of our clock */
  offsetNs: number;
  atNs: number;
  /** growth of the offset: nanoseconds per nanosecond; 0 when the exchanges are too close together to show it */
  drift: number;
  /** the true offset at `atNs` lies within +- this, if drift is as estimated */
  boundNs: number;
}

/** Of programs that read one clock. */
export const sameClock: ClockEstimate = { offsetNs: 0, atNs: 0, drift: 0, boundNs: 0 };

/** Clocks of real machines drift by less than this (500 ppm is what NTP itself corrects). */
const MAX_DRIFT = 5e-4;

/** @throws RangeError without an exchange */
export function estimateClock(exchanges: readonly Exchange[]): ClockEstimate {
  if (exchanges.length === 0) throw new RangeError('no ping was answered: the clock offset is unknown');
  const points = exchanges
    .map((e) => ({
      at: (e.sentNs + e.answeredNs) / 2,
      offset: (e.theyReceivedNs - e.sentNs + (e.theySentNs - e.answeredNs)) / 2,
      bound: Math.max(0, (e.answeredNs - e.sentNs - (e.theySentNs - e.theyReceivedNs)) / 2),
    }))
    .sort((a, b) => a.bound - b.bound);
  const best = points[0]!;
  // Only the quick exchanges say much: queueing is what makes the others slow, and it is rarely symmetric.
  const quick = points
    .filter((point) => point.bound <= 2 * best.bound)
    .slice(0, Math.max(2, points.length / 2));
  const drift = slope(quick);
  const span = Math.max(...quick.map((point) => point.at)) - Math.min(...quick.map((point) => point.at));
  // A slope smaller than what the bounds themselves could make is noise, one larger than any crystal's is a fault.
  const shown = Math.abs(drift) * span > best.bound && Math.abs(drift) <= MAX_DRIFT;
  return { offsetNs: best.offset, atNs: best.at, drift: shown ? drift : 0, boundNs: best.bound };
}

/** Converts an instant of our clock to theirs. */
export const toTheirs = (clock: ClockEstimate, ourNs: number): number =>
  ourNs + clock.offsetNs + clock.drift * (ourNs - clock.atNs);

/** Converts an instant of their clock to ours. */
export const toOurs = (clock: ClockEstimate, theirNs: number): number =>
  (theirNs - clock.offsetNs + clock.drift * clock.atNs) / (1 + clock.drift);

/** Least squares, weighted by how sure each point is. */
function slope(points: readonly { at: number; offset: number; bound: number }[]): number {
  const weighted = points.map((point) => ({ ...point, weight: 1 / Math.max(1, point.bound) ** 2 }));
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const meanAt = weighted.reduce((sum, { at, weight }) => sum + at * weight, 0) / total;
  const meanOffset = weighted.reduce((sum, { offset, weight }) => sum + offset * weight, 0) / total;
  const spread = weighted.reduce((sum, { at, weight }) => sum + weight * (at - meanAt) ** 2, 0);
  if (spread === 0) return 0;
  return weighted.reduce((sum, p) => sum + p.weight * (p.at - meanAt) * (p.offset - meanOffset), 0) / spread;
}
