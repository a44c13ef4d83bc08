/** How a program is started so that CPUs are kept awake for as long as it runs. */
import type { Command } from '../hosts/host.js';
import { clientProgram, flag } from './client.js';

export const awakeCommand = (cpus: readonly number[], { command, args }: Command): Command =>
  clientProgram('awake', [...flag('cpu', cpus.join(',')), '--', command, ...args]);
