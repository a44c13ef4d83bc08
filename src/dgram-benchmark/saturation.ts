/** Whether the client itself was the bottleneck, as far as it can see. */
import type { DgramLoss } from '../contract/dgram.js';
import type { EngineOutcome } from './engine.js';

const busyLimit = 0.85;
const sentLimit = 0.99;
const lagLimitNs = 1_000_000;

const percent = (share: number) => `${(100 * share).toFixed(share > 0.99 ? 2 : 0)} %`;

/** One sentence for each reason; empty when nothing speaks against the client. */
export function saturationReasons(
  outcome: Pick<EngineOutcome, 'counts' | 'offered' | 'busiestShare'>,
  open: boolean,
  lagP99Ns: number,
  loss: DgramLoss,
): string[] {
  const reasons: string[] = [];
  const { counts, offered, busiestShare } = outcome;
  if (busiestShare > busyLimit) reasons.push(`a client thread was busy ${percent(busiestShare)} of its time`);
  if (open && counts.sent < sentLimit * offered) {
    reasons.push(`only ${percent(counts.sent / offered)} of the scheduled datagrams were sent in time`);
  }
  if (open && lagP99Ns > lagLimitNs) {
    reasons.push(`sending lagged behind its schedule: p99 ${(lagP99Ns / 1e6).toFixed(2)} ms`);
  }
  if (counts.sendStalls > 0) reasons.push(`the send buffer was full ${counts.sendStalls} times`);
  if (loss.clientSocket > 0) {
    reasons.push(`${loss.clientSocket} replies were dropped because the client's sockets were full`);
  }
  return reasons;
}
