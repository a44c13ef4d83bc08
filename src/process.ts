/** Facts and settings of the running process that Node does not offer: affinity, switches, clocks, a signal pipe. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { addon } from './addon.js';

/** Sums over all threads of the process since it started. */
export interface ProcessUsage {
  userUs: number;
  systemUs: number;
  voluntarySwitches: number;
  involuntarySwitches: number;
  /** resident now; on systems that do not tell (all but Linux) the peak */
  rssBytes: number;
  peakRssBytes: number;
}

interface ProcessExports {
  processSetAffinity(cpus: readonly number[]): void;
  processKeepAwake(cpus: readonly number[]): void;
  processAffinity(): number[];
  processMonotonicNs(): number;
  processUsage(): ProcessUsage;
  processDescriptorLimit(): { soft: number; hard: number };
  processClockStepNs(readings: number): number;
  processCalibrationSpinNs(rounds: number): number;
  processSignalPipe(): number;
  processBuild(): { compiler: string; compilerFlags: string; kernel: string };
}

const native = (): ProcessExports => addon<ProcessExports>();

/** Lets every thread of the process, V8's helpers included, run only on these CPUs. @throws EINVAL, ENOSYS */
export const setAffinity = (cpus: readonly number[]): void => native().processSetAffinity(cpus);

/**
 * Keeps these CPUs from sleeping until the process ends: a thread on each calculates at the idle priority, and gives way
 * at once to what wakes in its session. @throws EINVAL, ENOSYS
 */
export const keepAwake = (cpus: readonly number[]): void => native().processKeepAwake(cpus);

/** CPUs this thread may run on; empty where the system cannot say. */
export const getAffinity = (): number[] => native().processAffinity();

/** The monotonic clock of process.hrtime in nanoseconds, comparable between processes of one machine. */
export const monotonicNs = (): number => native().processMonotonicNs();

export const processUsage = (): ProcessUsage => native().processUsage();

export const descriptorLimit = (): { soft: number; hard: number } => native().processDescriptorLimit();

/** Smallest step between two readings of the monotonic clock, nanoseconds. */
export const clockStepNs = (readings = 1000): number => native().processClockStepNs(readings);

/** Nanoseconds of a fixed loop of arithmetic: when it changes, the machine did. */
export const calibrationSpinNs = (rounds: number): number => native().processCalibrationSpinNs(rounds);

/**
 * A descriptor that turns readable on SIGTERM or SIGINT, for a poller whose thread blocks: Node's own handlers would
 * never get to run. The process no longer ends by these signals on its own.
 */
export const signalPipe = (): number => native().processSignalPipe();

/** Compiler, its flags, and the running kernel. */
export const buildFacts = (): { compiler: string; compilerFlags: string; kernel: string } =>
  native().processBuild();

/** First 16 hexadecimal characters of a file's SHA-256: names the program that made a figure. */
export const fileDigest = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16);
