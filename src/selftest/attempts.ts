/**
 * A failing check is tried again, because one disturbance is no fault; a fault fails every time. What failed beside
 * others' work each time is not resolved: it is no verdict on the instrument, and no clean bill either.
 */

import { type Disturbance, excuse } from '../hosts/witness.js';
import type { Row } from './row.js';

const ATTEMPTS = 3;

/**
 * @param once trying again would tell no more
 * @param watch starts looking at the machine; the function it returns tells what others did since then
 */
export async function resolve(
  run: () => Promise<Row[]>,
  once: boolean,
  watch: () => () => Disturbance | null,
): Promise<Row[]> {
  let settled: Row[] = [];
  for (let attempt = 1; attempt <= (once ? 1 : ATTEMPTS); attempt += 1) {
    const seen = watch();
    const rows = await run();
    const disturbance = seen();
    const busy = disturbance && excuse(disturbance);
    const judged = rows.map((row): Row => {
      if (row.outcome === 'ok') return { ...row, note: attempt > 1 ? `in attempt ${attempt}` : row.note };
      const note = [row.note, busy].filter(Boolean).join('; ');
      return { ...row, outcome: busy ? 'not resolved' : row.outcome, note };
    });
    settled = judged.map((row, index) => worthKeeping(settled[index], row));
    if (settled.every(({ outcome }) => outcome === 'ok')) break;
  }
  return settled;
}

/** Held once is held; a failure on a quiet machine outweighs one on a busy machine. */
function worthKeeping(before: Row | undefined, now: Row): Row {
  if (!before || now.outcome === 'ok') return now;
  return before.outcome === 'not resolved' ? now : before;
}
