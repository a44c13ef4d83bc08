/** The command line as a user runs it. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { packageRoot } from '../../src/addon.js';

export const bin = resolve(packageRoot, 'bin/dispatchbench.js');

/** Runs `dispatchbench ARGS` to its end, without colours and redrawing. */
export const dispatchbench = (...args: string[]): SpawnSyncReturns<string> => run('', args);
/** The same with this on its stdin. */
dispatchbench.fed = (input: string, ...args: string[]): SpawnSyncReturns<string> => run(input, args);

const run = (input: string, args: readonly string[]) =>
  spawnSync(process.execPath, [bin, ...args], {
    encoding: 'utf8',
    env: { ...process.env, CI: 'true' },
    input,
  });
