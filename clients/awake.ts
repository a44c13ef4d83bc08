/**
 * Runs a command and keeps CPUs from sleeping for as long as it runs; the line of src/contract/awake.ts on stdout before
 * the command's own. The command has its stdin, stdout and stderr, and its exit code is the command's.
 *
 * It has to be this program's child: Linux groups tasks by session (sched(7), autogroup), and only within a group does a
 * task of the idle policy give way at once; a stranger's would wait for a tick, up to 4 ms.
 */
import { spawn } from 'node:child_process';
import { Command } from '@commander-js/extra-typings';
import type { Awake } from '../src/contract/awake.js';
import { printLine } from '../src/control.js';
import { cpuList } from '../src/options.js';
import { keepAwake } from '../src/process.js';
import { runProgram } from '../src/program.js';

function keep(cpus: number[]): Awake {
  try {
    keepAwake(cpus);
    return { cpus, reason: null };
  } catch (error) {
    return { cpus: [], reason: (error as Error).message };
  }
}

const program = new Command('awake')
  .requiredOption('--cpu <list>', 'CPUs to keep awake (1 or 0,2-3)', cpuList)
  .argument('<command>', 'what to run')
  .argument('[args...]')
  .passThroughOptions()
  .action(async (command, args, { cpu }) => {
    printLine({ event: 'awake', ...keep(cpu) });
    const child = spawn(command, args, { stdio: 'inherit' });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status) => resolve(status ?? 1));
    });
    process.exit(code);
  });

await runProgram('awake', () => program.parseAsync());
