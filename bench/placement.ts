/**
 * Placements of ours against the optimum that a solver proves on the same problem in the same run: hosts used, time taken, rules
 * broken; and how evenly a crowded placement is spread, with how many moves. Problems are tight and made by seed.
 *
 *     npm run bench:placement [-- --quick] [-- --seeds N] [-- --limit SECONDS] [-- --python PATH]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { rebalance } from '../src/planner/placement/balance.js';
import { hostsUsed, largestShare, violations } from '../src/planner/placement/check.js';
import { sizes, tight } from '../src/planner/placement/generate.js';
import { place } from '../src/planner/placement/place.js';
import type { Placement, Problem } from '../src/planner/placement/problem.js';
import { saveRecord } from './lib.js';
import { cpSat, highs, type Solved, type Solver } from './solvers.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    limit: { type: 'string' },
    python: { type: 'string', default: 'python3' },
  },
});
const seeds = Number(options.seeds ?? (options.quick ? 1 : 4));
const limit = Number(options.limit ?? (options.quick ? 2 : 10));
const asked = options.quick ? sizes.slice(0, 2) : sizes;

const solvers: Solver[] = [];
const absent: string[] = [];
try {
  solvers.push(await highs());
} catch (error) {
  absent.push(`HiGHS is not available here: ${(error as Error).message}`);
}
const other = cpSat(options.python);
if (typeof other === 'string') absent.push(other);
else solvers.push(other);

/** A placement takes a fraction of a millisecond, which a clock does not tell and a garbage collector outweighs: it is repeated. */
const leastMeasuredUs = 100_000;

/** CPU time of this process for the work once, mean. */
const seconds = (work: () => void) => {
  const began = process.cpuUsage();
  for (let times = 1; ; times++) {
    work();
    const { user, system } = process.cpuUsage(began);
    if (user + system >= leastMeasuredUs) return (user + system) / 1e6 / times;
  }
};

interface Row {
  items: number;
  hosts: number;
  resources: number;
  seed: number;
  used: number;
  /** by our own argument */
  fewest: number;
  broken: number;
  seconds: number;
  solved: Record<
    string,
    { used: number | null; bound: number | null; proven: boolean; broken: number; seconds: number }
  >;
}

const judged = (problem: Problem, { placement, ...solved }: Solved) => ({
  ...solved,
  used: placement && hostsUsed(placement),
  broken: placement ? violations(problem, placement).length : 0,
});

/** The best that is proven: no placement uses fewer hosts than this. Bounds are of whole hosts. */
const optimumOf = ({ fewest, solved }: Row) =>
  Math.max(
    fewest,
    ...Object.values(solved).map(({ bound }) => (bound === null ? 0 : Math.ceil(bound - 1e-6))),
  );
/** Somebody has a placement that uses so few. */
const isProven = (row: Row) =>
  [row.used, ...Object.values(row.solved).map(({ used }) => used)].includes(optimumOf(row));

/** Of a solver that was stopped at its limit nobody knows how long it would have taken: only too little for a ratio. */
function timeBar(of: readonly Row[], name: string) {
  const each = of.flatMap((row) => {
    const solved = row.solved[name];
    return solved ? [{ share: row.seconds / solved.seconds, finished: solved.proven }] : [];
  });
  const over = each.filter(({ share }) => share > 1 / 20);
  return {
    mean: mean(each.map(({ share }) => share)),
    worst: Math.max(...each.map(({ share }) => share)),
    finished: each.filter(({ finished }) => finished).length,
    wanted: 1 / 20,
    met: over.length === 0 ? true : over.some(({ finished }) => finished) ? false : null,
  };
}

const rows: Row[] = [];
// The first problems would be placed by code that is not compiled yet; a solver is.
for (const size of sizes.slice(0, 2))
  for (let seed = 1000; seed < 1020; seed++)
    place(tight({ ...size, resources: seed % 2 === 0 ? 3 : 2, seed }).problem);
for (const { items, hosts } of asked) {
  for (let seed = 1; seed <= seeds; seed++) {
    const resources = seed % 2 === 0 ? 3 : 2;
    const { problem } = tight({ items, hosts, resources, seed });
    let found: ReturnType<typeof place> | null = null;
    const took = seconds(() => {
      found = place(problem, { seed });
    });
    const { placement } = found as unknown as { placement: Placement | null; fewest: number };
    if (placement === null)
      throw new Error(`no placement was found of a problem that has one: ${items}, seed ${seed}`);
    const solved = Object.fromEntries(
      solvers.map((one) => [one.name, judged(problem, one.solve(problem, 'hosts', limit))]),
    );
    rows.push({
      ...{ items, hosts, resources, seed, solved, seconds: took },
      used: hostsUsed(placement),
      fewest: (found as unknown as { fewest: number }).fewest,
      broken: violations(problem, placement).length,
    });
    process.stderr.write(`\r${items} items on ${hosts} hosts, ${seed} of ${seeds} `);
  }
}
process.stderr.write('\n');

