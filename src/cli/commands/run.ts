/** `dispatchbench run EXPERIMENT`: measures, keeps every sample, writes the report. */
import { relative } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { backendNames, implementation, ioMode } from '../../contract/common.js';
import { type Plan, profileName } from '../../contract/run.js';
import { experiments, quickStart } from '../../experiments/registry.js';
import { hosts } from '../../hosts/registry.js';
import { duration, positiveNumber, wholeNumber } from '../../options.js';
import { outcome } from '../../report/terminal.js';
import { writeReport } from '../../report/write.js';
import { localLimits } from '../../run/environment.js';
import { RunFolder } from '../../run/folder.js';
import { type Limits, machineOf } from '../../run/limits.js';
import { pinning } from '../../run/pinning.js';
import { builtInPlan, filePlan, type PlanOptions } from '../../run/plan.js';
import { programs } from '../../run/programs.js';
import { resumedPlan } from '../../run/resume.js';
import { executeRun } from '../../run/runner.js';
import { interruption } from '../interruption.js';
import { progress } from '../progress.js';

/** Exit codes beside 0 and 1: some trial failed or a cell that was asked for is impossible here. */
const incomplete = 3;

const list =
  (known: readonly string[], what: string) =>
  (text: string): string[] => {
    const names = text.split(',').map((name) => name.trim());
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`unknown ${what} '${unknown}': known are ${known.join(', ')}.`);
    }
    return names;
  };

/** A path below the working folder is shown from there. */
function shortest(path: string): string {
  const below = relative('', path);
  return below.startsWith('..') ? path : below;
}

export const run = new Command('run')
  .description("run an experiment and write its report; 'quick' runs what npm start runs")
  .addArgument(new Argument('<experiment>', 'what to run').choices([...Object.keys(experiments), 'quick']))
  .addOption(new Option('--profile <name>', 'built-in plan').choices(profileName.options))
  .option('--backends <list>', 'backends, comma-separated', list(backendNames, 'backend'))
  .option(
    '--impl <list>',
    'implementations: ts, native, libuv, baseline',
    list(implementation.options, 'implementation'),
  )
  .option(
    '--io <list>',
    'I/O per Node-API crossing of ts: call, batch, native',
    list(ioMode.options, 'io mode'),
  )
  .option('--idle <list>', 'numbers of idle connections, comma-separated', (text) =>
    text.split(',').map(wholeNumber(0, 10_000_000)),
  )
  .option('--ports <list>', 'udp-ports: numbers of ports, comma-separated', (text) =>
    text.split(',').map(wholeNumber(1, 65_000)),
  )
  .option(
    '--rates <list>',
    "offered rates per second, comma-separated; udp-ports: 'closed' is the closed loop",
    (text) => text.split(',').map((one) => (one === 'closed' ? null : positiveNumber(one))),
  )
  .option('--connections <n>', 'active connections', wholeNumber(1, 1_000_000))
  .option(
    '--seed <n>',
    'seed of the order of trials (recorded; chosen when left out)',
    wholeNumber(0, 0xffff_ffff),
  )
  .option('--budget <time>', 'time budget, such as 90s or 10m', (text) => duration(text) / 1e6)
  .option('--plan <file>', 'plan as YAML or JSON; the options above win over it')
  .option('--resume <run>', 'go on with a run that was interrupted')
  .option('--out <dir>', 'folder of the runs', 'results')
  .option('--json', 'print progress as one JSON object a line', false)
  .option('--quiet', 'print the outcome only', false)
  .addHelpText('after', () => {
    const lines = Object.values(experiments).map(({ id, question }) => `  ${id}  ${question}`);
    return `\nExperiments:\n${lines.join('\n')}\n\nExit code 3: measured, but a trial failed or a cell is impossible here.`;
  })
  .action(async (name, options) => {
    const limits = localLimits();
    const host = hosts.local!();
    const { plan, openFolder } = choose(name, options, limits);
    const interrupt = interruption(() => {
      process.stderr.write(
        'interrupted: finished trials are kept, the report follows (again: stop at once)\n',
      );
    });
    const view = progress(options);
    try {
      const { folder, ...ending } = await executeRun({
        plan,
        limits,
        host,
        programs,
        pinning: pinning(host.cpus()),
        openFolder,
        resume: options.resume !== undefined,
        argv: process.argv.slice(2),
        on: view.show,
        signal: interrupt.signal,
      });
      const { failed, impossible, ok, invalid } = ending.trials;
      const written = ok + invalid > 0 ? writeReport(folder.path) : null;
      const report = written?.report ?? null;
      view.show({ event: 'run-end', run: folder.id, folder: folder.path, ...ending, report });
      if (written && !options.json) {
        console.log(`\n${outcome(written.analysis)}\n\nReport: ${shortest(written.report)}`);
      }
      const narrowed = Object.keys(changedSettings(options)).length > 0 || options.plan !== undefined;
      if (failed > 0 || (impossible > 0 && narrowed)) process.exitCode = incomplete;
      if (ending.reason === 'interrupted') process.exitCode = interrupt.exitCode();
    } finally {
      view.close();
    }
  });

interface Options {
  profile?: Plan['experiments'][0]['profile'] | undefined;
  backends?: string[] | undefined;
  impl?: string[] | undefined;
  io?: string[] | undefined;
  idle?: number[] | undefined;
  ports?: number[] | undefined;
  rates?: (number | null)[] | undefined;
  connections?: number | undefined;
  seed?: number | undefined;
  budget?: number | undefined;
  plan?: string | undefined;
  resume?: string | undefined;
  out: string;
}

/** Settings that the options replace. */
function changedSettings(options: Options): Record<string, unknown> {
  const { backends, impl: impls, io: ios, idle, ports, rates, connections } = options;
  const given = { backends, impls, ios, idle, ports, rates, connections };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The plan that the options ask for, and the folder it goes to. */
function choose(name: string, options: Options, limits: Limits) {
  const changes: PlanOptions = {
    profile: options.profile,
    seed: options.seed,
    budgetMs: options.budget,
    settings: changedSettings(options),
  };
  const machine = machineOf(limits);
  const profile = options.profile ?? 'quick';
  const ids = name === 'quick' ? quickStart : [name];
  if (options.resume !== undefined) {
    const folder = RunFolder.open(options.out, options.resume);
    const info = folder.info();
    const file = options.plan
      ? filePlan(options.plan, { ...changes, seed: options.seed ?? info.plan.seed }, machine)
      : null;
    return { plan: resumedPlan(info, file, changes), openFolder: () => folder };
  }
  const plan = options.plan
    ? filePlan(options.plan, changes, machine)
    : builtInPlan(name === 'quick' ? name : `${name}-${profile}`, ids, changes, machine);
  return { plan, openFolder: () => RunFolder.create(options.out, plan.name) };
}
