/**
 * A machine that is reached by ssh: server and client both on it, over its loopback. The same version of dispatchbench has
 * to be installed there. OpenSSH is a child with an argument vector, and the two words that the other side's shell gets are
 * ours; what is to be started travels in frames. How the machine is reached (port, key, jump host) is the business of
 * OpenSSH and its configuration.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { packageVersion } from '../addon.js';
import { childLink } from '../carriers/link.js';
import { type StarterRequest, starterReport } from '../contract/starter.js';
import type { HostKind, Roles } from './host.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';
import type { Command } from './program.js';
import { Remote } from './remote.js';

const connectSeconds = 15;
const readyMs = 30_000;

/** A host name, maybe with a user; never an option, never a word for a shell. */
const destination = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*$/;

/** BatchMode: a question for a password would wait for ever. A machine that does not answer any more is given up. */
const options = [
  'BatchMode=yes',
  `ConnectTimeout=${connectSeconds}`,
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
].flatMap((option) => ['-o', option]);

export const sshCommand = (host: string): Command => ({
  command: 'ssh',
  args: [...options, '--', host, 'dispatchbench', 'starter'],
});

const openSsh = (to: string): Promise<Roles> =>
  Opened.by(async (opened) => {
    const link = childLink<typeof starterReport, StarterRequest>(to, starterReport, sshCommand(to), true);
    opened.atEnd(async () => {
      link.close();
      await link.ended;
    });
    const remote = await Remote.over(link, readyMs).catch((error: Error) => {
      throw new Error(
        `not available: ${error.message}; is it reached by 'ssh ${to} dispatchbench --version'?`,
      );
    });
    if (remote.version !== packageVersion())
      throw new Error(
        `${to} has dispatchbench ${remote.version} and this is ${packageVersion()}: install the same there`,
      );
    const name = `ssh-${to.replaceAll(/[^A-Za-z0-9-]/g, '-')}`;
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
  async unavailable() {
    try {
      await promisify(execFile)('ssh', ['-V']);
      return null;
    } catch {
      return 'there is no program ssh: install the client of OpenSSH (Debian: apt-get install openssh-client)';
    }
  },
  async open(argument) {
    if (argument === null || !destination.test(argument))
      throw new Error(`the host 'ssh' needs the name of a machine, not '${argument ?? ''}': ssh:[USER@]HOST`);
    const reason = await ssh.unavailable();
    if (reason) throw new Error(`not available here: ${reason}`);
    return openSsh(argument);
  },
};
