/** Where this user keeps things: what can be had again, and what should outlast a cleaning of that. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export const cacheFolder = (...names: string[]): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dispatchbench', ...names);

export const stateFolder = (...names: string[]): string =>
  join(process.env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'dispatchbench', ...names);
