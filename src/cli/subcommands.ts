/**
 * The subcommands by group: what each is for in a line, which is its description as well where it has no longer one, and its
 * module, which is imported when the command is used. Help of all of them loads none.
 */
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { noChoice } from '../suggestion.js';

type Subcommand = readonly [summary: string, load: () => Promise<CommandUnknownOpts>];

const groups: Record<string, Record<string, Subcommand>> = {
  'Measure:': {
    run: ['run an experiment and write its report', async () => (await import('./commands/run.js')).run],
    plan: [
      'say which host would get which cells, guests or clients, and why not where there is no such placement',
      async () => (await import('./commands/plan.js')).plan,
    ],
    ab: [
      'compare two builds or two servers, measured in turn in one run',
      async () => (await import('./commands/ab.js')).ab,
    ],
    ramp: [
      'offer connections at rising rates, as httperf and autobench do',
      async () => (await import('./commands/ramp.js')).ramp,
    ],
    knee: [
      'find the highest rate a server sustains under an objective',
      async () => (await import('./commands/knee.js')).knee,
    ],
    cost: [
      'what one dispatch costs, without a network: one kind of round, on socket pairs',
      async () => (await import('./commands/cost.js')).cost,
    ],
    transfer: [
      'send bulk data on several streams at once, each checked end to end: rate, CPU and system calls',
      async () => (await import('./commands/transfer.js')).transfer,
    ],
    migrate: [
      'move memory from one process to another, every page checked end to end: bytes, time, CPU; beside QEMU',
      async () => (await import('./commands/migrate.js')).migrate,
    ],
    flame: [
      'profile a server under load and draw flame graphs; a trial of its own, never mixed with measured ones',
      async () => (await import('./commands/flame.js')).flame,
    ],
    probe: [
      'list every backend the suite knows: available here or why not, and what it can do',
      async () => (await import('./commands/probe.js')).probe,
    ],
    hosts: [
      'list the kinds of hosts, start, enter and clear them away',
      async () => (await import('./commands/hosts.js')).hosts,
    ],
    gateways: [
      'which HTTP gateways can be measured: native, in containers, with their logic in Wasm',
      async () => (await import('./commands/gateways.js')).gateways,
    ],
    selftest: [
      'measure the error of the suite itself, on servers whose answers are known',
      async () => (await import('./commands/selftest.js')).selftest,
    ],
  },
  'Look at runs:': {
    open: [
      'serve the report of a run on loopback until interrupted',
      async () => (await import('./commands/open.js')).open,
    ],
    report: [
      'rebuild report.html, tables, plots and verdicts of a run from its samples',
      async () => (await import('./commands/report.js')).report,
    ],
    claims: [
      'verdicts on published claims: supported, contradicted, inconclusive or not tested, with the numbers',
      async () => (await import('./commands/claims.js')).claims,
    ],
    predict: [
      'server CPU per request of a cell that a run did not measure, by the cost of a scan',
      async () => (await import('./commands/predict.js')).predict,
    ],
    compare: [
      'compare two runs cell by cell: shift with interval, effect size, ~ where nothing is shown',
      async () => (await import('./commands/compare.js')).compare,
    ],
    history: [
      'a figure of every cell over all runs, with the runs at which it changed',
      async () => (await import('./commands/history.js')).history,
    ],
  },
  'One program at a time:': {
    serve: [
      'run a server under test; prints its hello line, and its farewell when it stops',
      async () => (await import('./commands/serve.js')).serve,
    ],
    load: [
      'load a TCP server closed loop or at a given rate, and measure its replies',
      async () => (await import('./commands/load.js')).load,
    ],
    idle: [
      'open idle connections and hold them until Ctrl-C, over several processes where one cannot',
      async () => (await import('./commands/idle.js')).idle,
    ],
    agent: [
      'lend this machine as a load client to a distributed ramp',
      async () => (await import('./commands/agent.js')).agent,
    ],
    broker: [
      'hand tasks in WebAssembly out to whoever lends a browser or a machine',
      async () => (await import('./commands/broker.js')).broker,
    ],
    provider: [
      'lend this machine to a broker, by worker threads or by a browser without a window',
      async () => (await import('./commands/provider.js')).provider,
    ],
    offload: [
      'have a task run by whoever a broker finds for it',
      async () => (await import('./commands/offload.js')).offload,
    ],
    starter: [
      "start programs of this machine for a runner on another one: what 'run --host ssh:HOST' starts there",
      async () => (await import('./commands/starter.js')).starter,
    ],
    completion: [
      'print what makes bash, zsh or fish complete commands, options and choices',
      async () => (await import('./commands/completion.js')).completion,
    ],
    build: [
      'build the native part from source, where there is no package of it',
      async () => (await import('./commands/build.js')).build,
    ],
  },
};

/** Of every subcommand. */
export const subcommandNames: readonly string[] = Object.values(groups).flatMap(Object.keys);

/** A command that help can list and nobody can run: its module is not loaded. */
const listed = (name: string): CommandUnknownOpts => new Command(name);

/** A choice that there is not is refused with what may have been meant. */
function suggest(choosing: { argChoices?: string[] | undefined; parseArg?: unknown }): void {
  const { argChoices, parseArg: read } = choosing;
  if (!argChoices || typeof read !== 'function') return;
  choosing.parseArg = (text: string, previous: unknown) => {
    if (!argChoices.includes(text)) throw noChoice(text, argChoices);
    return read.call(choosing, text, previous);
  };
}

/** Settings of the program, such as how an error reads, for what is below it. */
function inherit(command: CommandUnknownOpts, from: CommandUnknownOpts, path: string): void {
  command.copyInheritedSettings(from);
  command.showHelpAfterError(`(try '${path} --help')`);
  for (const one of [...command.options, ...command.registeredArguments]) suggest(one);
  for (const below of command.commands) inherit(below, command, `${path} ${below.name()}`);
}

/** @param wanted which of them to load; the others are only listed */
export async function addSubcommands(
  program: CommandUnknownOpts,
  wanted: (name: string) => boolean,
): Promise<void> {
  for (const [title, commands] of Object.entries(groups)) {
    program.commandsGroup(title);
    for (const [name, [summary, load]] of Object.entries(commands)) {
      const command = wanted(name) ? await load() : listed(name);
      if (command.description() === '') command.description(summary);
      inherit(command, program, `${program.name()} ${name}`);
      program.addCommand(command.summary(summary));
    }
  }
}
