/** `dispatchbench serve`: one server under test, in the foreground. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Argument, Command, Option } from '@commander-js/extra-typings';
import { implementation, ioMode, type MechanismName, protocol } from '../../contract/common.js';
import { engineNames } from '../../contract/names.js';
import {
  type ServerOption,
  type ServerOptionName,
  type ServerOptionValues,
  serverOptionEntries,
} from '../../contract/server-options.js';
import { commandOf } from '../../hosts/program.js';
import { howToBuild } from '../../installation.js';
import { cpuList, wholeNumber } from '../../options.js';
import { serverProgram } from '../../programs/server.js';
import { withExamples } from '../examples.js';

/** The flag of a server's option; its default is the server's business, and only told here. */
function flagOf(name: ServerOptionName, option: ServerOption): Option {
  const { flag, help } = option;
  if (option.kind === 'switch') return new Option(`--${flag}`, help);
  const { value } = option;
  // A number without a limit of its own, or a text that is empty, has no default worth telling.
  const told =
    option.kind === 'number' ? option.otherwise < option.high : option.kind === 'text' && option.otherwise;
  const usual = 'otherwise' in option && told ? ` (default: ${option.otherwise})` : '';
  const made = new Option(`--${flag} <${value}>`, help + usual);
  made.attributeName = () => name;
  if (option.kind === 'number') return made.argParser(wholeNumber(option.low, option.high)) as Option;
  return option.kind === 'cpus' ? (made.argParser(cpuList) as Option) : made;
}

const command = new Command('serve')
  .addArgument(new Argument('<protocol>').choices(protocol.options))
  .option('--backend <name>', 'readiness backend; `dispatchbench probe` lists what this system has')
  .addOption(
    new Option('--engine <name>', 'completion engine in its place').choices(engineNames).conflicts('backend'),
  )
  .addOption(
    new Option('--impl <impl>', 'who runs the protocol').choices(implementation.options).default('ts'),
  )
  .addOption(new Option('--io <mode>', 'how a ts server crosses into native code').choices(ioMode.options));
// The control channel is how this command and its child hold together.
for (const [name, option] of serverOptionEntries) {
  if (name !== 'control') command.addOption(flagOf(name, option));
}

export const serve = command
  .option('--base-port <port>', 'another name of --port', wholeNumber(1, 65535))
  .action(async (protocolName, { backend, engine, basePort, ...options }) => {
    const mechanism = engine ?? backend;
    if (mechanism === undefined) throw new Error('say what the server is to run on: --backend or --engine');
    const given = options as typeof options & Partial<ServerOptionValues>;
    const program = serverProgram({
      ...given,
      port: basePort ?? given.port,
      protocol: protocolName,
      // Unknown names go on to the server, which says what this system has.
      backend: mechanism as MechanismName,
      control: true,
    });
    const { command, args } = commandOf(program);
    if (!existsSync(command)) throw new Error(`${command} is missing: ${howToBuild}`);
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

withExamples(serve, [
  ['serve tcp-echo --backend epoll --port 9301', 'an echo server in TypeScript on epoll'],
  ['serve http --backend poll --impl native --port 8081 --workers 2', 'HTTP by two native threads'],
]);
