/** What went wrong in a load, whatever it speaks. */
import type { DatagramResult } from '../contract/dgram.js';
import type { LoadResult } from '../contract/load.js';

/** Requests that got no reply, and those that went wrong in any way. */
export function failuresOf(result: LoadResult | DatagramResult): { lost: number; errors: number } {
  // Corrupt replies and closed ports leave a datagram unanswered: the ledger has it among the lost.
  if (result.protocol === 'udp-echo')
    return { lost: result.lost, errors: result.lost + result.foreign + result.sendErrors };
  const { timeout, reset, closed, mismatch, ...others } = result.errors;
  const lost = timeout + reset + closed + mismatch;
  return { lost, errors: Object.values(others).reduce((sum, count) => sum + count, lost) };
}
