/** `dispatchbench run EXPERIMENT`: measures, keeps every sample, writes the report. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { type WantedHost, wantedName } from '../../contract/hosts-file.js';
import type { Division, Plan, ProfileName } from '../../contract/run.js';
import { exitCode } from '../../exit-codes.js';
import { type Flag, machineOf, profilesOf } from '../../experiments/experiment.js';
import { experimentNamed, experiments, quickStart, suites } from '../../experiments/registry.js';
import type { Roles } from '../../hosts/host.js';
import { everyHost, hostKinds, openWanted } from '../../hosts/registry.js';
import { counted } from '../../number.js';
import { duration, wholeNumber } from '../../options.js';
import { outcome } from '../../report/terminal.js';
import { writeReport } from '../../report/write.js';
import { findRun } from '../../results/find.js';
import { RunFolder } from '../../results/folder.js';
import { registered } from '../../results/register.js';
import { RunHosts } from '../../run/hosts.js';
import { readHostsFile } from '../../run/hosts-file.js';
import { builtInPlan, filePlan, type PlanOptions, readPlanFile } from '../../run/plan.js';
import { resumedPlan } from '../../run/resume.js';
import { executeRun, writePausesMs } from '../../run/runner.js';
import { divideOption } from '../divide-option.js';
import { withExamples } from '../examples.js';
import { addFlags } from '../experiment-flags.js';
import { interruption } from '../interruption.js';
import { newRun } from '../new-run.js';
import { linked, linkOption } from '../on-host.js';
import { progress } from '../progress.js';
import { withVerdicts } from '../verdicts.js';
import type { WantedHosts } from '../wanted-hosts.js';

/** A path below the working folder is shown from there. */
function shortest(path: string): string {
  const below = relative('', path);
  return below.startsWith('..') ? path : below;
}

const hostHelp = hostKinds.map(({ id, summary }) => `${id} (${summary})`).join('; ');

/** A subcommand for these experiments, with the options that all of them have. */
function runOf(name: string, description: string, ids: readonly string[], flags: readonly Flag[]) {
  const command = new Command(name)
    .description(description)
    .addOption(new Option('--profile <name>', 'built-in plan').choices(profilesOf(ids.map(experimentNamed))))
    .option(
      '--host <list>',
      `where every cell is measured, comma-separated or given several times: ${hostHelp}`,
      (text, previous: WantedHost[] | undefined): WantedHost[] => [...(previous ?? []), ...text.split(',')],
    )
    .addOption(linkOption())
    .option('--hosts <file>', 'the same as a file, with names, CPUs and roles: see docs/examples/hosts.yaml')
    .addOption(divideOption())
    .option(
      '--seed <n>',
      'seed of the order of trials (recorded; chosen when left out)',
      wholeNumber(0, 0xffff_ffff),
    )
    .option('--budget <time>', 'time budget, such as 90s or 10m', (text) => duration(text) / 1e6)
    .option('--plan <file>', 'plan as YAML or JSON; the other options win over it')
    .option('--resume <run>', 'go on with a run that was interrupted')
    .option('--out <dir>', 'folder of the runs', 'results')
    .option('--json', 'print progress as one JSON object a line', false)
    .option('--quiet', 'print the outcome only', false)
    .addHelpText(
      'after',
      '\nExit code 3: measured, but a trial failed or a cell that was asked for is impossible here.',
    );
  const settingsOf = addFlags(command, flags);
  withExamples(command, [
    [`run ${name}`, 'a quick look, on this machine'],
    [
      `run ${name} ${exampleFlags(flags)}--budget 10m --out /tmp/runs`,
      'narrower, longer, and kept elsewhere',
    ],
  ]);
  return command.action((options) => measure(name, ids, options, settingsOf(options)));
}

/** What narrows most experiments that have such a flag. */
const exampleLevels: Record<string, string> = { backends: 'poll,epoll' };

const exampleFlags = (flags: readonly Flag[]): string =>
  flags
    .flatMap(({ flags: text, setting }) =>
      exampleLevels[setting] === undefined ? [] : `${text.split(' ')[0]} ${exampleLevels[setting]} `,
    )
    .join('');

interface Options {
  profile?: ProfileName | undefined;
  host?: WantedHost[] | undefined;
  hosts?: string | undefined;
  link?: string | undefined;
  divide?: Division | undefined;
  seed?: number | undefined;
  budget?: number | undefined;
  plan?: string | undefined;
  resume?: string | undefined;
  out: string;
  json: boolean;
  quiet: boolean;
}

