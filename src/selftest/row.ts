/** Rows of the self-test's table. Pure functions. */

/** Not resolved: what was seen does not tell, and `note` says why; neither is it called a fault nor passed over. */
export type Outcome = 'ok' | 'off' | 'not resolved';

export interface Row {
  check: string;
  truth: string;
  reported: string;
  /** how far off, in words or as a share */
  deviation: string;
  limit: string;
  outcome: Outcome;
  note: string;
}

/** Delay, stall and loss have to be reproduced this well. */
const LIMIT = 0.01;

export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
export const whole = (count: number): string => count.toFixed(0);
const ms = (ns: number): string => `${(ns / 1e6).toFixed(3)} ms`;

/** A row that holds or does not. */
export const plainRow = (row: Omit<Row, 'outcome' | 'note'>, holds: boolean): Row => ({
  ...row,
  outcome: holds ? 'ok' : 'off',
  note: '',
});

/** A row whose figure may differ from the truth by a share of it, and by `grain` beside that. */
export function closeRow(check: string, truth: number, reported: number, grain: number, show = ms): Row {
  const off = reported - truth;
  return plainRow(
    {
      check,
      truth: show(truth),
      reported: show(reported),
      deviation: truth === 0 ? show(off) : `${off < 0 ? '-' : '+'}${percent(Math.abs(off / truth))}`,
      limit: `${percent(LIMIT)} or ${show(grain)}`,
    },
    Math.abs(off) <= Math.max(LIMIT * truth, grain),
  );
}

/** A count that has to be exact. */
export const exactRow = (check: string, truth: number, reported: number): Row =>
  closeRow(check, truth, reported, 0, whole);
