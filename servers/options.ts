/** The command line of the servers that run in Node: the options of src/contract/server-options.ts. */
import { isIPv4 } from 'node:net';
import { parseArgs } from 'node:util';
import type { BackendName, EngineName, IoMode, MechanismName, Protocol } from '../src/contract/common.js';
import {
  backendNames,
  engineNames,
  implementations,
  ioModes,
  isEngine,
  protocols,
} from '../src/contract/names.js';
import {
  type ServerOption,
  type ServerOptionValues,
  serverOptionEntries,
} from '../src/contract/server-options.js';
import { listBackends } from '../src/dispatch/registry.js';
import { RECEIVE_WINDOW } from './io-desk.js';

export interface ServerOptions extends ServerOptionValues {
  impl: 'ts' | 'libuv';
  protocol: Protocol;
  /** or the engine that stands in its place */
  backend: MechanismName;
  io: IoMode;
  budgets: { accept: number; readBytes: number; reads: number; datagrams: number; maxEvents: number };
}

/** Of a server that waits for readiness. */
export type PolledOptions = ServerOptions & { backend: BackendName };

export const isPolled = (options: ServerOptions): options is PolledOptions => !isEngine(options.backend);

const READS = 4;

function numberOf(name: string, text: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) {
    throw new Error(`--${name} must be a number from ${low} to ${high}, not '${text}'`);
  }
  return value;
}

function choiceOf<T extends string>(name: string, text: string | undefined, choices: readonly T[]): T {
  const choice = choices.find((known) => known === text);
  if (choice === undefined) {
    throw new Error(`--${name} must be one of ${choices.join(', ')}, not '${text ?? ''}'`);
  }
  return choice;
}

function backendOf(text: string | undefined): BackendName {
  const name = backendNames.find((known) => known === text);
  if (name !== undefined) return name;
  const available = listBackends().filter((probe) => probe.available);
  throw new Error(
    `unknown backend '${text ?? ''}': this system has ${available.map((probe) => probe.name).join(', ')}`,
  );
}

/** @throws Error with the words of native/servers/options.cc */
function mechanismOf(backend: string | undefined, engine: string | undefined, words: string): MechanismName {
  if (engine === undefined) {
    if (words !== '') throw new Error('--engine-options are of an --engine');
    return backendOf(backend);
  }
  if (backend !== undefined) throw new Error('--engine stands in the place of --backend: give one of them');
  const name = engineNames.find((known): known is EngineName => known === engine);
  if (name === undefined) throw new Error(`unknown engine '${engine}': there is ${engineNames.join(', ')}`);
  return name;
}

/** @param given what parseArgs() made of it: a text, true for a switch, undefined when it was not given */
function chosenOf(option: ServerOption, given: string | boolean | undefined) {
  if (option.kind === 'switch') return given === true;
  const text = given as string | undefined;
  if (option.kind === 'cpus') {
    return (text?.split(',') ?? []).map((cpu) => numberOf(option.flag, cpu, 0, 1023));
  }
  if (option.kind === 'text' || text === undefined) return text ?? option.otherwise;
  return numberOf(option.flag, text, option.low, option.high);
}

export const isLoopback = (address: string): boolean =>
  isIPv4(address) ? address.startsWith('127.') : /^(0*:)*:?0*1$/.test(address);

/** @throws Error when what only the native server has was asked for */
function checkThreads({ workers, accept, busyPoll }: ServerOptionValues): void {
  if (workers > 1 || accept !== '' || busyPoll > 0)
    throw new Error('--workers, --accept and --busy-poll are of the native server: use dispatchbench-server');
}

/** @throws Error when who waits is none of our pollers, in the words of native/servers/options.cc */
function checkWaiting({ leastWait }: ServerOptionValues, impl: string, engine: string | undefined): void {
  if (leastWait === 0) return;
  if (engine !== undefined)
    throw new Error(
      '--least-wait is of servers that wait for readiness: an engine has --engine-options batch=N,wait=US',
    );
  if (impl === 'libuv') throw new Error('--least-wait is of servers on our pollers, and not of node:net');
}

/** @throws Error when other machines could reach the server and that was not asked for */
function checkReach(protocol: string | undefined, { address, allow, expose }: ServerOptionValues): void {
  if (isLoopback(address)) return;
  const udp = protocol === 'udp-echo';
  if (udp && allow === '') {
    throw new Error(
      `address ${address} is not loopback, and a UDP echo there could be used to flood others with its replies: ` +
        'name the networks it may answer, as in --allow 10.0.0.0/8',
    );
  }
  if (!udp && !expose) {
    throw new Error(
      `address ${address} is not loopback: give --expose as well if other machines may reach this server`,
    );
  }
}

const text = { type: 'string' } as const;
const switches = { type: 'boolean' } as const;

/** @throws Error with one sentence on what is wrong */
export function parseOptions(args: readonly string[]): ServerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(
        serverOptionEntries.map(([, { flag, kind }]) => [flag, kind === 'switch' ? switches : text]),
      ),
      impl: text,
      protocol: text,
      backend: text,
      engine: text,
      io: { type: 'string', default: 'batch' },
    },
  });
  const given = values as Record<string, string | boolean | undefined>;
  const chosen = Object.fromEntries(
    serverOptionEntries.map(([name, option]) => [name, chosenOf(option, given[option.flag])]),
  ) as unknown as ServerOptionValues;
  checkReach(values.protocol, chosen);
  checkThreads(chosen);
  const impl = choiceOf('impl', values.impl, implementations);
  if (impl !== 'ts' && impl !== 'libuv') {
    throw new Error(
      `'${impl}' servers are programs of their own: use dispatchbench-server or dispatchbench-baseline`,
    );
  }
  checkWaiting(chosen, impl, values.engine);
  return {
    ...chosen,
    impl,
    protocol: choiceOf('protocol', values.protocol, protocols),
    backend: mechanismOf(values.backend, values.engine, chosen.engineOptions),
    io: choiceOf('io', values.io, ioModes),
    budgets: {
      accept: chosen.acceptBudget,
      readBytes: READS * RECEIVE_WINDOW,
      reads: READS,
      datagrams: chosen.datagramBudget,
      maxEvents: chosen.maxEvents,
    },
  };
}