async function measure(
  name: string,
  ids: readonly string[],
  options: Options,
  settings: Record<string, unknown>,
): Promise<void> {
  const interrupt = interruption(() => {
    process.stderr.write('interrupted: finished trials are kept, the report follows (again: stop at once)\n');
  });
  const asked = choose(name, ids, options, settings);
  const hosts = new RunHosts();
  const view = progress(options);
  try {
    const all = asked.hosts ?? (await everyHostOf(ids));
    await hosts.open(all.hosts, openWanted, view.show, interrupt.signal);
    const isResumed = options.resume !== undefined;
    if (isResumed && hosts.absent.length > 0)
      throw new Error(
        `run ${options.resume} cannot be resumed without its host ${hosts.absent[0]!.host}: ${hosts.absent[0]!.reason}`,
      );
    const { folder, ...ending } = await executeRun({
      plan: asked.plan(hosts.opened[0]!, all.hosts),
      hosts: hosts.opened,
      absent: [...hosts.absent, ...all.absent],
      openFolder: asked.openFolder,
      resume: isResumed,
      argv: process.argv.slice(2),
      on: view.isWatched ? withVerdicts(view.show) : view.show,
      writePausesMs,
      signal: interrupt.signal,
    });
    const { failed, impossible, ok, invalid } = ending.trials;
    const written = ok + invalid > 0 ? writeReport(folder.path) : null;
    const report = written?.report ?? null;
    view.show({ event: 'run-end', run: folder.id, folder: folder.path, ...ending, report });
    if (written && !options.json) {
      console.log(`\n${outcome(written.analysis)}\n\nReport: ${shortest(written.report)}`);
    }
    const narrowed = Object.keys(settings).length > 0 || options.plan !== undefined;
    if (failed + hosts.absent.length > 0 || (impossible > 0 && narrowed))
      process.exitCode = exitCode.undecided;
    if (written === null && ending.reason !== 'interrupted') {
      const [first] = folder.samples().flatMap(({ error }) => error ?? []);
      throw new Error(
        `nothing was measured: ${counted(failed, 'trial')} failed; the first one said: ${first}`,
      );
    }
    if (ending.reason === 'interrupted') process.exitCode = interrupt.exitCode();
  } catch (error) {
    // Before the first trial there is nothing to keep.
    if (error !== interrupt.signal.reason || !interrupt.signal.aborted) throw error;
    process.exitCode = interrupt.exitCode();
  } finally {
    view.close();
    await hosts.close();
  }
}

/** Where nobody says which: this machine, or every host of it where hosts are what is compared. */
async function everyHostOf(ids: readonly string[]): Promise<WantedHosts> {
  return ids.some((id) => experimentNamed(id).acrossHosts) ? everyHost() : { hosts: ['local'], absent: [] };
}

interface Asked {
  /** null: nobody says which */
  hosts: WantedHosts | null;
  /** complete, once the machine is known whose servers are measured */
  plan(host: Roles, hosts: readonly WantedHost[]): Plan;
  openFolder(): RunFolder;
}

const linkedHost = (one: WantedHost, link: string | undefined): WantedHost =>
  typeof one === 'string' ? linked(one, link) : { ...one, kind: linked(one.kind, link) };

/** What the options ask for. @throws Error in one sentence */
function choose(
  name: string,
  ids: readonly string[],
  options: Options,
  settings: Record<string, unknown>,
): Asked {
  if (options.host && options.hosts !== undefined)
    throw new Error('--host and --hosts both say where: leave one of them out');
  const file = options.plan === undefined ? null : readPlanFile(options.plan);
  const unlinked = options.hosts === undefined ? options.host : readHostsFile(options.hosts);
  const said =
    options.link === undefined
      ? unlinked
      : (unlinked ?? file?.hosts ?? ['local']).map((one) => linkedHost(one, options.link));
  const changes: PlanOptions = {
    profile: options.profile,
    seed: options.seed,
    budgetMs: options.budget,
    hosts: said,
    divide: options.divide,
    settings,
  };
  const fromFile = (more: PlanOptions, { server }: Roles) =>
    filePlan(file!, options.plan!, { ...changes, ...more }, machineOf(server.look));
  if (options.resume !== undefined) {
    const folder = RunFolder.open(options.out, toResume(options.resume, options.out));
    const info = folder.info();
    const measured = info.plan.experiments.map(({ experiment }) => experiment);
    if (!ids.some((id) => measured.includes(id)))
      throw new Error(
        `run ${info.id} measures ${measured.join(' and ')}: go on with 'run ${measured[0]} --resume ${options.resume}'`,
      );
    if (info.argv[0] === 'ab')
      throw new Error(
        `run ${info.id} compares pairs that were measured one right after the other, which cannot be taken up again: start 'dispatchbench ab' anew`,
      );
    // What was not there when the run began has no cells in it.
    const began = info.plan.hosts.filter((one) => !info.absent.some(({ host }) => host === wantedName(one)));
    return {
      hosts: { hosts: began, absent: info.absent },
      plan: (host) =>
        resumedPlan(info, file && fromFile({ seed: options.seed ?? info.plan.seed }, host), changes),
      openFolder: () => folder,
    };
  }
  const named = said ?? file?.hosts;
  const profile = options.profile ?? 'quick';
  const planName = ids.length > 1 ? name : `${name}-${profile}`;
  return {
    hosts: named ? { hosts: named, absent: [] } : null,
    plan: (host, hosts) =>
      file
        ? fromFile({ hosts }, host)
        : builtInPlan(planName, ids, { ...changes, hosts }, machineOf(host.server.look)),
    openFolder: () => newRun(options.out, file ? (file.name ?? 'plan') : planName),
  };
}

/** As other commands find a run: also one that was made with another --out, and 'latest'. */
function toResume(run: string, out: string): string {
  if (run === 'latest') return findRun(run, out === 'results' ? undefined : out);
  return existsSync(join(out, run)) ? run : (registered(run) ?? run);
}

/** Flags that all of these experiments have. */
function commonFlags(ids: readonly string[]): Flag[] {
  const [first, ...others] = ids.map(experimentNamed);
  return first!.flags.filter((flag) => others.every(({ flags }) => flags.includes(flag)));
}

export const run = new Command('run')
  .description("run an experiment and write its report; 'quick' runs what npm start runs")
  .addCommand(
    runOf(
      'quick',
      `what npm start runs: ${quickStart.join(' and ')}, in under two minutes`,
      quickStart,
      commonFlags(quickStart),
    ),
  );
for (const [name, { summary, ids }] of Object.entries(suites))
  run.addCommand(runOf(name, summary, ids, commonFlags(ids)));
for (const { id, question, flags } of experiments) run.addCommand(runOf(id, question, [id], flags));

withExamples(run, [
  ['run quick', 'what npm start runs, in under two minutes'],
  ['run idle-connections --backends poll,epoll --impl ts --idle 0,4000', 'one experiment, of these cells'],
]);
