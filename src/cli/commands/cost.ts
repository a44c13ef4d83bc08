/** `dispatchbench cost`: what one dispatch costs, mode by mode, on socket pairs of this machine. */
import { join, resolve } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { type Crossings, crossings } from '../../analysis/crossings.js';
import { type BackendName, backendNames } from '../../contract/common.js';
import { type Cost, costImplementation, costMode, factsOfMode } from '../../contract/cost.js';
import { parseCpuList } from '../../cpu-list.js';
import { list, names } from '../../experiments/flags.js';
import { profileCost } from '../../flame/cost.js';
import { durationOption, wholeNumber } from '../../options.js';
import type { CostSpec } from '../../programs/cost.js';
import { withInterval } from '../../report/format.js';
import { profilesFolder, writeReport } from '../../report/write.js';
import { measureCost } from '../../stage/cost.js';
import { countInstructions } from '../../stage/instructions.js';
import { meanInterval } from '../../statistics/interval.js';
import { type RoundCost, roundCost } from '../../statistics/round-cost.js';
import { withExamples } from '../examples.js';
import { onHost } from '../on-host.js';
import { runToProfile } from '../run-to-profile.js';

/** One row of the table: what was asked, and what each repetition measured. */
interface Row {
  spec: CostSpec & { length: { durationMs: number; warmupMs: number } };
  lines: Cost[];
}

const numbers = (low: number, high: number) => list(wholeNumber(low, high));

export const cost = new Command('cost')
  .addOption(
    new Option('--mode <mode>', 'what a round is').choices(costMode.options).default('drain' as const),
  )
  .option('--backend <list>', 'mechanisms', names(backendNames, 'backend'), ['epoll'])
  .option(
    '--impl <list>',
    `who dispatches: ${costImplementation.options.join(', ')}`,
    names(costImplementation.options, 'implementation'),
    ['native', 'baseline'],
  )
  .option('--pairs <list>', 'socket pairs registered', numbers(1, 1_000_000), [100])
  .option('--active <list>', 'how many a round is about, as its mode says', numbers(1, 1_000_000), [1])
  .option('--stride <n>', 'from one watched descriptor to the next', wholeNumber(1, 1_000_000))
  .option('--writes <n>', 'further writes of a round, as its mode says', wholeNumber(0, 10_000_000))
  .option('--budget <n>', 'most that a handler takes at once, as its mode says', wholeNumber(1, 1_000_000))
  .option('--max-events <n>', "rows of a wait's result array", wholeNumber(1, 65_536))
  .option('--look-first', 'our pollers look before each sleep: a system call more where nothing is ready')
  .addOption(durationOption('--duration <time>', 'measured time of each repetition', '500ms'))
  .addOption(durationOption('--warmup <time>', 'before it', '100ms'))
  .option('--repeat <n>', 'repetitions of all, one after the other', wholeNumber(1, 1000), 3)
  .option('--cpu <list>', 'CPUs: the first waits, another writes where the mode has one', parseCpuList)
  .option(
    '--instructions',
    'count instructions of the program per event, by callgrind, in the place of time: the same in every run',
  )
  .addOption(
    new Option(
      '--profile <folder>',
      'also profile each row by perf, and write a flame graph of its measured rounds to a folder in this one',
    ).conflicts('instructions'),
  )
  .addOption(
    new Option(
      '--run <run>',
      "the same, in this run's folder flame/ and in its report, each after what it is",
    ).conflicts(['instructions', 'profile']),
  )
  .option('--json', 'print every line measured, and the model, as JSON')
  .action(async ({ backend, impl, pairs, active, duration, warmup, repeat, cpu, ...options }) => {
    const { instructions, profile, run, json, ...asked } = options;
    const common = {
      ...asked,
      length: { durationMs: Math.max(1, Math.round(duration / 1e6)), warmupMs: Math.round(warmup / 1e6) },
      cpus: cpu,
    };
    const alone = factsOfMode(asked.mode).active === 'unused';
    const rows = impl.flatMap((who) =>
      backend.flatMap((name) =>
        pairs.flatMap((registered) =>
          (alone ? [undefined] : active).map((some): Row => {
            const kind = { impl: costImplementation.parse(who), backend: name as BackendName };
            return { spec: { ...common, ...kind, pairs: registered, active: some }, lines: [] };
          }),
        ),
      ),
    );
    if (instructions) {
      const found = [];
      for (const { spec } of rows) {
        const { length: _, ...asked } = spec;
        found.push({ ...asked, ...(await countInstructions(asked)) });
      }
      console.log(json ? JSON.stringify({ instructions: found }, null, 2) : inInstructions(found));
      return;
    }
    for (let repetition = 0; repetition < repeat; repetition++) {
      // Each of them first in its turn, so that a machine that slows down slows all.
      for (const at of rows.keys()) {
        const row = rows[(at + repetition) % rows.length]!;
        row.lines.push(await measureCost(row.spec));
      }
    }
    const models = modelsOf(rows);
    const crossed = crossings(rows.map(({ lines }) => lines));
    const profiles = profile || run ? await profileRows(rows, { folder: profile, run, pairs: repeat }) : [];
    const lines = rows.flatMap((row) => row.lines);
    if (json) console.log(JSON.stringify({ lines, models, crossings: crossed, profiles }, null, 2));
    else
      console.log(
        [describe(rows, models), ...describeCrossings(crossed), ...profiles.map(describeProfile)].join('\n'),
      );
  });

function inInstructions(found: readonly { line: Cost; perEvent: number }[]): string {
  const table = plainTable(['impl', 'backend', 'pairs', 'active', 'instructions per event']);
  for (const { line, perEvent } of found)
    table.push([line.impl, line.backend, line.pairs, line.active, perEvent.toFixed(1)]);
  const { mode } = found[0]!.line;
  return `mode ${mode}, instructions of the program alone, by callgrind; the kernel's are not among them\n${table}
where the time goes, kernel included: the same with --profile FOLDER in the place of --instructions`;
}

