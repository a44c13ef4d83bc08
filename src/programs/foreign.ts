/** How somebody else's server is started so that it speaks the server contract. */
import type { Protocol } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { flag } from './client.js';

export interface ForeignSpec {
  protocol: Protocol;
  /**
   * Program and arguments, run without a shell; `{port}` and `{address}` in any of them are replaced by where it is to
   * serve. It may go into the background.
   */
  command: readonly string[];
  address?: string | undefined;
  /** 0, the default, takes any free port; hello says which */
  port?: number | undefined;
  /** UDP: number of consecutive ports */
  ports?: number | undefined;
  /** CPUs of the command and all it starts */
  cpus?: readonly number[] | undefined;
  /** `told`: it serves only when it has also told a line, for somebody before it accepts connections earlier */
  ready?: 'accepts' | 'told' | undefined;
  /** milliseconds until it must serve */
  readyTimeoutMs?: number | undefined;
  /** milliseconds between SIGTERM and SIGKILL at the end */
  graceMs?: number | undefined;
  /** where CPU times come from; the first that can be had when left out, and hello says which */
  accounting?: 'cgroup2' | 'cgroup1' | 'rusage' | undefined;
  /** a control group whose processes are the command's as well, whoever started them */
  group?: string | undefined;
  /** stdin is the control channel, and its end the server's end */
  control?: boolean | undefined;
}

/** The wrapper around one of our programs, wherever that lies. */
export const wrapped = (spec: Omit<ForeignSpec, 'command'>, program: Program): Program => ({
  ...foreignProgram({ ...spec, command: [] }),
  runs: program,
});

export function foreignProgram(spec: ForeignSpec): Program {
  return {
    native: 'dispatchbench-foreign',
    args: [
      ...flag('protocol', spec.protocol),
      ...flag('address', spec.address),
      ...flag('port', spec.port),
      ...flag('ports', spec.ports),
      ...flag('cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined),
      ...flag('ready', spec.ready),
      ...flag('ready-timeout', spec.readyTimeoutMs),
      ...flag('grace', spec.graceMs),
      ...flag('accounting', spec.accounting),
      ...flag('group', spec.group),
      ...(spec.control ? ['--control'] : []),
      '--',
      ...spec.command,
    ],
  };
}
