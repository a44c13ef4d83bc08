/** hosts.yaml: the hosts of a run with their names, CPUs and roles. */
import { type DeclaredHost, hostsFile } from '../contract/hosts-file.js';
import { readWritten } from './written.js';

/** @throws Error in one sentence */
export const readHostsFile = (path: string): DeclaredHost[] =>
  readWritten(path, 'the list of hosts', hostsFile).hosts;
