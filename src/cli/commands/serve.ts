/** `dispatchbench serve`: one server under test, in the foreground. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Argument, Command, Option } from '@commander-js/extra-typings';
import { type backendName, implementation, ioMode, protocol } from '../../contract/common.js';
import { cpuList, wholeNumber } from '../../options.js';
import { serverCommand } from '../../programs/server.js';

export const serve = new Command('serve')
  .description('run a server under test; prints its hello line, and its farewell when it stops')
  .addArgument(new Argument('<protocol>').choices(protocol.options))
  .requiredOption('--backend <name>', 'readiness backend; `dispatchbench probe` lists what this system has')
  .addOption(
    new Option('--impl <impl>', 'who runs the protocol').choices(implementation.options).default('ts'),
  )
  .addOption(new Option('--io <mode>', 'how a ts server crosses into native code').choices(ioMode.options))
  .option('--port <port>', 'TCP or UDP port; 0 takes any free one', wholeNumber(0, 65535), 0)
  .option('--ports <count>', 'udp-echo: number of consecutive ports', wholeNumber(1, 65535))
  .option('--base-port <port>', 'udp-echo: the first of them, another name of --port', wholeNumber(1, 65535))
  .option(
    '--allow <networks>',
    'udp-echo: answer these senders only (10.0.0.0/8,...); needed beyond loopback',
  )
  .option('--datagram-budget <n>', 'udp-echo: datagrams answered per readiness event', wholeNumber(1, 1024))
  .option('--receive-buffer <bytes>', 'udp-echo: SO_RCVBUF', wholeNumber(1, 1 << 30))
  .option('--address <ip>', 'address to bind', '127.0.0.1')
  .option('--expose', 'allow an address that other machines can reach')
  .option('--cpu <list>', 'CPUs to run on, like 0,2-3', cpuList)
  .option('--accept-budget <n>', 'connections accepted per readiness event', wholeNumber(1, 65536))
  .option('--max-events <n>', 'rows of one wait', wholeNumber(1, 65536))
  .option('--max-connections <n>', 'connections beyond this are refused', wholeNumber(1, 2 ** 32 - 1))
  .action(async (protocolName, { backend, cpu, basePort, port, ...options }) => {
    const { command, args } = serverCommand({
      ...options,
      port: basePort ?? port,
      protocol: protocolName,
      // Unknown names go on to the server, which says what this system has.
      backend: backend as (typeof backendName.options)[number],
      cpus: cpu,
      control: true,
    });
    if (!existsSync(command)) throw new Error(`${command} is missing: run 'npm run setup' to build it`);
    process.exitCode = await exitOf(spawn(command, args, { stdio: ['pipe', 'inherit', 'inherit'] }));
  });

/**
 * Passes termination signals on and waits. The child's control channel is a pipe that only this process holds, so the
 * child ends with this process, however it ends.
 */
function exitOf(child: ChildProcess): Promise<number> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill('SIGTERM'));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
