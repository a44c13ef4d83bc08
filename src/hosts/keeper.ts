/** Has commands carried out when this process ends or closes it, also after kill -9. */
import { Child } from './child.js';
import { type Command, commandOf } from './program.js';

/** Longer than the keeper itself tries (clients/keeper.ts). */
const graceMs = 30_000;

/** @param commands in their order */
export function keeper(commands: readonly Command[]): { close(): Promise<void> } {
  const words = JSON.stringify(commands.map(({ command, args }) => [command, ...args]));
  const child = new Child('the keeper', commandOf({ script: 'clients/keeper', args: [words] }));
  return { close: () => child.end(graceMs) };
}
