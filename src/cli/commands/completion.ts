/** `dispatchbench completion SHELL`: prints what makes a shell complete our commands, options and choices. */
import { Argument, Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { completionScript, shells } from '../completion.js';
import { withExamples } from '../examples.js';

export const completion = new Command('completion')
  .addArgument(new Argument('<shell>', 'whose language').choices(shells))
  .action((shell, _options, command: CommandUnknownOpts) => {
    process.stdout.write(completionScript(command.parent!, shell));
  });

withExamples(completion, [
  [
    'completion bash > ~/.local/share/bash-completion/completions/dispatchbench',
    'for bash, from the next shell on',
  ],
  ['completion fish > ~/.config/fish/completions/dispatchbench.fish', 'for fish'],
]);
