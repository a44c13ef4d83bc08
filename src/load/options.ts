/** Options of a load, the same for `dispatchbench load` and for the client program; what is loaded each says in its way. */
import { type Command, Option } from '@commander-js/extra-typings';
import { cpuList, durationOption, type HostPort, positiveNumber, wholeNumber } from '../options.js';
import type { LoadOptions } from './engine.js';

export function withLoadOptions(command: Command) {
  return command
    .addOption(
      new Option('--rate <r>', 'open loop: requests per second over all connections').argParser(
        positiveNumber,
      ),
    )
    .addOption(
      new Option('--closed', 'closed loop: the next request when the reply is there').conflicts('rate'),
    )
    .addOption(durationOption('--warmup <d>', 'load before the window, not measured', '1s'))
    .addOption(durationOption('--timeout <d>', 'a request without reply so long is an error', '5s'))
    .addOption(durationOption('--connect-timeout <d>', 'for one handshake', '5s'))
    .option('--size <bytes>', 'tcp-echo: payload of a request', wholeNumber(1, 1 << 20), 64)
    .option('--pipelining <n>', 'requests in flight on one connection', wholeNumber(1, 1024), 1)
    .addOption(
      new Option('--arrival <kind>', 'gaps of the open loop')
        .choices(['fixed', 'exponential'] as const)
        .default('fixed' as const),
    )
    .option('--seed <n>', 'of exponential gaps', wholeNumber(0, 0xffff_ffff), 1)
    .option('--path <path>', 'http: what to get', '/')
    .option('--any-body', 'http: replies may differ in their body')
    .option('--cpu <list>', 'CPUs of this process (1 or 0,2-3)', cpuList);
}

export type LoadValues = ReturnType<ReturnType<typeof withLoadOptions>['opts']> & {
  target: HostPort;
  connections: number;
  /** of the window, nanoseconds */
  duration: number;
};

/** @throws Error when neither --rate nor --closed says how to load */
export function loadOptionsOf(protocol: LoadOptions['protocol'], values: LoadValues): LoadOptions {
  if (values.rate === undefined && !values.closed) {
    throw new Error('say how to load: --rate R (open loop) or --closed');
  }
  return {
    protocol,
    target: values.target,
    connections: values.connections,
    rate: values.rate ?? null,
    arrival: values.arrival,
    seed: values.seed,
    size: values.size,
    pipelining: values.pipelining,
    warmupNs: values.warmup,
    windowNs: values.duration,
    timeoutNs: values.timeout,
    connectTimeoutNs: values.connectTimeout,
    path: values.path,
    anyBody: values.anyBody ?? false,
  };
}
