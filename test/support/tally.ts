/** Counts what hostile tests have tried, for scripts/hostile.mjs to add up. */
import { appendFileSync } from 'node:fs';

/** Said once it is over and held: what failed is a finding, and counts nothing. */
export function tried(what: string, count = 1): void {
  const file = process.env.HOSTILE_TALLY;
  if (file) appendFileSync(file, `${JSON.stringify({ what, count })}\n`);
}
