/**
 * Keeps CPUs from sleeping while a slow load is measured; the line of src/contract/awake.ts on stdout. Ends on SIGTERM,
 * SIGINT, a line `stop` on its stdin or the end of it.
 */
import { Command } from '@commander-js/extra-typings';
import type { Awake } from '../src/contract/awake.js';
import { printLine, readControl } from '../src/control.js';
import { cpuList } from '../src/options.js';
import { keepAwake } from '../src/process.js';
import { runProgram } from '../src/program.js';

const program = new Command('awake')
  .requiredOption('--cpu <list>', 'CPUs to keep awake (1 or 0,2-3)', cpuList)
  .action(({ cpu }) => {
    readControl(
      (text) => text === 'stop' && process.exit(0),
      () => process.exit(0),
    );
    let kept: Awake = { cpus: cpu, reason: null };
    try {
      keepAwake(cpu);
    } catch (error) {
      kept = { cpus: [], reason: (error as Error).message };
    }
    printLine({ event: 'awake', ...kept });
  });

await runProgram('awake', () => program.parseAsync());
