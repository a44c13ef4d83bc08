/** How the programs are started that call the works of a device, or have them done once. */
import type { CallRow, Work } from '../contract/device.js';
import type { Program } from '../hosts/program.js';
import { clientProgram, flag } from './client.js';

export interface CallsSpec {
  row: CallRow;
  work: Work;
  /** bytes that the work is given */
  argument: number;
  /** how much work it is */
  amount: number;
  rounds: number;
  /** how long one way is called in a round, microseconds */
  sliceUs: number;
}

/** @param command of a runtime that measures calls */
export function callsProgram([path = '', ...args]: readonly string[], spec: CallsSpec): Program {
  return {
    path,
    args: [
      ...args,
      ...flag('row', spec.row),
      ...flag('work', spec.work),
      ...flag('argument', spec.argument),
      ...flag('amount', spec.amount),
      ...flag('rounds', spec.rounds),
      ...flag('slice-us', spec.sliceUs),
    ],
  };
}

/** @param command of a runtime that runs `module`, a path where it is started */
export const runModuleProgram = (module: string, input: string, command: readonly string[]): Program =>
  clientProgram('run-module', [JSON.stringify([module, input, command])]);
