/**
 * What our core costs: drain and wake-up on select, poll and epoll against the same work around bare system calls and
 * against other people's loops, all in one run and in turn; and whether changing interest costs more among many, by time and,
 * where valgrind is installed, by instructions, which no other work on the machine touches.
 *
 * A figure is the median round of one process over its events: a round in which the machine did something else is not the
 * loop's. Processes of one cell follow each other, each of them first in its turn; a generation is the unit, and ratios are
 * taken within it. Our core takes part twice: how far it is from itself is what the run can resolve.
 *
 *     npm run bench:cost [-- --quick] [-- --generations N] [-- --only epoll] [-- --part rounds|changes|instructions]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { BackendName } from '../src/contract/common.js';
import { type Cost, type CostImplementation, costPeers } from '../src/contract/cost.js';
import type { CostSpec } from '../src/programs/cost.js';
import { missingPeer } from '../src/programs/cost.js';
import { measureCost } from '../src/stage/cost.js';
import { countInstructions, withoutInstructions } from '../src/stage/instructions.js';
import { reservedDescriptors } from '../src/stage/limits.js';
import { blockedRatio, type Interval } from '../src/statistics/interval.js';
import { type MeasuredRound, type RoundCost, roundCost } from '../src/statistics/round-cost.js';
import { onCpus, pinning, roles, site } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    generations: { type: 'string' },
    only: { type: 'string' },
    part: { type: 'string' },
  },
});
const generations = Number(options.generations ?? (options.quick ? 3 : 12));
const length = options.quick ? { durationMs: 10, warmupMs: 2 } : { durationMs: 120, warmupMs: 30 };
const most = Math.floor((roles.server.look.environment.descriptorLimit.hard - reservedDescriptors) / 2);
/** As many as can be, where ten thousand pairs need more descriptors than a process may have. */
const sizes = (options.quick ? [100] : [100, 1000, 10_000]).map((pairs) => Math.min(pairs, most));
const wanted = (backend: BackendName) => !options.only || options.only === backend;
const available = roles.server.look.backends.filter((one) => one.available).map(({ name }) => name);

/** Bars: most times the cost of bare system calls, and of somebody else's loop. */
const bars: Record<string, number | null> = {
  baseline: 1.02,
  again: null,
  ...Object.fromEntries(costPeers.map(({ name }) => [name, 0.95])),
};

const rounds = {
  drain: (pairs: number) => ({ mode: 'drain', active: Math.min(100, pairs) }) as const,
  'wake-up': () => ({ mode: 'wakeup' }) as const,
};
type Round = keyof typeof rounds;

interface Measurement {
  round: string;
  backend: BackendName;
  impl: string;
  pairs: number;
  generation: number;
  /** median round over its events */
  ns: number;
  /** all rounds over their events */
  meanNs: number;
  callsPerEvent: number;
  /** part of its CPU time that was the kernel's, 0 to 1 */
  kernelShare: number;
}
const measurements: Measurement[] = [];

