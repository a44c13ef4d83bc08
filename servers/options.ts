/** The command line of the servers that run in Node; native/net/options.cc takes the same names. */
import { isIPv4 } from 'node:net';
import { parseArgs } from 'node:util';
import type { BackendName, IoMode, Protocol } from '../src/contract/common.js';
import { backendNames, implementations, ioModes, protocols } from '../src/contract/names.js';
import { listBackends } from '../src/dispatch/registry.js';
import { RECEIVE_WINDOW } from './io-desk.js';

export interface ServerOptions {
  impl: 'ts' | 'libuv';
  protocol: Protocol;
  backend: BackendName;
  io: IoMode;
  address: string;
  port: number;
  ports: number;
  cpus: number[];
  control: boolean;
  maxConnections: number;
  /** UDP: networks whose senders are answered, comma-separated; empty on loopback: all */
  allow: string;
  /** UDP: SO_RCVBUF in bytes; 0: the system's default */
  receiveBuffer: number;
  backlog: number;
  budgets: { accept: number; readBytes: number; reads: number; datagrams: number; maxEvents: number };
}

const READS = 4;

function numberOf(
  name: string,
  text: string | undefined,
  low: number,
  high: number,
  otherwise: number,
): number {
  if (text === undefined) return otherwise;
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

const isLoopback = (address: string): boolean =>
  isIPv4(address) ? address.startsWith('127.') : /^(0*:)*:?0*1$/.test(address);

/** @throws Error with one sentence on what is wrong */
export function parseOptions(args: readonly string[]): ServerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      impl: { type: 'string' },
      protocol: { type: 'string' },
      backend: { type: 'string' },
      io: { type: 'string', default: 'batch' },
      address: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      ports: { type: 'string' },
      cpu: { type: 'string' },
      control: { type: 'boolean', default: false },
      expose: { type: 'boolean', default: false },
      'accept-budget': { type: 'string' },
      allow: { type: 'string', default: '' },
      'datagram-budget': { type: 'string' },
      'receive-buffer': { type: 'string' },
      'max-events': { type: 'string' },
      'max-connections': { type: 'string' },
    },
  });
  const udp = values.protocol === 'udp-echo';
  if (udp && !isLoopback(values.address) && values.allow === '') {
    throw new Error(
      `address ${values.address} is not loopback, and a UDP echo there could be used to flood others with its replies: ` +
        'name the networks it may answer, as in --allow 10.0.0.0/8',
    );
  }
  if (!udp && !isLoopback(values.address) && !values.expose) {
    throw new Error(
      `address ${values.address} is not loopback: give --expose as well if other machines may reach this server`,
    );
  }
  const impl = choiceOf('impl', values.impl, implementations);
  if (impl !== 'ts' && impl !== 'libuv') {
    throw new Error(
      `'${impl}' servers are programs of their own: use dispatchbench-server or dispatchbench-baseline`,
    );
  }
  return {
    impl,
    protocol: choiceOf('protocol', values.protocol, protocols),
    backend: backendOf(values.backend),
    io: choiceOf('io', values.io, ioModes),
    address: values.address,
    port: numberOf('port', values.port, 0, 65535, 0),
    ports: numberOf('ports', values.ports, 1, 65535, 1),
    cpus: (values.cpu?.split(',') ?? []).map((cpu) => numberOf('cpu', cpu, 0, 1023, 0)),
    control: values.control,
    maxConnections: numberOf('max-connections', values['max-connections'], 1, 2 ** 32 - 1, 2 ** 32 - 1),
    allow: values.allow,
    receiveBuffer: numberOf('receive-buffer', values['receive-buffer'], 0, 2 ** 30, 0),
    backlog: 4096,
    budgets: {
      accept: numberOf('accept-budget', values['accept-budget'], 1, 65536, 128),
      readBytes: READS * RECEIVE_WINDOW,
      reads: READS,
      datagrams: numberOf('datagram-budget', values['datagram-budget'], 1, 1024, 32),
      maxEvents: numberOf('max-events', values['max-events'], 1, 65536, 1024),
    },
  };
}
