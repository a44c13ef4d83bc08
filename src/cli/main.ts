/** The command line: argument parsing only. One file per subcommand in commands/, listed here. */
import { Command } from '@commander-js/extra-typings';
import { packageVersion } from '../addon.js';
import { reportLostOutput } from './output.js';

/** Subcommands by group: of each the module that exports it, imported when it is asked for. `--help` needs them all. */
const groups: Record<string, Record<string, () => Promise<object>>> = {
  'Measure:': {
    run: () => import('./commands/run.js'),
    ab: () => import('./commands/ab.js'),
    ramp: () => import('./commands/ramp.js'),
    knee: () => import('./commands/knee.js'),
    cost: () => import('./commands/cost.js'),
    flame: () => import('./commands/flame.js'),
    probe: () => import('./commands/probe.js'),
    hosts: () => import('./commands/hosts.js'),
    gateways: () => import('./commands/gateways.js'),
    selftest: () => import('./commands/selftest.js'),
  },
  'Look at runs:': {
    open: () => import('./commands/open.js'),
    report: () => import('./commands/report.js'),
    claims: () => import('./commands/claims.js'),
    predict: () => import('./commands/predict.js'),
    compare: () => import('./commands/compare.js'),
    history: () => import('./commands/history.js'),
  },
  'One program at a time:': {
    serve: () => import('./commands/serve.js'),
    load: () => import('./commands/load.js'),
    idle: () => import('./commands/idle.js'),
    agent: () => import('./commands/agent.js'),
    starter: () => import('./commands/starter.js'),
    build: () => import('./commands/build.js'),
  },
};

const program = new Command('dispatchbench')
  .description('How event-dispatch mechanisms scale, measured on real sockets of this machine.')
  .version(packageVersion())
  .showHelpAfterError('(try --help)');

/** Imports the subcommands that the command line may mean: the one that it names, else all. */
async function addCommands(asked: string): Promise<void> {
  const known = Object.values(groups).some((commands) => Object.hasOwn(commands, asked));
  for (const [title, commands] of Object.entries(groups)) {
    program.commandsGroup(title);
    for (const [name, load] of Object.entries(commands)) {
      if (known && name !== asked) continue;
      const exported = (await load()) as Record<string, Command>;
      program.addCommand(exported[name]!);
    }
  }
}

/** Every expected fault arrives here as one sentence; a stack only helps whoever debugs the suite itself. */
function reportFault(error: Error): void {
  console.error(`dispatchbench: ${error.message}`);
  if (process.env.DISPATCHBENCH_DEBUG) console.error(error.stack);
  process.exitCode = 1;
  // What a library left open must not keep it; children that end slowly are given their time.
  setTimeout(() => process.exit(), 10_000).unref();
}

reportLostOutput();
await addCommands(process.argv[2] ?? '').then(
  () => program.parseAsync().catch(reportFault),
  (error: NodeJS.ErrnoException) => {
    // Descriptors that run out while modules are loaded are explained by our caller, who has loaded none.
    if (error.code === 'EMFILE' || error.code === 'ENFILE') throw error;
    reportFault(error);
  },
);
