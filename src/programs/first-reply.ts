/** How the client is started that waits for a server's first reply. */
import type { Protocol } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { type HostPort, targetText } from '../options.js';
import { clientProgram, flag } from './client.js';

export interface FirstReplySpec {
  protocol: Protocol;
  target: HostPort;
  cpus: readonly number[];
  /** without a pause, or by curl every 10 ms */
  asking?: 'steadily' | 'curl';
}

export const firstReplyProgram = ({ protocol, target, cpus, asking }: FirstReplySpec): Program =>
  clientProgram('first-reply', [
    ...flag('protocol', protocol),
    ...flag('target', targetText(target)),
    ...(asking === 'curl' ? ['--curl'] : []),
    ...flag('cpu', cpus.length > 0 ? cpus.join(',') : undefined),
  ]);
