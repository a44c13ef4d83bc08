/** Figures as the reader sees them, the same in every output. It runs in the page of a report as well. */

import { number } from '../number.js';
import type { Interval } from '../statistics/interval.js';

type Ends = Pick<Interval, 'estimate' | 'low' | 'high'>;

/** "6.41 [6.38, 6.45] µs"; fewer than three trials say that they have no interval. */
export function withInterval({ estimate, low, high }: Ends, unit = ''): string {
  const tail = unit === '' ? '' : ` ${unit}`;
  if (low === null || high === null) return `${number(estimate)}${tail} (no interval: fewer than 3 trials)`;
  return `${number(estimate)} [${number(low)}, ${number(high)}]${tail}`;
}

/**
 * The interval that decides a row of evidence: of equivalence the 90 % one (two one-sided tests at 5 %), and it says so;
 * else the 95 % one.
 */
export function decidingInterval(
  row: Ends & Pick<Interval, 'low90' | 'high90'> & { unit: string; expect: object | null },
): string {
  const { estimate, low90, high90, unit } = row;
  if (row.expect === null || !('within' in row.expect) || low90 === null || high90 === null)
    return withInterval(row, unit);
  return `${withInterval({ estimate, low: low90, high: high90 }, unit)} (90 %)`;
}

/** "+2.1 pp": a difference in its unit. */
export function signed(difference: number, unit: string): string {
  return `${difference < 0 ? '−' : '+'}${number(Math.abs(difference), 3)} ${unit}`;
}

/** "+2.1 %" of a ratio. */
export const percent = (share: number): string => signed(100 * share, '%');

/** Columns that any terminal has room for. */
export const terminalWidth = 100;

/** Lines of at most `terminalWidth`, all but the first indented. A percent sign stays with its number. */
export function wrap(text: string, indent = '    '): string {
  const lines: string[] = [];
  let rest = text.replaceAll(' %', '\u00a0%');
  while (rest.length > terminalWidth) {
    const space = rest.lastIndexOf(' ', terminalWidth);
    // A word longer than a line is cut.
    const at = space > indent.length ? space : terminalWidth;
    lines.push(rest.slice(0, at));
    rest = indent + rest.slice(at).trimStart();
  }
  return [...lines, rest].join('\n').replaceAll('\u00a0', ' ');
}
