// The compiler cache, where there is one: what was compiled from the same text with the same options, in whichever checkout of
// this machine, is not compiled again.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What stands before the compiler: nothing where there is no cache. */
export const launcher =
  spawnSync('ccache', ['--version'], { stdio: 'ignore' }).status === 0 ? ['ccache'] : [];

// Paths below the checkout count from it. The folder that a compiler runs in is told by traces only.
process.env.CCACHE_BASEDIR ??= resolve(dirname(fileURLToPath(import.meta.url)), '..');
process.env.CCACHE_NOHASHDIR ??= '1';

/** Variables that have node-gyp use it. CXX itself is asked for its compiler by others, as one word. */
export const compilerCacheOfGyp = () =>
  launcher.length > 0 ? { CXX_target: [...launcher, process.env.CXX ?? 'c++'].join(' ') } : {};

/** Options that have cmake-js use it. */
export const compilerCacheOfCMake = launcher.map((name) => `--CDCMAKE_CXX_COMPILER_LAUNCHER=${name}`);
