/** A comparison in the forms people and other programs read. */
import Table from 'cli-table3';
import { circumstances } from '../analysis/cells.js';
import type { Comparison, RunComparison } from '../analysis/compare.js';
import { number } from '../number.js';
import { percent, signed } from './format.js';

export const comparisonFormats = ['terminal', 'markdown', 'json', 'junit', 'benchstat', 'node-csv'] as const;
export type ComparisonFormat = (typeof comparisonFormats)[number];

type Fails = (row: Comparison) => boolean;

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Levels as benchmark names have them: backend=epoll/idle=0. */
const path = ({ levels, host }: Comparison) =>
  Object.entries({ ...levels, host })
    .filter(([, level]) => level !== null)
    .map(([name, level]) => `${name}=${level}`)
    .join('/');

const head = ['cell', 'metric', 'A', 'B', 'shift [interval]', 'δ', 'p', ''];

function cellsOf(row: Comparison): string[] {
  const { metric, a, b, scale, shift, low, high, effect, p, change, confidence } = row;
  const moved = (by: number) =>
    scale === 'ratio' ? percent(by) : signed(by, metric.unit === '%' ? 'pp' : metric.unit);
  // The usual 95 % goes unsaid; less, for want of trials, does not.
  const short = confidence < 0.95 ? ` ${Math.floor(100 * confidence)} %` : '';
  return [
    [row.label, circumstances(row.levels), row.host].filter(Boolean).join(', '),
    `${metric.title} (${metric.unit})`,
    number(average(a)),
    number(average(b)),
    `${moved(shift)} [${moved(low)}, ${moved(high)}]${short}`,
    effect.toFixed(2),
    p < 0.001 ? '<.001' : p.toFixed(3),
    change,
  ];
}

function terminal({ rows }: RunComparison): string {
  const table = new Table({
    head: ['cell', 'A', 'B', 'shift', 'δ', 'p', ''],
    colWidths: [24, 10, 10, 26, 7, 7, 8],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  const parts: string[] = [];
  for (const title of new Set(rows.map(({ metric }) => metric.title))) {
    table.length = 0;
    const family = rows.filter(({ metric }) => metric.title === title);
    for (const row of family) table.push(cellsOf(row).filter((_, i) => i !== 1));
    parts.push(`${title} (${family[0]!.metric.unit})\n${table.toString()}`);
  }
  return parts.join('\n\n');
}

const markdownRow = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function markdown({ rows }: RunComparison): string {
  return [
    markdownRow(head),
    markdownRow(head.map(() => '---')),
    ...rows.map((row) => markdownRow(cellsOf(row))),
  ].join('\n');
}

const xml = (text: string) => text.replaceAll(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

function junit({ rows }: RunComparison, fails: Fails): string {
  const cases = rows.map((row) => {
    const name = xml(`${path(row)} ${row.metric.id}`);
    const body = fails(row) ? `<failure message="${xml(cellsOf(row).join('; '))}"/>` : '';
    return `  <testcase classname="${xml(row.experiment)}" name="${name}">${body}</testcase>`;
  });
  const failures = rows.filter(fails).length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="dispatchbench compare" tests="${rows.length}" failures="${failures}">\n${cases.join('\n')}\n</testsuite>`;
}

/** Go's benchmark format, a line per trial: `benchstat -col /run FILE` compares it anew. */
function benchstat({ rows }: RunComparison): string {
  const unit = ({ metric: { id, unit } }: Comparison) =>
    unit === 'µs' ? `${id}-µs/op` : unit === '%' ? `${id}-%` : unit;
  return rows
    .flatMap((row) =>
      (['a', 'b'] as const).flatMap((side) =>
        row[side].map(
          (value) =>
            `Benchmark${row.experiment}/run=${side.toUpperCase()}/${path(row)} 1 ${Number(value.toPrecision(8))} ${unit(row)}`,
        ),
      ),
    )
    .join('\n');
}

/** The columns of Node's benchmark/compare.R: rates, a row per trial. */
function nodeCsv({ rows }: RunComparison): string {
  const lines = rows
    .filter(({ metric }) => metric.id === 'throughput')
    .flatMap((row) =>
      (['a', 'b'] as const).flatMap((side) =>
        row[side].map((rate) => {
          const configuration = path(row).replaceAll('/', ' ');
          return `"${side === 'a' ? 'old' : 'new'}", "${row.experiment}", "${configuration}", ${rate}, ${1 / rate}`;
        }),
      ),
    );
  return ['"binary", "filename", "configuration", "rate", "time"', ...lines].join('\n');
}

/** What a reader must know before the figures: the environment's differences and the cells left out. */
export function preamble({ environment, rows, unmatched }: RunComparison): string {
  const different = environment.map(({ what, a, b }) => `! ${what} differs: A ${a}; B ${b}`);
  const [first] = unmatched;
  const left = first
    ? [
        `- ${unmatched.length} cells are in one run only and not compared, for example in ${first.run}: ${first.cell}`,
      ]
    : [];
  const hopeless = rows.filter((row) => row.hopeless).length;
  const few =
    hopeless > 0
      ? [
          `- too few trials: in ${hopeless} of ${rows.length} comparisons not even a complete separation could be shown; run more blocks, or compare fewer metrics with --metric`,
        ]
      : [];
  return [...(different.length > 0 ? different : ['The environments agree.']), ...left, ...few].join('\n');
}

export function formatComparison(comparison: RunComparison, format: ComparisonFormat, fails: Fails): string {
  switch (format) {
    case 'terminal':
      return `${preamble(comparison)}\n\n${terminal(comparison)}\n\n~ nothing is shown at 5 % after Holm's correction; δ is Cliff's delta of B against A;\n  pp are percentage points.`;
    case 'markdown':
      return `${preamble(comparison)}\n\n${markdown(comparison)}`;
    case 'json':
      return JSON.stringify(
        {
          ...comparison,
          rows: comparison.rows.map((row) => ({ ...row, metric: row.metric.id, fails: fails(row) })),
        },
        null,
        2,
      );
    case 'junit':
      return junit(comparison, fails);
    case 'benchstat':
      return benchstat(comparison);
    case 'node-csv':
      return nodeCsv(comparison);
  }
}
