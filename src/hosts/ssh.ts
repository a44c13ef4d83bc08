/**
 * A machine that is reached by ssh: server and client both on it, over its loopback. The same version of dispatchbench has
 * to be installed there. The two words that the other side's shell gets are ours; what is to be started travels in frames.
 */
import { packageVersion } from '../addon.js';
import { childLink } from '../carriers/link.js';
import { type StarterRequest, starterReport } from '../contract/starter.js';
import type { HostKind, Roles } from './host.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';
import { Remote } from './remote.js';
import { inName, machineNamed, noSsh, sshCommand, sshReadyMs } from './ssh-connection.js';

const openSsh = (to: string): Promise<Roles> =>
  Opened.by(async (opened) => {
    const starter = sshCommand(to, 'dispatchbench', 'starter');
    const link = childLink<typeof starterReport, StarterRequest>(to, starterReport, starter, true);
    opened.atEnd(async () => {
      link.close();
      await link.ended;
    });
    const remote = await Remote.over(link, sshReadyMs).catch((error: Error) => {
      throw new Error(
        `not available: ${error.message}; is it reached by 'ssh ${to} dispatchbench --version'? ` +
          `Nothing of ours has to be installed for ssh-bare:${to}`,
      );
    });
    if (remote.version !== packageVersion())
      throw new Error(
        `${to} has dispatchbench ${remote.version} and this is ${packageVersion()}: install the same there`,
      );
    const name = `ssh-${inName(to)}`;
    const host = await ObservedHost.start({
      identity: { name, executionClass: 'native', transport: 'loopback' },
      address: '127.0.0.1',
      start: (name, command) => remote.start(name, command),
      installation: remote.installation,
    });
    opened.atEnd(() => host.stop());
    return { name, server: host, client: host, close: opened.close };
  });

export const ssh: HostKind = {
  id: 'ssh',
  onlyWhenAsked: true,
  summary: 'a machine reached by ssh that has dispatchbench installed, over its loopback: ssh:[USER@]HOST',
  unavailable: noSsh,
  open: async (argument) => openSsh(await machineNamed('ssh', argument)),
};
