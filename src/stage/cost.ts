/** One run of a program that measures the cost of a dispatch, on this machine and without a trial around it. */
import { type Cost, cost } from '../contract/cost.js';
import { validated } from '../contract/validated.js';
import { Child } from '../hosts/child.js';
import { commandOf } from '../hosts/program.js';
import { type CostSpec, costProgram, missingPeer } from '../programs/cost.js';
import { answerMs } from './patience.js';

/** Rounds by number say nothing of their time; nobody waits longer for them. */
const longestMs = 600_000;
const graceMs = 2000;

/** @throws Error in one sentence when it cannot be measured */
export async function measureCost(spec: CostSpec): Promise<Cost> {
  const missing = missingPeer(spec.impl);
  if (missing !== undefined) throw new Error(missing);
  const { length } = spec;
  const lasts =
    length !== undefined && 'durationMs' in length ? length.durationMs + (length.warmupMs ?? 0) : longestMs;
  const program = costProgram({ ...spec, control: true });
  const child = new Child('the program that measures itself', commandOf(program));
  try {
    return validated(cost, await child.expect('cost', lasts + answerMs), 'what the program measured');
  } finally {
    await child.end(graceMs);
  }
}
