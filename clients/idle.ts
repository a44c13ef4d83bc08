/**
 * The idle holder: opens idle connections to one server and holds them, lines of src/contract/idle.ts on stdout. Ends
 * on SIGTERM, SIGINT, or with `--control` on a line `stop` or the end of its stdin.
 */
import { Command } from '@commander-js/extra-typings';
import { printLine, readControl } from '../src/control.js';
import { holdIdle } from '../src/load/idle.js';
import { cpuList, durationOption, hostPort, wholeNumber } from '../src/options.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';

const program = new Command('idle')
  .requiredOption('--target <host:port>', 'server to connect to', hostPort)
  .requiredOption('--connections <n>', 'connections to hold', wholeNumber(1, 1_000_000))
  .option('--source <address...>', 'local addresses to connect from, in turn')
  .addOption(durationOption('--connect-timeout <d>', 'for one handshake', '5s'))
  .option('--cpu <list>', 'CPUs of this process (1 or 0,2-3)', cpuList)
  .option('--control', 'stdin is the control channel')
  .action(async ({ target, connections, source, connectTimeout, cpu, control }) => {
    if (cpu) setAffinity(cpu);
    // Before all stand there is nothing to say farewell to.
    let end = () => process.exit(0);
    let status = () => {};
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end());
    if (control) {
      readControl(
        (text) => (text === 'status' ? status() : text === 'stop' ? end() : undefined),
        () => end(),
      );
    }
    const hold = await holdIdle({
      target,
      connections,
      sources: source ?? null,
      connectTimeoutNs: connectTimeout,
    });
    status = () => printLine({ event: 'status', ...hold.status() });
    end = () => {
      printLine({ event: 'farewell', ...hold.status() });
      hold.end();
      process.exit(0);
    };
    printLine({ event: 'standing', ...hold.status() });
    // The connections live on the native thread; without a control channel nothing else keeps the program.
    if (!control) setInterval(() => {}, 1 << 30);
  });

await runProgram('idle', () => program.parseAsync());
