/** Examples of a command, as its help, the manual and the reference show them; a test parses each. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/** What is typed behind the program's name, and what it is for. */
export type Example = readonly [line: string, about: string];

const known = new WeakMap<CommandUnknownOpts, readonly Example[]>();

export const examplesOf = (command: CommandUnknownOpts): readonly Example[] => known.get(command) ?? [];

/** Two at least: the plain use, and one that shows what is easily overlooked. */
export function withExamples<C extends object>(
  typed: C,
  examples: readonly Example[],
  program = 'dispatchbench',
): C {
  // Comparing the types of two commands takes the compiler minutes.
  const command = typed as unknown as CommandUnknownOpts;
  known.set(command, examples);
  const lines = examples.map(([line, about]) => `  # ${about}\n  ${program} ${line}`);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
  return typed;
}
