/**
 * Where programs run. One file per kind of host implements this; none of them knows what is measured.
 *
 * Programs pin themselves (`--cpu` in their arguments), because only they can move all their threads on every kind of
 * host, so a host has nothing to do with CPUs beyond naming them in its facts.
 */
import type { MemoryCopy } from '../contract/run.js';
import type { CpuTimes, HostFacts, Sample } from '../contract/sample.js';
import type { NetworkCounters } from './network-counters.js';

/** Ends of lines of a program that a host runs, and its control channel. */
export interface HostProcess {
  /** what to call it in messages */
  readonly name: string;
  /** process id on its host; 0 when it could not be started */
  readonly pid: number;
  /**
   * The next JSON line whose `event` is this one, kept from when it was printed until it is asked for.
   * @throws Error in one sentence with the end of stderr when the program ends first or `timeoutMs` pass
   */
  expect(event: string, timeoutMs: number): Promise<unknown>;
  /** Writes one line to its stdin. A program that has ended ignores it. */
  send(line: string): void;
  /** Closes stdin, which ends the program by contract, then insists (SIGTERM, SIGKILL) when it does not end. */
  end(graceMs: number): Promise<void>;
  /** Last lines of stderr. */
  stderrTail(): string;
}

export interface Command {
  command: string;
  args: string[];
}

export interface Host {
  readonly name: string;
  facts(): HostFacts;
  /** CPUs that programs may use here. */
  cpus(): number[];
  /** @throws never: a command that cannot be started shows as a process that ended with the reason */
  spawn(name: string, command: Command): HostProcess;
  /** Sums since boot; null where the system has none. */
  networkCounters(): NetworkCounters | null;
  /** Time of every CPU in each state since boot; null where the system does not tell. */
  cpuTimes(): CpuTimes[] | null;
  /** How fast one thread copies memory here; takes a fraction of a second. */
  memoryCopy(): MemoryCopy;
  /** Nanoseconds of a fixed amount of arithmetic, the best of three: a slower machine or a busy neighbour shows here. */
  calibrationNs(): number;
  /** 1-minute load average and CPU pressure right now. */
  load(): Sample['loadBefore'];
}
