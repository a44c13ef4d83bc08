/**
 * What a runner's hosts would leave behind if runner and keeper were both killed: each keeper's commands are written down
 * while there is something to remove, with who is to do it. `dispatchbench hosts down` does what nobody does any more.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { validated } from '../contract/validated.js';
import { identityOf, isAlive } from '../identity.js';
import type { Command } from './program.js';

const who = z.strictObject({ pid: z.number().int().positive(), start: z.string() });
const record = z.strictObject({
  runner: who,
  /** null: it was being started */
  keeper: who.nullable(),
  commands: z.array(z.array(z.string()).min(1)),
});
type Leftover = z.infer<typeof record>;

const user = () => process.getuid?.() ?? 0;

export const recordsFolder = (): string => join(tmpdir(), `dispatchbench-hosts-${user()}`);

/**
 * Its records are commands that will be carried out, so nobody else may write there.
 * @throws Error in one sentence
 */
function ownFolder(): string {
  const folder = recordsFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== user() || (found.mode & 0o077) !== 0)
    throw new Error(
      `${folder} is not a folder of this user's alone: remove it, it holds what hosts leave behind`,
    );
  return folder;
}

let records = 0;

export interface Recorded {
  path: string;
  /** The keeper runs now. */
  kept(pid: number): void;
}

/** Writes down what has to be removed before it is there. @throws Error in one sentence */
export function writeDown(commands: readonly Command[]): Recorded {
  const runner = identityOf(process.pid);
  const path = join(ownFolder(), `${runner.pid}-${runner.start}-${++records}.json`);
  const words = commands.map(({ command, args }) => [command, ...args]);
  const write = (keeper: Leftover['keeper']) =>
    writeFileSync(path, JSON.stringify({ runner, keeper, commands: words } satisfies Leftover), {
      mode: 0o600,
    });
  write(null);
  return { path, kept: (pid) => write(identityOf(pid)) };
}

export interface Removed {
  /** pid of the runner that is gone */
  runner: number;
  /** commands that were carried out, in words, and those that failed */
  done: string[];
  failed: string[];
}

/** Does what runners and keepers that are gone have left. @throws Error in one sentence */
export function removeLeftovers(): Removed[] {
  const folder = ownFolder();
  return readdirSync(folder).flatMap((name): Removed[] => {
    const path = join(folder, name);
    let found: Leftover;
    try {
      found = validated(record, JSON.parse(readFileSync(path, 'utf8')), path);
    } catch (error) {
      // A keeper that is done removes its record; one half-written belongs to a runner that did nothing yet.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') rmSync(path, { force: true });
      return [];
    }
    const { runner, keeper, commands } = found;
    if (isAlive(runner) || (keeper && isAlive(keeper))) return [];
    const removed: Removed = { runner: runner.pid, done: [], failed: [] };
    for (const [command, ...args] of commands) {
      const { status } = spawnSync(command!, args, { stdio: 'ignore' });
      removed[status === 0 ? 'done' : 'failed'].push([command, ...args].join(' '));
    }
    if (removed.failed.length === 0) rmSync(path, { force: true });
    return [removed];
  });
}
