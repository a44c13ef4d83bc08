/** A comparison of two arms in words. */
import type { AbComparison, AbRow } from '../analysis/ab.js';
import { counted, number } from '../number.js';
import { type ComparisonFormat, formatRows, type Gate, gateSentences, type Wording } from './comparison.js';

const units = 'pairs';

const verdict = ({ verdict, pairsNeeded }: AbRow): string =>
  pairsNeeded === null ? verdict : `${verdict} (${pairsNeeded} pairs)`;

function wording({ margin }: AbComparison): Wording<AbRow> {
  return {
    command: 'ab',
    sides: ['baseline', 'candidate'],
    weight: { head: 'pairs', of: ({ pairs }) => `${pairs}` },
    verdict,
    units,
    legend:
      `slower, faster: shown at 5 % after Holm's correction; equal: within ±${number(100 * margin)} % by two one-sided tests at 5 %;\n` +
      '  not resolved: neither, and how many pairs would decide in nine of ten cases.',
  };
}

function preamble({ baseline, candidate, rows, lost }: AbComparison): string {
  const pairs = Math.max(0, ...rows.map((row) => row.pairs));
  return [
    `baseline ${baseline}, candidate ${candidate}: ${counted(pairs, 'pair')}, measured in turn in one run`,
    ...(lost > 0
      ? [`- left out: ${counted(lost, 'pair')}, because a trial of theirs failed or is invalid`]
      : []),
  ].join('\n');
}

/** @param gate null: no condition was given */
export const formatAb = (ab: AbComparison, as: ComparisonFormat, gate: Gate | null): string =>
  formatRows({ rows: ab.rows, wording: wording(ab), gate }, preamble(ab), ab, as);

export const abGateSentences = (gate: Gate): string[] => gateSentences(gate, units);
