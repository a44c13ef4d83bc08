/**
 * `dispatchbench plan`: where cells of a sweep, or items of a file, are placed on hosts, before anything is measured; and what
 * links can be predicted by.
 */
import { Argument, Command, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import type { WantedHost } from '../../contract/hosts-file.js';
import { type Division, division, type ProfileName, profileName } from '../../contract/run.js';
import { exitCode } from '../../exit-codes.js';
import { machineOf } from '../../experiments/experiment.js';
import { experimentNamed, experiments } from '../../experiments/registry.js';
import type { Roles } from '../../hosts/host.js';
import { openWanted } from '../../hosts/registry.js';
import { number } from '../../number.js';
import { duration } from '../../options.js';
import { largestShare, violations } from '../../planner/placement/check.js';
import { place } from '../../planner/placement/place.js';
import { dividedCells } from '../../run/divided.js';
import { RunHosts } from '../../run/hosts.js';
import { readHostsFile } from '../../run/hosts-file.js';
import { problemOf, readItemsFile } from '../../run/items.js';
import { lanesOfHosts } from '../../run/lanes.js';
import { pingMatrix } from '../../run/ping.js';
import { builtInPlan, cellsOn } from '../../run/plan.js';
import { places } from '../../stage/places.js';
import { withExamples } from '../examples.js';
import { interruption } from '../interruption.js';
import { predictorsOf } from '../predictors.js';
import { clock } from '../progress-words.js';

interface Options {
  host?: WantedHost[] | undefined;
  hosts?: string | undefined;
  items?: string | undefined;
  links?: string | undefined;
  profile: ProfileName;
  budget?: number | undefined;
  ping: boolean;
  json: boolean;
}

export const plan = new Command('plan')
  .addArgument(
    new Argument('[experiment]', 'whose cells are placed; left out: --items says what').choices(
      experiments.map(({ id }) => id),
    ),
  )
  .option(
    '--host <list>',
    'hosts as behind --host of run, comma-separated or given several times',
    (text, previous: WantedHost[] | undefined): WantedHost[] => [...(previous ?? []), ...text.split(',')],
  )
  .option('--hosts <file>', 'hosts as a file: see docs/examples/hosts.yaml')
  .option('--items <file>', 'guests, clients and servers as a file: see docs/examples/items.yaml')
  .option(
    '--links <run>',
    "place nothing: which predictor was the best on the series that a run of changing-link recorded of its links; the run's folder, its name under results/, or 'latest'",
  )
  .addOption(
    new Option('--profile <name>', 'built-in plan').choices(profileName.options).default('quick' as const),
  )
  .option(
    '--budget <time>',
    "time that the run's least number of blocks has to fit into, such as 10m",
    (text) => duration(text) / 1e6,
  )
  .option('--ping', 'measure how far hosts are from each other, also where no item asks for it', false)
  .option('--json', 'print one JSON object instead', false)
  .addHelpText(
    'after',
    '\nExit code 2: there is no such placement, or none was found; the sentence says which rule is in the way.',
  )
  .action((experiment, options) => planned(experiment, options as Options));

async function planned(experiment: string | undefined, options: Options): Promise<void> {
  const questions = [experiment, options.items, options.links].filter((one) => one !== undefined);
  if (questions.length !== 1)
    throw new Error(
      "name an experiment ('plan cross-host'), a file of items ('plan --items FILE') or a run ('plan --links RUN'), one of them",
    );
  if (options.links !== undefined) {
    console.log(predictorsOf(options.links, options.json));
    return;
  }
  if (options.host && options.hosts !== undefined)
    throw new Error('--host and --hosts both say where: leave one of them out');
  const wanted = options.hosts === undefined ? (options.host ?? ['local']) : readHostsFile(options.hosts);
  const items = options.items === undefined ? null : readItemsFile(options.items);
  const interrupt = interruption(() => process.stderr.write('interrupted: the hosts are ended\n'));
  const hosts = new RunHosts();
  try {
    await hosts.open(wanted, openWanted, () => {}, interrupt.signal);
    for (const { host, reason } of hosts.absent)
      console.error(`host ${host} is not available here: ${reason}`);
    const { opened } = hosts;
    const asked = options.ping || (items?.near.length ?? 0) > 0;
    const latencyMs = asked ? await pingMatrix(opened, interrupt.signal) : undefined;
    const outcome = items
      ? placeItems(problemOf(items, opened, latencyMs))
      : divideCells(experiment!, options, wanted, opened);
    if (options.json)
      console.log(
        JSON.stringify({
          hosts: opened.map(({ name }) => name),
          latencyMs: latencyMs ?? null,
          ...outcome.json,
        }),
      );
    else console.log([...(latencyMs ? [latencies(opened, latencyMs)] : []), outcome.text].join('\n'));
    if (!outcome.placed) process.exitCode = exitCode.failed;
    else if (hosts.absent.length > 0) process.exitCode = exitCode.undecided;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.exitCode = interrupt.exitCode();
  } finally {
    await hosts.close();
  }
}

interface Outcome {
  placed: boolean;
  json: object;
  text: string;
}

const style = { head: [], border: [], compact: true };

function latencies(hosts: readonly Roles[], rows: readonly (readonly (number | null)[])[]): string {
  const table = new Table({ head: ['ms, client to server', ...hosts.map(({ name }) => name)], style });
  for (const [at, row] of rows.entries())
    table.push([hosts[at]!.name, ...row.map((ms) => (ms === null ? 'not reached' : number(ms, 3)))]);
  return String(table);
}

const notPlaced = (reason: string, proven: boolean): Outcome => ({
  placed: false,
  json: { placed: false, proven, reason },
  text: `not placed: ${reason}`,
});

function placeItems(problem: ReturnType<typeof problemOf>): Outcome {
  const found = place(problem);
  if (found.placement === null) return notPlaced(found.reason, found.proven);
  const { placement, hosts: used, fewest } = found;
  const [broken] = violations(problem, placement);
  if (broken) throw new Error(`the placement that was found is none: ${broken.says}`);
  const table = new Table({ head: ['host', ...problem.resources, 'items'], style });
  for (const [host, { name, has }] of problem.hosts.entries()) {
    const there = problem.items.filter((_, item) => placement[item] === host);
    table.push([
      name,
      ...has.map(
        (most, at) => `${number(there.reduce((sum, { takes }) => sum + takes[at]!, 0))} of ${number(most)}`,
      ),
      there.map((one) => one.name).join(', ') || '-',
    ]);
  }
  const enough = fewest === used ? 'no placement uses fewer' : `no placement uses fewer than ${fewest}`;
  return {
    placed: true,
    json: {
      placed: true,
      placement: Object.fromEntries(
        problem.items.map(({ name }, at) => [name, problem.hosts[placement[at]!]!.name]),
      ),
      used,
      fewest,
      largestShare: largestShare(problem, placement),
    },
    text: `${table}\n${used} of ${problem.hosts.length} hosts have an item; ${enough}`,
  };
}

function divideCells(
  experiment: string,
  options: Options,
  wanted: readonly WantedHost[],
  opened: readonly Roles[],
): Outcome {
  const chosen = experimentNamed(experiment);
  const { profiles = ['quick', 'thesis', 'full'] } = chosen;
  if (!profiles.includes(options.profile))
    throw new Error(`${experiment} has no profile '${options.profile}': known are ${profiles.join(', ')}`);
  const asked = builtInPlan(
    experiment,
    [experiment],
    { profile: options.profile, budgetMs: options.budget, hosts: wanted, seed: 1 },
    machineOf(opened[0]!.server.look),
  );
  const lanes = lanesOfHosts(
    opened.map((roles) => ({ roles, pinning: places(roles.server.look, roles.client.look, roles.pin) })),
  );
  const hosts = opened.map((roles, at) => ({ name: roles.name, lane: lanes[at]!, ...cellsOn(asked, roles) }));
  const budgetMs = options.budget === undefined ? null : options.budget / asked.blocks.min;
  let ways: Record<Division, ReturnType<typeof dividedCells>>;
  try {
    ways = {
      balanced: dividedCells(hosts, 'balanced', budgetMs),
      'round-robin': dividedCells(hosts, 'round-robin', budgetMs),
    };
  } catch (error) {
    return notPlaced((error as Error).message, true);
  }
  const { balanced } = ways;
  const partsOn = (host: number) => balanced.parts.filter((_, part) => balanced.where[part] === host);
  const table = new Table({ head: ['host', 'takes turns with', 'expected', 'parts'], style });
  for (const [host, { name, lane }] of hosts.entries()) {
    const beside = hosts.filter((other, at) => at !== host && other.lane === lane);
    const parts = partsOn(host);
    table.push([
      name,
      beside.map((other) => other.name).join(', ') || '-',
      clock(parts.reduce((sum, { ms }) => sum + ms, 0)),
      parts.map((one) => one.name).join('\n') || '-',
    ]);
  }
  const times = division.options.map((way) => `${way} ${clock(ways[way].makespanMs)}`);
  const refused = [...new Set(balanced.refused.map(({ why }) => why))];
  return {
    placed: true,
    json: {
      placed: true,
      budgetMs,
      refused,
      lanes,
      parts: balanced.parts.map(({ name, ms }, part) => ({
        name,
        expectedMs: ms,
        host: hosts[balanced.where[part]!]!.name,
      })),
      makespanMs: Object.fromEntries(division.options.map((way) => [way, ways[way].makespanMs])),
    },
    text: [
      String(table),
      `Expected of a block, until the last host has ended: ${times.join(', ')}.`,
      ...refused.map((why) => `impossible: ${why}`),
    ].join('\n'),
  };
}

withExamples(plan, [
  ['plan cross-host --host local,netns', 'which host gets which cells, and how long a block would take'],
  [
    'plan --items docs/examples/items.yaml --hosts docs/examples/hosts-halves.yaml',
    'guests and clients on hosts that share this machine',
  ],
  ['plan --links latest', 'what the links of the newest run can be predicted by, and at what cost'],
]);
