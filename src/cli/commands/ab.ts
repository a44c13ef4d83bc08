/** `dispatchbench ab`: two builds or two servers, measured in turn in one run and compared by pairs. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type AbComparison, compareArms } from '../../analysis/ab.js';
import { type RowCondition, rowConditions } from '../../analysis/gate.js';
import { type ProfileName, profileName } from '../../contract/run.js';
import { codeOf } from '../../exit-codes.js';
import { type Machine, machineOf } from '../../experiments/experiment.js';
import { type IdleConnectionsSettings, idleConnections } from '../../experiments/idle-connections.js';
import type { Roles } from '../../hosts/host.js';
import { openHost } from '../../hosts/registry.js';
import { duration, thresholdOptions, wholeNumber } from '../../options.js';
import { abGateSentences, formatAb } from '../../report/ab.js';
import { type ComparisonFormat, comparisonFormats, gateOn } from '../../report/comparison.js';
import { writeReport } from '../../report/write.js';
import { builtInPlan } from '../../run/plan.js';
import { executeRun, type RunOutcome, writePausesMs } from '../../run/runner.js';
import type { MetricId } from '../../trials/registry.js';
import { type Arms, armsOf } from '../arms.js';
import { withExamples } from '../examples.js';
import { addFlags } from '../experiment-flags.js';
import { interruption } from '../interruption.js';
import { newRun } from '../new-run.js';
import { progress } from '../progress.js';

/** The experiment's own, but that servers are given as arms. */
const flags = idleConnections.flags.filter(({ setting }) => setting !== 'foreign');
const metrics = idleConnections.compared.map(({ metric }) => metric);
/**
 * What is compared unless metrics are named: a window of the quick profile has a hundred requests beside its median, and
 * one beyond its 99th percentile.
 */
const usual = metrics.filter((id) => id !== 'latency-p99');
const ofOurServers = ['backends', 'impls', 'ios'];

/** '3%' -> 0.03 */
function margin(text: string): number {
  const share = Number(/^(\d+(?:\.\d+)?)\s*%$/.exec(text)?.[1]) / 100;
  if (!(share > 0)) throw new InvalidArgumentError('It is a share above 0, such as 3%.');
  return share;
}

/** How many pairs would decide depends on the margin, which may stand behind it on the command line. */
interface Condition {
  text: string;
  of(margin: number): RowCondition;
}

const conditions = (text: string): Condition[] =>
  rowConditions(text, { known: metrics }).map((one, at) => ({
    text: one.text,
    of: (margin) => rowConditions(text, { known: metrics, margin })[at]!,
  }));

const { threshold, old } = thresholdOptions(conditions, "'slower<3%', 'cpu-per-request<+5%', 'unchanged'");

interface Options {
  baseline: string;
  candidate: string;
  pairs: number;
  budget: number;
  window?: number | undefined;
  profile: ProfileName;
  seed?: number | undefined;
  metric?: MetricId[] | undefined;
  margin: number;
  threshold?: Condition[] | undefined;
  format: ComparisonFormat;
  json?: true | undefined;
  out: string;
  quiet: boolean;
}

/** One server of ours without idle connections, unless more is asked: few rows show most in the time. */
function settingsOf(options: Options, asked: Record<string, unknown>, arms: Arms, machine: Machine) {
  const { closed, open } = idleConnections.profile(options.profile, machine) as IdleConnectionsSettings;
  const windows = options.window
    ? { closed: { ...closed, durationMs: options.window }, open: { ...open, durationMs: options.window } }
    : {};
  const servers = arms.kind === 'builds' ? { backends: [machine.nodeBackend], impls: ['ts'] } : { impls: [] };
  return { ...servers, idle: [0], rounds: 0, ...windows, ...asked, foreign: arms.foreign };
}

