/**
 * How a machine is reached by ssh: OpenSSH is a child with an argument vector, and how it finds the machine (port, key, jump
 * host) is the business of its configuration.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Command } from './program.js';

const connectSeconds = 15;

/** For a connection to stand and what it leads to to speak. */
export const sshReadyMs = 30_000;

/** A host name, maybe with a user; never an option, never a word for a shell. */
const destination = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*$/;

/** BatchMode: a question for a password would wait for ever. A machine that does not answer any more is given up. */
const options = [
  'BatchMode=yes',
  `ConnectTimeout=${connectSeconds}`,
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
].flatMap((option) => ['-o', option]);

/** @param words for the shell of the other side, which reads them as text: ours alone */
export const sshCommand = (host: string, ...words: string[]): Command => ({
  command: 'ssh',
  args: [...options, '--', host, ...words],
});

/** Why no machine can be reached from here; null: one can. */
export async function noSsh(): Promise<string | null> {
  try {
    await promisify(execFile)('ssh', ['-V']);
    return null;
  } catch {
    return 'there is no program ssh: install the client of OpenSSH (Debian: apt-get install openssh-client)';
  }
}

/**
 * @param kind of host that asks
 * @returns the machine that its argument names
 * @throws Error in one sentence when it names none, or there is no ssh
 */
export async function machineNamed(kind: string, argument: string | null): Promise<string> {
  if (argument === null || !destination.test(argument))
    throw new Error(
      `the host '${kind}' needs the name of a machine, not '${argument ?? ''}': ${kind}:[USER@]HOST`,
    );
  const reason = await noSsh();
  if (reason) throw new Error(`not available here: ${reason}`);
  return argument;
}

/** As part of the name of a host. */
export const inName = (machine: string): string => machine.replaceAll(/[^A-Za-z0-9-]/g, '-');
