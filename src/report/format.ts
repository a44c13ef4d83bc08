/** Numbers and names as the reader sees them, the same in every output. */
import type { Interval } from '../analysis/interval.js';
import type { CellLevels } from '../contract/sample.js';

/** Digits grouped by a narrow no-break space: 16 000. */
function grouped(text: string): string {
  const [whole, fraction] = text.split('.');
  const marked = whole!.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
  return fraction ? `${marked}.${fraction}` : marked;
}

/** Four significant digits without an exponent, as many as trials of a benchmark ever justify. */
export function number(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return '–';
  // What is left of 0 after arithmetic in floating point.
  if (Math.abs(value) < 1e-9) return '0';
  if (Number.isInteger(value)) return value < 0 ? `−${grouped(String(-value))}` : grouped(String(value));
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  const places = Math.min(8, Math.max(0, digits - 1 - magnitude));
  const text = grouped(Math.abs(value).toFixed(places));
  return value < 0 ? `−${text}` : text;
}

type Ends = Pick<Interval, 'estimate' | 'low' | 'high'>;

/** "6.41 [6.38, 6.45] µs"; a single trial says that it has no interval. */
export function withInterval({ estimate, low, high }: Ends, unit = ''): string {
  const tail = unit === '' ? '' : ` ${unit}`;
  if (low === null || high === null) return `${number(estimate)}${tail} (no interval: one trial)`;
  return `${number(estimate)} [${number(low)}, ${number(high)}]${tail}`;
}

/** "+2.1 pp": a difference in its unit. */
export function signed(difference: number, unit: string): string {
  return `${difference < 0 ? '−' : '+'}${number(Math.abs(difference), 3)} ${unit}`;
}

/** "+2.1 %" of a ratio. */
export const percent = (share: number): string => signed(100 * share, '%');

/** What each factor is called beside its level. */
const factorNames: Record<string, string> = {
  idle: 'idle connections',
  ports: 'UDP ports',
  rate: 'offered rate (1/s)',
  connections: 'active connections',
};

export function factorName(factor: string): string {
  return factorNames[factor] ?? factor;
}

/** "16 000 idle connections", "300 000/s", "closed loop" (a rate of null). */
export function levelInWords(factor: string, level: string | number | null | undefined): string {
  if (factor === 'rate' && level === null) return 'closed loop';
  if (typeof level !== 'number') return `${factorName(factor)} ${level}`;
  return factor === 'rate' ? `${number(level)}/s` : `${number(level)} ${factorName(factor)}`;
}

const implementations: Record<string, string> = {
  native: 'native server',
  ts: 'TypeScript server',
  libuv: 'node:net (libuv)',
  baseline: 'raw system calls',
};

export function implementationName(levels: CellLevels): string {
  const name = implementations[`${levels.impl}`] ?? `${levels.impl ?? ''}`;
  return levels.io ? `${name}, io=${levels.io}` : name;
}

/** What an experiment calls what metrics call requests and latency: whole words, in the order they are replaced. */
const vocabularies: Record<string, readonly (readonly [RegExp, string])[]> = {
  'udp-ports': [
    [/\breq\/s/g, 'datagrams/s'],
    [/\brequest(s?)\b/g, 'datagram$1'],
    [/\blatency\b/g, 'response time'],
    [/\bLatency\b/g, 'Response time'],
  ],
};

/** The same text in the words of an experiment. */
export function worded(experiment: string, text: string): string {
  return (vocabularies[experiment] ?? []).reduce((all, [word, own]) => all.replaceAll(word, own), text);
}

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
