/** `dispatchbench hosts shell`: somebody at this terminal, on a host. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Command } from '@commander-js/extra-typings';
import type { DeclaredHost } from '../../contract/hosts-file.js';
import type { Host } from '../../hosts/host.js';
import { openWanted } from '../../hosts/registry.js';
import { readHostsFile } from '../../run/hosts-file.js';
import { withExamples } from '../examples.js';

/** Node as it lies there: what every host has that runs our scripts. */
const nodeOn = (host: Host): string => host.command({ script: 'clients/observer', args: [] }).command;

/** A shell where the host has this machine's files, else Node's own prompt: images hold what our programs need, no more. */
function commandFor(host: Host, words: readonly string[]): { command: string; args: string[] } {
  const [first, ...rest] = words;
  const node = nodeOn(host);
  if (first === undefined)
    return node === process.execPath ? { command: 'sh', args: ['-i'] } : { command: node, args: ['-i'] };
  return { command: first === 'node' ? node : first, args: rest };
}

/** @throws Error in one sentence */
function declared(name: string, file: string): DeclaredHost {
  const all = readHostsFile(file);
  const found = all.find((one) => one.name === name);
  if (!found)
    throw new Error(`${file} has no host '${name}': it has ${all.map((one) => one.name).join(', ')}`);
  return found;
}

export const shell = new Command('shell')
  .description(
    'start a host, run a shell or a command on it (node is the one that it always has), and end it again',
  )
  .argument('<host>', 'as behind --host of run, or a name in the file')
  .argument('[command...]', 'words of a command, behind --; none is read by a shell here')
  .option('--hosts <file>', 'hosts as a file: see docs/examples/hosts.yaml')
  .option('--client', "on the client's side of it")
  .action(async (name, words, { hosts: file, client = false }) => {
    const roles = await openWanted(file === undefined ? name : declared(name, file));
    try {
      const host = client ? roles.client : roles.server;
      const there = host.entering?.(commandFor(host, words)) ?? null;
      if (there === null)
        throw new Error(
          `host ${roles.name} is not entered from this terminal: reach it as its kind is reached`,
        );
      const child = spawn(there.command, there.args, { stdio: 'inherit' });
      // Ctrl-C is the command's, which shares this terminal; without a terminal it is passed on.
      const pass = (signal: NodeJS.Signals) => child.kill(signal);
      process
        .on('SIGINT', () => {})
        .on('SIGTERM', pass)
        .on('SIGHUP', pass);
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', (error) => reject(new Error(`it could not be started: ${error.message}`)));
        child.once('close', (code, signal) =>
          resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)),
        );
      });
    } finally {
      await roles.close();
    }
  });

withExamples(shell, [
  ['hosts shell netns', "a shell in the server's namespace"],
  ['hosts shell netns --client -- ip addr', "one command on the client's side"],
]);
