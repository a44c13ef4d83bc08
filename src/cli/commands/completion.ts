/** `dispatchbench completion SHELL`: prints what makes a shell complete our commands, options and choices. */
import { Argument, Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { completionScript, shells } from '../completion.js';

export const completion = new Command('completion')
  .addArgument(new Argument('<shell>', 'whose language').choices(shells))
  .addHelpText(
    'after',
    `
Examples:
  source <(dispatchbench completion bash)
  dispatchbench completion fish > ~/.config/fish/completions/dispatchbench.fish`,
  )
  .action((shell, _options, command: CommandUnknownOpts) => {
    process.stdout.write(completionScript(command.parent!, shell));
  });