async function measure(
  round: string,
  impl: string,
  generation: number,
  spec: CostSpec & { pairs: number },
): Promise<void> {
  site.signal.throwIfAborted();
  const line: Cost = await measureCost({ ...spec, length, cpus: pinning.server });
  measurements.push({
    round,
    backend: spec.backend,
    impl,
    pairs: spec.pairs,
    generation,
    ns: (line.roundNs.p50 * line.rounds) / line.events,
    meanNs: line.nsPerEvent,
    callsPerEvent: (line.waits + line.changeCalls) / line.events,
    kernelShare: line.cpu.systemUs / Math.max(1, line.cpu.userUs + line.cpu.systemUs),
  });
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** What a loop of other people cannot do, in its own words, by who and where. */
const refusals = new Map<string, string>();

/** Who is first changes from generation to generation. */
const rotated = <T>(all: readonly T[], by: number): T[] => all.map((_, at) => all[(at + by) % all.length]!);

const progress = (what: string, generation: number) =>
  process.stderr.write(`\r${what}: ${generation + 1} of ${generations} generations `);

const missing = costPeers.flatMap(({ name }) => missingPeer(name) ?? []);
const contenders = (backend: BackendName): { impl: CostImplementation; called: string }[] => [
  { impl: 'native', called: 'native' },
  { impl: 'baseline', called: 'baseline' },
  ...costPeers
    .filter(
      ({ name, backends }) =>
        missingPeer(name) === undefined && (backends as readonly BackendName[]).includes(backend),
    )
    .map(({ name }) => ({ impl: name, called: name })),
  { impl: 'native', called: 'again' },
];

interface Comparison {
  round: Round;
  backend: BackendName;
  pairs: number;
  against: string;
  ns: number;
  /** of our own CPU time, 0 to 1 */
  kernelShare: number;
  ratio: Interval;
  bar: number | null;
  verdict: string;
}

async function compareRounds(): Promise<Comparison[]> {
  const cells = (['select', 'poll', 'epoll'] as const)
    .filter((backend) => wanted(backend) && available.includes(backend))
    .flatMap((backend) =>
      (Object.keys(rounds) as Round[]).flatMap((round) => sizes.map((pairs) => ({ backend, round, pairs }))),
    );
  for (let generation = 0; generation < generations; generation++) {
    for (const { backend, round, pairs } of cells) {
      for (const { impl, called } of rotated(contenders(backend), generation)) {
        const where = `${called} ${backend} ${round} ${pairs}`;
        if (refusals.has(where)) continue;
        try {
          await measure(round, called, generation, { impl, backend, pairs, ...rounds[round](pairs) });
        } catch (error) {
          if (called === 'native' || called === 'again' || called === 'baseline') throw error;
          refusals.set(where, (error as Error).message);
        }
      }
    }
    progress('rounds', generation);
  }
  process.stderr.write('\n');
  return cells.flatMap(({ backend, round, pairs }) => {
    const own = measurements.filter(
      (one) => one.backend === backend && one.round === round && one.pairs === pairs,
    );
    const of = (impl: string) =>
      own.filter((one) => one.impl === impl).map(({ generation, ns }) => ({ block: generation, value: ns }));
    const others = contenders(backend).filter(
      ({ called }) => called !== 'native' && !refusals.has(`${called} ${backend} ${round} ${pairs}`),
    );
    return others.map(({ called }): Comparison => {
      const ratio = blockedRatio(of('native'), of(called));
      const bar = bars[called]!;
      const ours = own.filter((one) => one.impl === 'native');
      return {
        ...{ round, backend, pairs, against: called, ratio, bar },
        ns: average(ours.map((one) => one.ns)),
        kernelShare: average(ours.map((one) => one.kernelShare)),
        verdict: verdict(ratio, bar, 'most'),
      };
    });
  });
}

const changes = ['add', 'modify', 'remove'] as const;

/** Beside ours, where there are, bare system calls: their slope is the kernel's and the caches'. */
const changersOf = (backend: BackendName): CostImplementation[] =>
  ['select', 'poll', 'epoll'].includes(backend) ? ['native', 'baseline'] : ['native'];

interface Slope {
  backend: BackendName;
  change: string;
  impl: CostImplementation;
  /** nanoseconds of a change, by the number of registered pairs */
  ns: Record<number, number>;
  /** nanoseconds more for each of them */
  slope: Interval;
  verdict: string;
}

const changers = available.filter(
  (backend) => wanted(backend) && (!options.quick || ['poll', 'epoll'].includes(backend)),
);

function fits(backend: BackendName, pairs: number): boolean {
  const limit = roles.server.look.backends.find(({ name }) => name === backend)!.maxDescriptor;
  return limit < 0 || 2 * pairs + reservedDescriptors <= limit;
}

/** As many of each as descriptors are there for; of a mechanism that takes few, a twenty-fifth. */
const among = (backend: BackendName, numbers: readonly number[]) =>
  [...new Set(numbers.map((n) => Math.min(n, most)))].map((pairs) =>
    fits(backend, pairs) ? pairs : Math.max(10, Math.round(pairs / 25)),
  );

interface Instructions {
  backend: BackendName;
  change: string;
  /** of a change, by the number of registered pairs */
  counts: Record<number, number>;
  /** more for each of them */
  slope: Interval;
  verdict: string;
}

/** More of them among the most than a change takes by 1 %: what the slope may be at most where its interval has no width. */
const negligible = 0.01;
/** Instructions more for each registered pair that are none: the fit's own arithmetic. */
const rounding = 1e-9;

async function instructionsOfChanges(): Promise<Instructions[]> {
  const active = 50;
  const seeds = [1, 2, 3];
  const found: Instructions[] = [];
  // A process under valgrind takes its time to start.
  const [backends, kinds] = options.quick ? [changers.slice(0, 1), changes.slice(0, 1)] : [changers, changes];
  for (const backend of backends) {
    for (const change of kinds) {
      const sizes = among(backend, options.quick ? [100, 200] : [100, 1000, 10_000]);
      const rows: MeasuredRound[] = [];
      for (const seed of seeds) {
        for (const pairs of sizes) {
          site.signal.throwIfAborted();
          const spec = { mode: change, impl: 'native', backend, pairs, active, seed } as const;
          rows.push({
            block: seed,
            registered: pairs,
            active,
            ns: (await countInstructions(spec, 20)).perEvent,
          });
        }
      }
      const slope = roundCost(rows)!.perRegistered!;
      const counts = sizes.map((pairs) =>
        average(rows.filter((row) => row.registered === pairs).map(({ ns }) => ns)),
      );
      const growth = (slope.estimate * Math.max(...sizes)) / counts[0]!;
      const flat = slope.low! <= rounding && slope.high! >= -rounding;
      found.push({
        ...{ backend, change, slope },
        counts: Object.fromEntries(sizes.map((pairs, at) => [pairs, counts[at]!])),
        verdict: flat
          ? 'met'
          : Math.abs(growth) <= negligible
            ? 'met (within 1 %)'
            : growth < 0
              ? 'met (falls)'
              : 'MISSED',
      });
      process.stderr.write(`\rinstructions: ${found.length} of ${backends.length * kinds.length} `);
    }
  }
  process.stderr.write('\n');
  return found;
}

async function slopesOfChanges(): Promise<Slope[]> {
  const active = 100;
  const cells = changers.flatMap((backend) =>
    changes.flatMap((change) => changersOf(backend).map((impl) => ({ backend, change, impl }))),
  );
  const counts = (backend: BackendName) =>
    among(backend, options.quick ? [100, 200, 300] : [2500, 5000, 7500, 10_000]);
  for (let generation = 0; generation < generations; generation++) {
    for (const { backend, change, impl } of cells) {
      for (const pairs of rotated(counts(backend), generation))
        await measure(change, impl, generation, { impl, backend, mode: change, pairs, active });
    }
    progress('changes of interest', generation);
  }
  process.stderr.write('\n');
  return cells.map(({ backend, change, impl }) => {
    const own = measurements.filter(
      (one) => one.backend === backend && one.round === change && one.impl === impl,
    );
    const model = roundCost(
      own.map(({ generation, pairs, ns }) => ({ block: generation, registered: pairs, active, ns })),
    ) as RoundCost & { perRegistered: Interval };
    const slope = model.perRegistered;
    const flat = slope.low !== null && slope.high !== null && slope.low <= 0 && slope.high >= 0;
    const meanOf = (pairs: number) => average(own.filter((one) => one.pairs === pairs).map(({ ns }) => ns));
    return {
      ...{ backend, change, impl },
      ns: Object.fromEntries(counts(backend).map((pairs) => [pairs, meanOf(pairs)])),
      slope,
      verdict: flat ? 'met' : slope.high !== null && slope.high < 0 ? 'met (falls)' : 'MISSED',
    };
  });
}

const perThousand = (slope: Interval): Interval => ({
  ...slope,
  estimate: 1000 * slope.estimate,
  low: slope.low && 1000 * slope.low,
  high: slope.high && 1000 * slope.high,
});

const plain = { head: [], border: [], compact: true };
for (const sentence of missing) console.log(sentence);
const takesPart = (...parts: string[]) => options.part === undefined || parts.includes(options.part);
const comparisons = takesPart('rounds') ? await compareRounds() : [];
if (comparisons.length > 0) {
  const table = new Table({
    head: ['round', 'backend', 'pairs', 'ours, ns an event', 'kernel', 'against', 'ours / theirs', 'bar', ''],
    style: plain,
  });
  for (const { round, backend, pairs, ns, kernelShare, against, ratio, bar, verdict: said } of comparisons)
    table.push([
      round,
      backend,
      pairs,
      ns.toFixed(0),
      `${(100 * kernelShare).toFixed(0)} %`,
      against,
      shown(ratio),
      bar ? `<= ${bar}` : '',
      said,
    ]);
  console.log(`${generations} generations, median rounds of ${length.durationMs} ms, 95 % intervals`);
  console.log(onCpus());
  console.log(table.toString());
  for (const [where, why] of refusals) console.log(`${where}: ${why}`);
}
const slopes = takesPart('changes') ? await slopesOfChanges() : [];
if (slopes.length > 0) {
  const table = new Table({
    head: ['change', 'backend', 'impl', 'ns a change, among so many', 'ns more among 1000 more', ''],
    style: plain,
  });
  for (const { change, backend, impl, ns, slope, verdict: said } of slopes) {
    const times = Object.entries(ns).map(([pairs, value]) => `${pairs}: ${value.toFixed(1)}`);
    table.push([change, backend, impl, times.join(', '), shown(perThousand(slope)), said]);
  }
  console.log(
    `adding, modifying, removing is O(1): the slope's 95 % interval includes 0, ${generations} generations`,
  );
  console.log(table.toString());
}
const counted = takesPart('changes', 'instructions');
const uncounted = counted ? withoutInstructions() : undefined;
if (uncounted !== undefined) console.log(uncounted);
const instructions = counted && uncounted === undefined ? await instructionsOfChanges() : [];
if (instructions.length > 0) {
  const table = new Table({
    head: ['change', 'backend', 'instructions a change, among so many', 'more among 1000 more', ''],
    style: plain,
  });
  for (const { change, backend, counts, slope, verdict: said } of instructions) {
    const shownCounts = Object.entries(counts).map(([pairs, value]) => `${pairs}: ${value.toFixed(1)}`);
    table.push([change, backend, shownCounts.join(', '), shown(perThousand(slope)), said]);
  }
  console.log(
    'adding, modifying, removing is O(1) by instructions of the program (callgrind), three draws of who is changed',
  );
  console.log(table.toString());
}
const record = {
  ...{ generations, length, pinning, host: roles.server.facts, missing },
  refusals: Object.fromEntries(refusals),
};
const rows = [options.only, options.part].filter((one) => one !== undefined).join(' ');
const file = saveRecord('cost', { ...record, comparisons, slopes, instructions, measurements }, rows);
console.log(`saved in ${file}`);
await roles.close();
