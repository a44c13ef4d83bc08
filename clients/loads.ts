/**
 * A load client that stands: each line on stdin that is a JSON array is the command line of one load, carried out when
 * the one before has ended, so that a short window does not wait for a program to start. The lines of a load are those
 * of clients/load.ts, and so are `go` and `close`. Ends with its stdin, and with the first load that fails.
 */
import { Command } from '@commander-js/extra-typings';
import { z } from 'zod';
import { readControl } from '../src/control.js';
import { cpuList } from '../src/options.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { carryOut, loadCommand } from './load-command.js';
import { Told } from './told.js';

const commandLine = z.array(z.string());

/** @throws Error in one sentence: a line that is no command line would leave its sender waiting */
function argumentsOf(text: string): string[] {
  try {
    return commandLine.parse(JSON.parse(text));
  } catch {
    throw new Error(`neither go, close nor a JSON array of arguments: '${text.slice(0, 80)}'`);
  }
}

const program = new Command('loads')
  .option('--cpu <list>', 'CPUs of this process (1 or 0,2-3)', cpuList)
  .action(async ({ cpu }) => {
    if (cpu) setAffinity(cpu);
    let told: Told | null = null;
    await new Promise<void>((_, fail) => {
      readControl(
        (text) => {
          if (told?.line(text)) return;
          try {
            if (told) throw new Error('a load was asked while another one is carried out');
            const load = new Told();
            told = load;
            const values = loadCommand().parse(argumentsOf(text), { from: 'user' }).opts();
            carryOut(values, load).then(() => {
              told = null;
            }, fail);
          } catch (error) {
            fail(error);
          }
        },
        () => process.exit(0),
      );
    });
  });

await runProgram('loads', () => program.parseAsync());
