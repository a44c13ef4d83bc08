/** How the programs that measure the cost of a dispatch are started, wherever they run. */
import type { BackendName } from '../contract/common.js';
import { type CostImplementation, type CostMode, costPeers } from '../contract/cost.js';
import type { Program } from '../hosts/program.js';
import { flag } from './client.js';
import { missingProgram } from './peers.js';

export interface CostSpec {
  mode: CostMode;
  impl: CostImplementation;
  backend: BackendName;
  /** socket pairs registered */
  pairs?: number | undefined;
  /** from one watched descriptor to the next, at least */
  stride?: number | undefined;
  /** as the mode says */
  active?: number | undefined;
  writes?: number | undefined;
  budget?: number | undefined;
  /** rows of one wait's result array */
  maxEvents?: number | undefined;
  /** each wait looks before it sleeps; of our pollers */
  lookFirst?: boolean | undefined;
  seed?: number | undefined;
  /** how long: so many rounds, or rounds for so many milliseconds; the program's own number of rounds when left out */
  length?:
    | { rounds: number; warmupRounds?: number | undefined }
    | { durationMs: number; warmupMs?: number | undefined }
    | undefined;
  /** where another writes: microseconds in which the waiting thread falls asleep before it is written to */
  gapUs?: number | undefined;
  /** where another writes: the waiting thread gets the first, the writer the others */
  cpus?: readonly number[] | undefined;
  /** stdin is the control channel, and its end the program's end */
  control?: boolean | undefined;
  /** before the warm-up it prints a line `held` and waits for one on the control channel, `snapshot` and any word */
  hold?: boolean | undefined;
}

const peerOf = (impl: CostImplementation) => costPeers.find(({ name }) => name === impl);

/** Why somebody else's loop is not there, and how to get it; undefined where it is, or is one of ours. */
export function missingPeer(impl: CostImplementation): string | undefined {
  const peer = peerOf(impl);
  return peer && missingProgram(peer.name, peer.program, peer.package);
}

export function costProgram({ length, ...spec }: CostSpec): Program {
  const args = [
    ...flag('mode', spec.mode),
    ...flag('impl', spec.impl),
    ...flag('backend', spec.backend),
    ...flag('pairs', spec.pairs),
    ...flag('stride', spec.stride),
    ...flag('active', spec.active),
    ...flag('writes', spec.writes),
    ...flag('budget', spec.budget),
    ...flag('max-events', spec.maxEvents),
    ...(spec.lookFirst ? ['--look-first'] : []),
    ...flag('seed', spec.seed),
    ...flag('gap', spec.gapUs),
    ...flag('cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined),
    ...(spec.control ? ['--control'] : []),
    ...(spec.hold ? ['--hold'] : []),
  ];
  if (length !== undefined && 'rounds' in length) {
    args.push(...flag('rounds', length.rounds), ...flag('warmup-rounds', length.warmupRounds));
  } else if (length !== undefined) {
    args.push(...flag('duration', length.durationMs), ...flag('warmup', length.warmupMs));
  }
  if (spec.impl === 'ts') return { script: 'servers/cost', args };
  return { native: peerOf(spec.impl)?.program ?? 'dispatchbench-dispatch-cost', args };
}