type Model = RoundCost & { impl: string; backend: string };

/** Of each implementation and mechanism, over the numbers of registered and active ones. */
function modelsOf(rows: readonly Row[]): Model[] {
  const nameOf = ({ spec }: Row) => `${spec.impl} ${spec.backend}`;
  return [...new Set(rows.map(nameOf))].flatMap((name) => {
    const group = rows.filter((row) => nameOf(row) === name);
    const { impl, backend } = group[0]!.spec;
    const model = roundCost(
      group.flatMap(({ lines }) =>
        lines.map((line, block) => ({
          block,
          registered: line.pairs,
          active: line.events / line.rounds,
          ns: line.roundNs.mean,
        })),
      ),
    );
    return model ? [{ impl, backend, ...model }] : [];
  });
}

const per = (count: number, { events }: Cost, digits: number) => (count / events).toFixed(digits);

function describe(rows: readonly Row[], models: readonly Model[]): string {
  const table = plainTable([
    'impl',
    'backend',
    'pairs',
    'active',
    'ns per event',
    'waits',
    'changes',
    'CPU ns',
    'counted',
  ]);
  for (const { spec, lines } of rows) {
    const last = lines.at(-1)!;
    const counted = Object.entries(last.counted).map(([name, count]) => `${name} ${per(count, last, 3)}`);
    table.push([
      spec.impl,
      spec.backend,
      last.pairs,
      last.active,
      withInterval(meanInterval(lines.map(({ nsPerEvent }) => nsPerEvent)), 'ns'),
      per(last.waits, last, 3),
      per(last.changeCalls, last, 3),
      per(1000 * (last.cpu.userUs + last.cpu.systemUs), last, 0),
      counted.join(', '),
    ]);
  }
  const fitted = plainTable(['a round of', 'fixed', 'per registered', 'per active']);
  for (const { impl, backend, fixed, perRegistered, perActive } of models) {
    const shown = (one: typeof perActive) => (one ? withInterval(one, 'ns') : '');
    fitted.push([`${impl} ${backend}`, shown(fixed), shown(perRegistered), shown(perActive)]);
  }
  const model = models.length > 0 ? `\n${fitted}` : '';
  return `mode ${rows[0]!.spec.mode}, ${rows[0]!.lines.length} repetitions, 95 % intervals; waits and changes: system calls per event\n${table}${model}`;
}

/** Nothing where nobody crossed. */
function describeCrossings({ cells, models }: Crossings): string[] {
  if (cells.length === 0) return [];
  const table = plainTable(['backend', 'pairs', 'active', 'rows', 'ns a wait', 'ns an event']);
  for (const { backend, pairs, active, maxEvents, perWait, perEvent } of cells)
    table.push([
      ...[backend, pairs, active, maxEvents],
      withInterval(perWait, 'ns'),
      withInterval(perEvent, 'ns'),
    ]);
  const fitted = models.map(
    ({ backend, fixed, perActive }) =>
      `${backend}: ${withInterval(fixed, 'ns')} for a wait, and ${withInterval(perActive, 'ns')} for each event that it brings`,
  );
  return [
    'what TypeScript adds to native, CPU time: all of it in a wait, and the same in an event',
    `${table}`,
    ...fitted,
  ];
}

interface RowProfile {
  title: string;
  page: string;
  share: number;
  leaf: string;
}

/** Each row in a folder of its own, named by what it is. */
async function profileRows(
  rows: readonly Row[],
  { folder, run, pairs }: { folder: string | undefined; run: string | undefined; pairs: number },
): Promise<RowProfile[]> {
  const profiles: RowProfile[] = [];
  await onHost('local', async ({ roles }) => {
    const ofRun = run === undefined ? null : runToProfile(run, roles);
    const parent = resolve(ofRun ? profilesFolder(ofRun) : folder!);
    for (const { spec, lines } of rows) {
      const { mode, impl, backend, pairs: registered, active } = lines.at(-1)!;
      const words = [mode, impl, backend, registered, active];
      const title = `${mode}: ${impl} on ${backend}, ${registered} pairs, ${active} active`;
      process.stderr.write(`${title}: perf ...\n`);
      const into = join(parent, words.join('-'));
      const record = await profileCost({
        ...{ spec, title, folder: into, host: roles.server.facts, frequencyHz: profileHz },
        pairs: Math.min(pairs, mostProfiledRuns),
      });
      const [widest] = record.profiles[0]!.families;
      const page = join(into, record.page);
      profiles.push({ title, page, leaf: widest!.name, share: widest!.share });
    }
    if (ofRun) process.stderr.write(`Report: ${writeReport(ofRun).report}\n`);
  });
  return profiles;
}

/** Samples per second of CPU time: no multiple of a timer's rate. */
const profileHz = 499;
const mostProfiledRuns = 5;

const describeProfile = ({ title, page, share, leaf }: RowProfile) =>
  `${title}: ${(100 * share).toFixed(0)} % ${leaf}: ${page}`;

const plainTable = (head: string[]) => new Table({ head, style: { head: [], border: [], compact: true } });

withExamples(cost, [
  ['cost --backend select,epoll --pairs 100,1000', 'by how many are registered'],
  ['cost --mode wakeup --backend epoll --repeat 5 --json', 'JSON of every line measured'],
  [
    'cost --mode unread --impl native,ts --pairs 1000 --active 1,8,64,512',
    'what crossing into TypeScript adds to a wait, and to each event',
  ],
  ['cost --mode toggle-write --backend epoll --profile /tmp/profiles', 'a flame graph of each row'],
]);