const style = { head: [], border: [], compact: true };
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const table = new Table({
  head: [
    'items/hosts',
    'n',
    'ours: hosts',
    'optimum',
    'proven',
    'ratio: mean',
    'worst',
    'broken',
    'ours, CPU ms',
    'solver',
    'its CPU s',
    'proves none below',
  ],
  style,
});
const bars: {
  size: string;
  solver: string;
  hostsOverOptimum: { mean: number; worst: number; wanted: number; met: boolean };
  violations: { found: number; wanted: number; met: boolean };
  timeOverSolver: ReturnType<typeof timeBar> | null;
}[] = [];
for (const { items, hosts } of asked) {
  const of = rows.filter((row) => row.items === items);
  const ratios = of.map((row) => row.used / optimumOf(row));
  for (const [at, { name }] of (solvers.length > 0 ? solvers : [{ name: '-' }]).entries()) {
    const took = of.flatMap(({ solved }) => solved[name]?.seconds ?? []);
    const proven = of.flatMap(({ solved }) => solved[name]?.bound ?? []);
    table.push([
      ...(at === 0
        ? [
            `${items}/${hosts}`,
            of.length,
            mean(of.map(({ used }) => used)).toFixed(1),
            mean(of.map(optimumOf)).toFixed(1),
            `${of.filter(isProven).length} of ${of.length}`,
            mean(ratios).toFixed(3),
            Math.max(...ratios).toFixed(3),
            of.reduce((sum, { broken }) => sum + broken, 0),
            (1000 * mean(of.map((row) => row.seconds))).toFixed(1),
          ]
        : ['', '', '', '', '', '', '', '', '']),
      name,
      took.length > 0 ? mean(took).toFixed(2) : '-',
      proven.length > 0 ? mean(proven).toFixed(1) : '-',
    ]);
    const worst = { hosts: Math.max(...ratios), broken: of.reduce((sum, { broken }) => sum + broken, 0) };
    bars.push({
      size: `${items}/${hosts}`,
      solver: name,
      hostsOverOptimum: { mean: mean(ratios), worst: worst.hosts, wanted: 1.1, met: worst.hosts <= 1.1 },
      violations: { found: worst.broken, wanted: 0, met: worst.broken === 0 },
      timeOverSolver: took.length > 0 ? timeBar(of, name) : null,
    });
  }
}

/** Everything where a packing has it, spread by moves; the solver says how even it can be. */
const evenness = new Table({
  head: ['items/hosts', 'fullest before', 'after', 'no placement below', 'ratio', 'items moved'],
  style,
});
const spreads = asked.slice(0, options.quick ? 1 : 2).flatMap(({ items, hosts }) =>
  Array.from({ length: Math.min(seeds, 3) }, (_, at) => {
    const { problem } = tight({ items, hosts, resources: 2, seed: at + 1 });
    const packed = place(problem);
    if (packed.placement === null) throw new Error(packed.reason);
    const after = rebalance(problem, packed.placement);
    const broken = violations(problem, after.placement).length;
    const best = solvers[0]?.solve(problem, 'share', limit);
    const bound = Math.max(after.least, best?.bound ?? 0);
    evenness.push([
      `${items}/${hosts}, seed ${at + 1}`,
      after.before.toFixed(3),
      after.largest.toFixed(3),
      bound.toFixed(3) + (best?.proven ? ' (optimum)' : ''),
      (after.largest / bound).toFixed(3),
      `${after.moved.length} of ${items}`,
    ]);
    const optimum = best?.placement ? largestShare(problem, best.placement) : null;
    return {
      items,
      hosts,
      seed: at + 1,
      before: after.before,
      after: after.largest,
      bound,
      optimum,
      moved: after.moved.length,
      broken,
    };
  }),
);

console.log(
  `\nHosts used over the optimum, on tight problems (filled to 86-98 %, pairs apart and together), ${seeds} seeds a size; a solver has ${limit} s.\nWhere it proves no optimum, the ratio is to what it proves that none can be below.\n${table}\n\nSpread from the packed placement by moves that each help\n${evenness}`,
);
for (const why of absent) console.log(why);
const met = (bar: boolean | null) => (bar === null ? 'not resolved' : bar ? 'met' : 'MISSED');
const verdicts = new Table({
  head: [
    'items/hosts',
    'hosts: worst ratio',
    '<= 1.10',
    'rules broken',
    'solver',
    'it ended by itself',
    'our CPU time over its: worst',
    '<= 1/20',
  ],
  style,
});
for (const { size, solver, hostsOverOptimum, violations: broken, timeOverSolver } of bars)
  verdicts.push([
    size,
    hostsOverOptimum.worst.toFixed(3),
    met(hostsOverOptimum.met),
    `${broken.found}: ${met(broken.met)}`,
    solver,
    timeOverSolver ? `${timeOverSolver.finished} of ${seeds}` : '-',
    timeOverSolver ? `1/${(1 / timeOverSolver.worst).toFixed(0)}` : '-',
    timeOverSolver ? met(timeOverSolver.met) : '-',
  ]);
console.log(
  `\nBars. Of a solver that was stopped at its limit nobody knows how long it would have taken: our share of its time is then at most this\n${verdicts}`,
);
console.log(saveRecord('placement', { seeds, limit, absent, bars, rows, spreads }));
