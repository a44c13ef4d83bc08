/** Programs in Go, which are built when somebody first asks for them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheFolder } from './cache.js';

/** A command of somebody else's, of one version for everybody. */
export interface GoProgram {
  name: string;
  /** path of its package, as Go imports it; the last part that is no version is the program's name */
  from: string;
  version: string;
}

/** Where it lies once it is built, whether it is or not. */
export const goProgramFile = ({ name, version }: GoProgram): string =>
  join(cacheFolder('on-demand'), `${name}-${version}`, name);

/**
 * Builds a program, unless it is there.
 * @param what in messages: 'CometBFT'
 * @param command of go, which leaves the program under its own name in GOBIN, or in the folder it is given here
 * @throws Error in one sentence where Go, or a module, cannot be had
 */
export function goBuilt(
  program: string,
  what: string,
  command: (folder: string) => { args: readonly string[]; cwd?: string },
  say: (line: string) => void,
): string {
  if (existsSync(program)) return program;
  const version = spawnSync('go', ['version'], { encoding: 'utf8' });
  if (version.status !== 0) throw new Error('Go is not installed: apt install golang, or go.dev/dl');
  say(`building ${program} with ${version.stdout.trim()} ...`);
  // Two may build it at the same time, and a third one start it.
  const part = `${program}.${process.pid}.part`;
  mkdirSync(part, { recursive: true });
  const { args, cwd } = command(part);
  const env = { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOBIN: part };
  try {
    const built = spawnSync('go', args, { cwd, env, encoding: 'utf8' });
    if (built.status !== 0) {
      const said = built.error?.message ?? built.stderr.trim().split('\n').at(-1) ?? '';
      throw new Error(`${what} could not be built; is the proxy of Go reachable? Go says: ${said}`);
    }
    mkdirSync(dirname(program), { recursive: true });
    renameSync(join(part, basename(program)), program);
    return program;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** Options of go that make a program of the sources alone, and a small one. */
export const goFlags = ['-trimpath', '-ldflags=-s -w'] as const;

/** Builds a command of somebody else's into this user's cache. @throws Error as above */
export const buildGoProgram = (program: GoProgram, say: (line: string) => void): string =>
  goBuilt(
    goProgramFile(program),
    `${program.name} ${program.version}`,
    () => ({ args: ['install', ...goFlags, `${program.from}@${program.version}`] }),
    say,
  );
