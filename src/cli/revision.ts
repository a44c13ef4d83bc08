/** A build of any revision of this repository, made once and kept by its commit. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache.js';
import { inCheckout, packageRoot } from '../installation.js';

const run = promisify(execFile);
const output = 64 << 20;

/** @throws Error with the end of what the command said */
async function command(cwd: string, name: string, ...args: string[]): Promise<string> {
  try {
    return (await run(name, args, { cwd, maxBuffer: output })).stdout.trim();
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error((stderr?.trim() || message).split('\n').at(-1));
  }
}

async function commitOf(revision: string): Promise<string> {
  if (!inCheckout)
    throw new Error(`'git:${revision}' needs a checkout of dispatchbench, and this is an installed package`);
  try {
    // The end of options, so that a revision that begins with a dash is none.
    return await command(
      packageRoot,
      'git',
      'rev-parse',
      '--verify',
      '--end-of-options',
      `${revision}^{commit}`,
    );
  } catch (error) {
    throw new Error(`'git:${revision}' is no revision of this repository (${(error as Error).message})`);
  }
}

/**
 * The folder of a build of the revision. The work is done beside its final place and renamed when complete, so that a
 * build that was interrupted is never taken for one.
 * @throws Error in one sentence
 */
export async function buildOfRevision(revision: string): Promise<string> {
  const commit = await commitOf(revision);
  const folder = join(cacheFolder('builds'), commit);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder('builds'), { recursive: true });
  const work = mkdtempSync(join(cacheFolder('builds'), 'making-'));
  const [tree, files] = [join(work, 'tree'), join(work, 'files')];
  process.stderr.write(`building ${commit.slice(0, 12)}: a few minutes, once\n`);
  try {
    await command(packageRoot, 'git', 'worktree', 'add', '--detach', tree, commit);
    // From here on files and no worktree: an interruption of the build leaves nothing in git's list.
    renameSync(tree, files);
    await command(packageRoot, 'git', 'worktree', 'remove', '--force', tree);
    rmSync(join(files, '.git'));
    await command(files, process.execPath, 'scripts/setup.mjs');
    renameSync(files, folder);
    return folder;
  } catch (error) {
    throw new Error(`'git:${revision}' cannot be built: ${(error as Error).message}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
