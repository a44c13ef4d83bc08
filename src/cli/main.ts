/** The command line: argument parsing only. One file per subcommand in commands/, listed here. */
import { Command } from '@commander-js/extra-typings';
import { packageVersion } from '../addon.js';
import { ab } from './commands/ab.js';
import { agent } from './commands/agent.js';
import { claims } from './commands/claims.js';
import { compare } from './commands/compare.js';
import { flame } from './commands/flame.js';
import { gateways } from './commands/gateways.js';
import { history } from './commands/history.js';
import { hosts } from './commands/hosts.js';
import { idle } from './commands/idle.js';
import { knee } from './commands/knee.js';
import { load } from './commands/load.js';
import { open } from './commands/open.js';
import { predict } from './commands/predict.js';
import { probe } from './commands/probe.js';
import { ramp } from './commands/ramp.js';
import { report } from './commands/report.js';
import { run } from './commands/run.js';
import { selftest } from './commands/selftest.js';
import { serve } from './commands/serve.js';
import { starter } from './commands/starter.js';
import { reportLostOutput } from './output.js';

const program = new Command('dispatchbench')
  .description('How event-dispatch mechanisms scale, measured on real sockets of this machine.')
  .version(packageVersion())
  .showHelpAfterError('(try --help)')
  .commandsGroup('Measure:')
  .addCommand(run)
  .addCommand(ab)
  .addCommand(ramp)
  .addCommand(knee)
  .addCommand(flame)
  .addCommand(probe)
  .addCommand(hosts)
  .addCommand(gateways)
  .addCommand(selftest)
  .commandsGroup('Look at runs:')
  .addCommand(open)
  .addCommand(report)
  .addCommand(claims)
  .addCommand(predict)
  .addCommand(compare)
  .addCommand(history)
  .commandsGroup('One program at a time:')
  .addCommand(serve)
  .addCommand(load)
  .addCommand(idle)
  .addCommand(agent)
  .addCommand(starter);

reportLostOutput();
try {
  await program.parseAsync();
} catch (error) {
  // Every expected fault arrives here as one sentence; a stack only helps whoever debugs the suite itself.
  console.error(`dispatchbench: ${(error as Error).message}`);
  if (process.env.DISPATCHBENCH_DEBUG) console.error((error as Error).stack);
  process.exitCode = 1;
  // What a library left open must not keep it; children that end slowly are given their time.
  setTimeout(() => process.exit(), 10_000).unref();
}
