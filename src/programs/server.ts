/** Which program serves a protocol, and with which arguments: one place for runner, CLI, tests and benchmarks. */
import { resolve } from 'node:path';
import { packageRoot, programPath } from '../addon.js';
import type { BackendName, Implementation, IoMode, Protocol } from '../contract/common.js';
import type { Command } from '../hosts/host.js';

export interface ServerSpec {
  protocol: Protocol;
  impl: Implementation;
  backend: BackendName;
  /** for `ts` only; batch when left out */
  io?: IoMode | undefined;
  address?: string | undefined;
  /** 0, the default, takes any free port; hello says which */
  port?: number | undefined;
  /** UDP: number of consecutive ports */
  ports?: number | undefined;
  cpus?: readonly number[] | undefined;
  /** stdin is the control channel, and its end the server's end */
  control?: boolean | undefined;
  /** allow an address other machines can reach */
  expose?: boolean | undefined;
  acceptBudget?: number | undefined;
  maxEvents?: number | undefined;
  maxConnections?: number | undefined;
  /** UDP: networks whose senders are answered, comma-separated; needed for an address other machines can reach */
  allow?: string | undefined;
  /** UDP: datagrams answered per readiness event */
  datagramBudget?: number | undefined;
  /** UDP: SO_RCVBUF, bytes */
  receiveBuffer?: number | undefined;
}

export function serverCommand(spec: ServerSpec): Command {
  const args = ['--protocol', spec.protocol, '--backend', spec.backend];
  const option = (name: string, value: string | number | undefined) => {
    if (value !== undefined) args.push(name, String(value));
  };
  const flag = (name: string, on: boolean | undefined) => {
    if (on) args.push(name);
  };
  option('--address', spec.address);
  option('--port', spec.port);
  option('--ports', spec.ports);
  option('--cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined);
  option('--accept-budget', spec.acceptBudget);
  option('--max-events', spec.maxEvents);
  option('--max-connections', spec.maxConnections);
  option('--allow', spec.allow);
  option('--datagram-budget', spec.datagramBudget);
  option('--receive-buffer', spec.receiveBuffer);
  flag('--control', spec.control);
  flag('--expose', spec.expose);
  if (spec.impl === 'native' || spec.impl === 'baseline') {
    const name = spec.impl === 'native' ? 'dispatchbench-server' : 'dispatchbench-baseline';
    return { command: programPath(name), args };
  }
  if (spec.impl === 'ts') option('--io', spec.io ?? 'batch');
  return {
    command: process.execPath,
    args: [resolve(packageRoot, 'dist/servers/main.js'), '--impl', spec.impl, ...args],
  };
}
