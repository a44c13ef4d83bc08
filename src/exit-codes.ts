/** What a command's exit code means, the same for all of them; the reference prints this table. */
import type { Outcome } from './contract/conditions.js';

export const exitCode = {
  done: 0,
  fault: 1,
  failed: 2,
  undecided: 3,
} as const;

export const exitCodes: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done; every condition (`--threshold`) holds'],
  [
    '1',
    'not done: wrong arguments, nothing there, nothing measured. One sentence on stderr says what, and what to try',
  ],
  ['2', 'done, and found wanting: a condition does not hold, or the self-test is off'],
  [
    '3',
    'done, and open: the figures cannot decide a condition, the client was the limit, a trial failed, or a host was missing',
  ],
  ['130, 143, 129', 'interrupted by Ctrl-C, SIGTERM, SIGHUP; what was finished is kept'],
];

/** Of a judgement. */
export const codeOf: Record<Outcome, number> = {
  passed: exitCode.done,
  failed: exitCode.failed,
  'not resolved': exitCode.undecided,
};
