/** How the program that keeps CPUs awake is started. */
import type { Command } from '../hosts/host.js';
import { clientProgram, flag } from './client.js';

export const awakeCommand = ({ cpus }: { cpus: readonly number[] }): Command =>
  clientProgram('awake', flag('cpu', cpus.join(',')));
