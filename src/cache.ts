/** Where this user keeps what can be had again. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export const cacheFolder = (...names: string[]): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dispatchbench', ...names);
