/**
 * One sweep on hosts of this machine, divided among them in both ways, in turn: how long it takes until the last host has ended, and
 * how much cells differ. Three hosts, of which two have one CPU together and one has another to itself, so that who gives each of
 * them as many of the twelve parts has one CPU work twice as long as the other.
 *
 *     npm run bench:sweep [-- --quick] [-- --repeats N]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { DeclaredHost } from '../src/contract/hosts-file.js';
import { type Division, division } from '../src/contract/run.js';
import { levelsKey } from '../src/contract/sample.js';
import { machineOf } from '../src/experiments/experiment.js';
import type { Roles } from '../src/hosts/host.js';
import { openWanted } from '../src/hosts/registry.js';
import { RunFolder } from '../src/results/folder.js';
import { builtInPlan } from '../src/run/plan.js';
import { executeRun, writePausesMs } from '../src/run/runner.js';
import { type Blocked, blockedRatio, meanInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { metric } from '../src/trials/registry.js';
import type { Sample } from '../src/trials/sample.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, repeats: { type: 'string' } },
});
const repeats = Number(options.repeats ?? (options.quick ? 1 : 5));
const durationMs = options.quick ? 100 : 250;
/** One is enough: repeats are what figures are taken over. */
const blocks = 1;

const host = (name: string, kind: string, cpu: number): DeclaredHost => ({
  name,
  kind,
  resources: {},
  pin: { server: [cpu], client: [cpu] },
  role: 'both',
});
/** Needs no more than two CPUs, and namespaces where they can be had. */
const wanted = [host('alone', 'local', 0), host('sharing', 'netns', 1), host('with-it', 'local', 1)];
const quantity = 'open-cpu-per-request';

interface Outcome {
  makespanS: number;
  failed: number;
  /** logarithm of the figure, by cell */
  cells: Map<string, number>;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
function spread(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, values.length - 1),
  );
}

function outcomeOf(samples: readonly Sample[], makespanS: number): Outcome {
  const cells = new Map<string, number>();
  for (const sample of samples) {
    const measured = sample.status === 'ok' || sample.status === 'invalid';
    const value = measured ? metric(quantity).of(sample) : null;
    if (value !== null) cells.set(levelsKey(sample.cell), Math.log(value));
  }
  return { makespanS, failed: samples.filter(({ status }) => status === 'failed').length, cells };
}

const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-sweep-'));
const hosts: Roles[] = [];
const seen: { way: Division; block: number; outcome: Outcome }[] = [];
try {
  for (const one of wanted) hosts.push(await openWanted(one));
  const random = randomFrom('sweep');
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const divide of shuffled(division.options, random)) {
      const plan = builtInPlan(
        'sweep',
        ['idle-connections'],
        {
          seed: repeat + 1,
          hosts: wanted,
          divide,
          budgetMs: 3_600_000,
          settings: {
            backends: ['epoll', 'poll'],
            impls: ['native', 'ts'],
            ios: ['call', 'batch'],
            references: [],
            leastWaits: options.quick ? [0] : [0, 10, 20, 40],
            idle: [0],
            connections: 20,
            rounds: 0,
            closed: { warmupMs: 50, durationMs },
            open: { rate: 3000, warmupMs: 50, durationMs },
          },
        },
        machineOf(hosts[0]!.server.look),
      );
      const began = performance.now();
      const run = await executeRun({
        plan: { ...plan, blocks: { min: blocks, max: blocks } },
        hosts,
        openFolder: () => RunFolder.create(folder, 'sweep'),
        resume: false,
        argv: [],
        on: () => {},
        writePausesMs,
        signal: new AbortController().signal,
      });
      const outcome = outcomeOf(run.folder.samples(), (performance.now() - began) / 1000);
      seen.push({ way: divide, block: repeat, outcome });
      process.stderr.write(
        `\rrepeat ${repeat + 1} of ${repeats}, ${divide}: ${outcome.makespanS.toFixed(1)} s `,
      );
    }
  }
  process.stderr.write('\n');
} finally {
  for (const one of hosts) await one.close();
  rmSync(folder, { recursive: true, force: true });
}

/** What a cell comes to wherever and whenever it is measured. */
const usual = new Map<string, number>();
for (const key of new Set(seen.flatMap(({ outcome }) => [...outcome.cells.keys()])))
  usual.set(key, mean(seen.flatMap(({ outcome }) => outcome.cells.get(key) ?? [])));
/** How far cells are off from that, all in the same way or each in its own: only the latter is between cells. */
const between = ({ cells }: Outcome) => spread([...cells].map(([key, log]) => log - usual.get(key)!));

/** Balanced over round-robin, at most. Twelve equal parts on two CPUs: 6 of 12 are 0.75 of 8 of 12. */
const quantities: {
  words: string;
  digits: number;
  bar: number;
  of: (outcome: Outcome) => number;
}[] = [
  { words: 'until the last host ended, s', digits: 1, bar: 0.9, of: ({ makespanS }) => makespanS },
  {
    words: 'between cells, SD of log CPU per request against the usual',
    digits: 3,
    bar: 1.25,
    of: between,
  },
];
const blocked = (way: Division, of: (outcome: Outcome) => number): Blocked[] =>
  seen.filter((one) => one.way === way).map(({ block, outcome }) => ({ block, value: of(outcome) }));
const table = new Table({
  head: ['', ...division.options, 'balanced / round-robin', 'bar', ''],
  style: { head: [], border: [], compact: true },
});
const record: object[] = [];
for (const { words, digits, bar, of } of quantities) {
  const [balanced, turns] = division.options.map((way) => blocked(way, of)) as [Blocked[], Blocked[]];
  const [one, other] = [balanced, turns].map((all) => meanInterval(all.map(({ value }) => value)));
  const ratio = blockedRatio(balanced, turns);
  table.push([
    words,
    shown(one!, digits),
    shown(other!, digits),
    shown(ratio),
    `<= ${bar}`,
    verdict(ratio, bar, 'most'),
  ]);
  record.push({ words, balanced: one, roundRobin: other, ratio, bar });
}
const failed = seen.reduce((sum, { outcome }) => sum + outcome.failed, 0);
const places = wanted.map(({ name, kind, pin }) => `${name} (${kind}, CPU ${pin.server})`).join(', ');
console.log(
  `\nOne sweep of idle-connections on ${places}; ${repeats} repeats, both ways in each, ${failed} trials failed; 95 % intervals\n${table}`,
);
console.log(
  saveRecord('sweep', {
    ...{ repeats, durationMs, wanted, failed, figures: record },
    runs: seen.map(({ outcome: { cells, ...outcome }, ...one }) => ({
      ...one,
      ...outcome,
      cells: Object.fromEntries(cells),
    })),
  }),
);