async function measure(
  options: Options,
  asked: Record<string, unknown>,
  arms: Arms,
): Promise<{ outcome: RunOutcome; ab: AbComparison; exitCode: number | null }> {
  const interrupt = interruption(() => {
    process.stderr.write(
      'interrupted: finished trials are kept, the comparison follows (again: stop at once)\n',
    );
  });
  const hosts: Roles[] = [];
  const view = progress({ json: false, quiet: options.quiet || options.format !== 'terminal' });
  try {
    for (const host of arms.hosts) hosts.push(await openHost(host));
    const machine = machineOf(hosts[0]!.server.look);
    const plan = builtInPlan(
      'ab',
      [idleConnections.id],
      {
        profile: options.profile,
        seed: options.seed,
        budgetMs: options.budget,
        hosts: arms.hosts,
        settings: settingsOf(options, asked, arms, machine),
      },
      machine,
    );
    const outcome = await executeRun({
      // As many as were said beforehand: who stops at a result that pleases him finds too many.
      plan: { ...plan, blocks: { min: options.pairs, max: options.pairs } },
      hosts,
      openFolder: () => newRun(options.out, 'ab'),
      resume: false,
      argv: process.argv.slice(2),
      on: view.show,
      writePausesMs,
      signal: interrupt.signal,
      together: ({ levels }) => arms.together(levels),
    });
    const samples = outcome.folder.samples();
    const ab = compareArms(samples, arms.armOf, {
      chosen: options.metric ?? usual,
      margin: options.margin,
      baseline: options.baseline,
      candidate: options.candidate,
    });
    const interrupted = outcome.reason === 'interrupted';
    if (ab.rows.length === 0 && !interrupted) {
      const why = samples.find(({ status }) => status !== 'ok');
      throw new Error(
        `nothing can be compared, no pair of trials counts: ${why?.error ?? why?.gates[0]?.message ?? 'none was made'}`,
      );
    }
    return { outcome, ab, exitCode: interrupted ? (interrupt.exitCode() ?? null) : null };
  } finally {
    view.close();
    for (const host of hosts) await host.close();
  }
}

async function compareThem(options: Options, settings: Record<string, unknown>): Promise<void> {
  const arms = await armsOf(options.baseline, options.candidate);
  const ours =
    arms.kind === 'commands' &&
    flags.find(({ setting }) => ofOurServers.includes(setting) && settings[setting]);
  if (ours)
    throw new Error(`${ours.flags.split(' ')[0]} chooses servers of ours, and the arms are command lines`);
  const { outcome, ab, exitCode } = await measure(options, settings, arms);
  const asked = options.threshold?.map(({ of }) => of(options.margin));
  const gate = asked ? gateOn(asked, ab.rows) : null;
  console.log(formatAb(ab, options.format, gate));
  if (outcome.trials.ok + outcome.trials.invalid > 0) writeReport(outcome.folder.path);
  process.stderr.write(`run ${outcome.folder.id} is kept, with its report\n`);
  if (exitCode !== null) {
    process.exitCode = exitCode;
  } else if (gate && gate.outcome !== 'passed') {
    for (const sentence of abGateSentences(gate)) console.error(`dispatchbench: ${sentence}`);
    process.exitCode = codeOf[gate.outcome];
  }
}

const arm = 'the path of a build, git:REVISION, or a server command line with {port}';

const command = new Command('ab')
  .description(
    'compare two builds or two servers: both are measured in turn in one run, and compared by pairs',
  )
  .requiredOption('--baseline <arm>', arm)
  .requiredOption('--candidate <arm>', 'the same for what is compared with it')
  .option('--pairs <n>', 'pairs of trials per cell, fixed beforehand', wholeNumber(1, 100_000), 40)
  .addOption(
    new Option('--budget <time>', 'no pair is begun after this time')
      .argParser((text) => duration(text) / 1e6)
      .default(600_000, '10m'),
  )
  .option(
    '--window <time>',
    'length of a window; the profile says it when left out',
    (text) => duration(text) / 1e6,
  )
  .addOption(
    new Option('--profile <name>', 'windows of a trial')
      .choices(profileName.options)
      .default('quick' as const),
  )
  .option('--seed <n>', 'seed of the order of trials', wholeNumber(0, 0xffff_ffff))
  .addOption(
    new Option('--metric <id...>', 'compare these only; fewer show smaller differences').choices(metrics),
  )
  .option('--margin <share>', 'up to which two are called equal', margin, 0.03)
  .addOption(threshold)
  .addOption(old)
  .addOption(
    new Option('--format <format>', 'form of the output').choices(comparisonFormats).default('terminal'),
  )
  .option('--json', 'the same as --format json')
  .option('--out <dir>', 'folder of the runs', 'results')
  .option('--quiet', 'print the comparison only', false);

const asked = addFlags(command, flags);

export const ab = withExamples(command, [
  [
    "ab --baseline 'node a.js {port}' --candidate 'node b.js {port}' --protocol http --idle 0",
    'two servers of anybody, by their command lines',
  ],
  [
    "ab --baseline git:main --candidate . --threshold 'slower<3%' --metric cpu-per-request",
    'two builds of the suite; exit code 2 where the second is slower, 3 where more pairs would tell',
  ],
]).action((options) => {
  const given = options as Options;
  return compareThem(given.json ? { ...given, format: 'json' } : given, asked(options));
});
