/** The program `dispatchbench`, whose commands are loaded as they are wanted. */
import { Command } from '@commander-js/extra-typings';
import { packageVersion } from '../installation.js';
import { helpStyle } from './help.js';
import { addSubcommands } from './subcommands.js';

/** @param wanted which commands to load; the others are only listed */
export async function programWith(wanted: (name: string) => boolean) {
  const program = new Command('dispatchbench')
    .description('How event-dispatch mechanisms scale, measured on real sockets of this machine.')
    .version(packageVersion())
    .showHelpAfterError("(try 'dispatchbench --help')")
    .configureHelp(helpStyle)
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'dispatchbench: ')),
    });
  await addSubcommands(program, wanted);
  return program;
}
