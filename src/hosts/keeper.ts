/** Has commands carried out when this process ends or closes it, also after kill -9. */
import { Child } from './child.js';
import { writeDown } from './leftovers.js';
import { type Command, commandOf } from './program.js';

/** Longer than the keeper itself tries (clients/keeper.ts). */
const graceMs = 30_000;

/** @param commands in their order */
export function keeper(commands: readonly Command[]): { close(): Promise<void> } {
  const record = writeDown(commands);
  const all = [...commands, { command: 'rm', args: ['-f', record.path] }];
  const words = JSON.stringify(all.map(({ command, args }) => [command, ...args]));
  const child = new Child('the keeper', commandOf({ script: 'clients/keeper', args: [words] }));
  record.kept(child.pid);
  return { close: () => child.end(graceMs) };
}
