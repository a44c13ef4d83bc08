/** Our own programs by what they are, before a host says where they lie on it. */
import { resolve } from 'node:path';
import { packageRoot, programPath } from '../addon.js';
import type { Command } from '../command.js';

export type { Command } from '../command.js';

/**
 * Run by Node: `script` is a path below the folder of the scripts, without its ending; `subcommand` is one of the command
 * line's. Native: lies beside the addon. `path`: any other, by where the host says that it lies.
 */
export type Program = (
  | { script: string }
  | { subcommand: string }
  | { native: string }
  | { path: string }
) & {
  args: readonly string[];
  /** a program whose command line follows the arguments: what this one runs */
  runs?: Program;
};

/** Where the programs lie on a host. */
export interface Installation {
  /** empty: there is none */
  node: string;
  scripts: string;
  /** the command line's own script */
  cli: string;
  native(name: string): string;
}

/** Of this process. */
export const ownInstallation: Installation = {
  node: process.execPath,
  scripts: resolve(packageRoot, 'dist'),
  cli: resolve(packageRoot, 'bin/dispatchbench.js'),
  native: programPath,
};

/** @throws Error in one sentence when it is a program of Node's and there is none */
export function commandOf(program: Program, where: Installation = ownInstallation): Command {
  const inner = program.runs ? commandOf(program.runs, where) : null;
  const args = [...program.args, ...(inner ? [inner.command, ...inner.args] : [])];
  if ('path' in program) return { command: program.path, args };
  if ('native' in program) return { command: where.native(program.native), args };
  const script =
    'script' in program ? [`${where.scripts}/${program.script}.js`] : [where.cli, program.subcommand];
  if (where.node === '') throw new Error(`there is no Node on that host, which ${script.at(-1)} needs`);
  return { command: where.node, args: [...script, ...args] };
}
