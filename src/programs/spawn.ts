/** How the program is started that starts a command again and again. */
import type { Program } from '../hosts/program.js';
import { flag } from './client.js';

export interface SpawnSpec {
  command: readonly string[];
  warmups: number;
  spawns: number;
  cpus: readonly number[];
}

export const spawnProgram = ({ command, warmups, spawns, cpus }: SpawnSpec): Program => ({
  native: 'dispatchbench-spawn',
  args: [
    ...flag('warmups', warmups),
    ...flag('spawns', spawns),
    ...flag('cpu', cpus.length > 0 ? cpus.join(',') : undefined),
    '--',
    ...command,
  ],
});
