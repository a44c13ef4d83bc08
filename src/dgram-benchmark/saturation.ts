/** Whether the client itself was the bottleneck, as far as it can see. */
import type { Histogram } from 'hdr-histogram-js';
import type { DgramLoss } from '../contract/dgram.js';
import { busyLimit, largeLag } from '../load/saturation.js';
import type { EngineOutcome } from './engine.js';

const sentLimit = 0.99;
/** Below so many datagrams the p99 is one preemption of an otherwise idle client: the median is judged then. */
const enoughForP99 = 1000;

const percent = (share: number) => `${(100 * share).toFixed(share > 0.99 ? 2 : 0)} %`;

/** One sentence for each reason; empty when nothing speaks against the client. */
export function saturationReasons(
  outcome: Pick<EngineOutcome, 'counts' | 'offered' | 'busiestShare'>,
  open: boolean,
  sendLag: Histogram,
  loss: DgramLoss,
): string[] {
  const reasons: string[] = [];
  const { counts, offered, busiestShare } = outcome;
  if (busiestShare > busyLimit) reasons.push(`a client thread was busy ${percent(busiestShare)} of its time`);
  if (open && counts.sent < sentLimit * offered) {
    reasons.push(`only ${percent(counts.sent / offered)} of the scheduled datagrams were sent in time`);
  }
  if (open && sendLag.totalCount > 0) {
    const percentile = sendLag.totalCount < enoughForP99 ? 50 : 99;
    const lag = sendLag.getValueAtPercentile(percentile);
    if (lag > largeLag) {
      reasons.push(`sending lagged behind its schedule: p${percentile} ${(lag / 1e6).toFixed(2)} ms`);
    }
  }
  if (counts.sendStalls > 0) reasons.push(`the send buffer was full ${counts.sendStalls} times`);
  if (loss.clientSocket > 0) {
    reasons.push(`${loss.clientSocket} replies were dropped because the client's sockets were full`);
  }
  return reasons;
}
