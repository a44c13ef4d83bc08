/** How the program that measures the cost of a dispatch is started, wherever it runs. */
import type { BackendName } from '../contract/common.js';
import type { CostImplementation, CostMode } from '../contract/cost.js';
import type { Program } from '../hosts/program.js';
import { flag } from './client.js';

export interface CostSpec {
  mode: CostMode;
  impl: CostImplementation;
  backend: BackendName;
  /** socket pairs registered */
  pairs?: number | undefined;
  /** drain: pairs written before a round */
  active?: number | undefined;
  /** drain: writes forwarded in a round */
  writes?: number | undefined;
  /** rows of one wait's result array */
  maxEvents?: number | undefined;
  seed?: number | undefined;
  /** how long: so many rounds, or rounds for so many milliseconds; the program's own number of rounds when left out */
  length?:
    | { rounds: number; warmupRounds?: number | undefined }
    | { durationMs: number; warmupMs?: number | undefined }
    | undefined;
  /** wakeup-threads: microseconds in which the waiting thread falls asleep before it is written to */
  gapUs?: number | undefined;
  /** wakeup-threads: the waiting thread gets the first, the writer the others */
  cpus?: readonly number[] | undefined;
  /** stdin is the control channel, and its end the program's end */
  control?: boolean | undefined;
}

export function costProgram({ length, ...spec }: CostSpec): Program {
  const args = [
    ...flag('mode', spec.mode),
    ...flag('impl', spec.impl),
    ...flag('backend', spec.backend),
    ...flag('pairs', spec.pairs),
    ...flag('active', spec.active),
    ...flag('writes', spec.writes),
    ...flag('max-events', spec.maxEvents),
    ...flag('seed', spec.seed),
    ...flag('gap', spec.gapUs),
    ...flag('cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined),
    ...(spec.control ? ['--control'] : []),
  ];
  if (length !== undefined && 'rounds' in length) {
    args.push(...flag('rounds', length.rounds), ...flag('warmup-rounds', length.warmupRounds));
  } else if (length !== undefined) {
    args.push(...flag('duration', length.durationMs), ...flag('warmup', length.warmupMs));
  }
  return { native: 'dispatchbench-dispatch-cost', args };
}
