/** Whether the load thread itself was the bottleneck, as far as the client can see. */
export interface ClientFigures {
  /** null: closed loop */
  offeredRate: number | null;
  achievedRate: number;
  requests: number;
  backlogged: number;
  /** 0..1 */
  busyShare: number;
  /** mean send lag of requests that found a free connection, nanoseconds */
  meanLagFirstHalfNs: number;
  meanLagSecondHalfNs: number;
}

/** A load thread that is busy for more of its time may be what sets the figures. */
export const busyLimit = 0.85;
const achievedLimit = 0.99;
/** Replies that may still be on their way when a short window ends. */
export const edgeReplies = 3;
/** below this the lag is the pacer's, whatever its trend, nanoseconds */
const smallLag = 200_000;
/** later than this it is the latency of the client that is measured, whatever the trend, nanoseconds */
export const largeLag = 1_000_000;

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** One sentence for each reason; empty when nothing speaks against the client. */
export function saturationReasons(figures: ClientFigures): string[] {
  const reasons: string[] = [];
  const { offeredRate, achievedRate, requests, backlogged, meanLagFirstHalfNs, meanLagSecondHalfNs } =
    figures;
  if (figures.busyShare > busyLimit) {
    reasons.push(`the load thread was busy ${percent(figures.busyShare)} of the window`);
  }
  if (offeredRate === null) return reasons;
  // Requests that waited for a free connection waited for the server; without them the shortfall is the client's.
  const missing = requests * (1 - achievedRate / offeredRate);
  if (missing > Math.max(edgeReplies, (1 - achievedLimit) * requests) && backlogged < 0.01 * requests) {
    reasons.push(
      `only ${percent(achievedRate / offeredRate)} of the offered rate was answered although connections were free`,
    );
  }
  const us = (ns: number) => (ns / 1000).toFixed(0);
  const meanLagNs = (meanLagFirstHalfNs + meanLagSecondHalfNs) / 2;
  if (meanLagNs > largeLag)
    reasons.push(`requests were sent ${us(meanLagNs)} us late on average although connections were free`);
  if (meanLagSecondHalfNs > smallLag && meanLagSecondHalfNs > 2 * meanLagFirstHalfNs) {
    reasons.push(
      `sending fell behind its schedule: mean lag ${us(meanLagFirstHalfNs)} us, then ${us(meanLagSecondHalfNs)} us`,
    );
  }
  return reasons;
}
