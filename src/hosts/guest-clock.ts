/** What is wrong with the clock of a guest, by which its windows are long and its CPU time is counted. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClockEstimate } from './clock.js';
import type { Host } from './host.js';

const coarseNs = 1000;
/** The guest is there, and what it would measure is of no use. */
export class UnfitClock extends Error {}

/** Between two comparisons with our clock: each is right to a fraction of a millisecond. */
const watchedMs = 300;
const rateLimit = 0.01;

/** How much faster than ours their clock ran between two comparisons, as far as these can tell. Signed, a share. */
export function rateError(first: ClockEstimate, second: ClockEstimate): number {
  const gained = second.offsetNs - first.offsetNs;
  const certain = Math.max(0, Math.abs(gained) - first.boundNs - second.boundNs);
  return (Math.sign(gained) * certain) / (second.atNs - first.atNs);
}

/**
 * @param wanted the clock that its kernel has to keep time by; null: any
 * @returns what is wrong, as the end of a sentence; null: nothing
 */
export async function clockFault(host: Host, wanted: string | null): Promise<string | null> {
  const { clockSource, clockStepNs } = host.facts;
  if (wanted !== null && clockSource !== wanted)
    return `its kernel keeps time by '${clockSource}' and not by '${wanted}'`;
  if (clockStepNs > coarseNs) return `its clock goes in steps of ${Math.round(clockStepNs)} ns`;
  const first = await host.clock();
  await pause(watchedMs);
  const error = rateError(first, await host.clock());
  if (Math.abs(error) <= rateLimit) return null;
  return `its clock runs ${(Math.abs(error) * 100).toFixed(1)} % too ${error > 0 ? 'fast' : 'slow'}`;
}
