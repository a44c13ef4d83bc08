/** Which hosts a command is about: named, in a file, or every one of this machine. */
import type { WantedHost } from '../contract/hosts-file.js';
import type { AbsentHost } from '../contract/run.js';
import { everyHost } from '../hosts/registry.js';
import { readHostsFile } from '../run/hosts-file.js';

export interface WantedHosts {
  hosts: readonly WantedHost[];
  /** those of this machine that nobody named and that cannot be had */
  absent: readonly AbsentHost[];
}

/** @throws Error in one sentence */
export async function wantedHosts(names: readonly string[], file: string | undefined): Promise<WantedHosts> {
  if (names.length > 0 && file !== undefined)
    throw new Error('hosts are named and in a file: leave one of them out');
  if (file !== undefined) return { hosts: readHostsFile(file), absent: [] };
  return names.length > 0 ? { hosts: names, absent: [] } : everyHost();
}
