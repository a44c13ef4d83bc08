/** How a program is started so that CPUs are kept awake for as long as it runs. */
import type { Program } from '../hosts/program.js';
import { clientProgram, flag } from './client.js';

export const awakeProgram = (cpus: readonly number[], runs: Program): Program => ({
  ...clientProgram('awake', [...flag('cpu', cpus.join(',')), '--']),
  runs,
});
