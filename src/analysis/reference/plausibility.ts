/** Rules that tell when a figure, published or our own, cannot be true of any machine, whatever was meant to be measured. */
import type { Served } from '../../trials/kind.js';

export interface PublishedRate {
  what: string;
  testbed: string;
  /** threads that can have moved bytes at the same time; at most the CPUs */
  threads: number;
  cpus: number;
  clockHz: number;
  /** that one CPU of the testbed can store; left out: the most that any can */
  storedPerCycle?: number;
  bytesPerSecond: number;
}

/** The widest load or store of any CPU so far: a 64-byte vector, two of them a cycle. */
const bytesPerCycle = 128;

/**
 * Why a transfer rate is impossible, or null. `copyBytesPerSecond` is a memcpy rate measured by the reader's own run,
 * where there is one; without it the CPU's widest registers set the bound, which no memory reaches.
 */
export function impossible(rate: PublishedRate, copyBytesPerSecond: number | null = null): string | null {
  const { threads, cpus, clockHz, storedPerCycle = bytesPerCycle, bytesPerSecond } = rate;
  const terabytes = (value: number) => `${Number((value / 1e12).toPrecision(3))} TB/s`;
  const moving = Math.min(threads, cpus);
  const ceiling = moving * clockHz * storedPerCycle;
  if (bytesPerSecond > ceiling) {
    return `${terabytes(bytesPerSecond)} exceeds ${terabytes(ceiling)}, all that ${moving === 1 ? 'one CPU' : `${moving} CPUs`} could move between registers and cache at ${storedPerCycle} bytes a cycle: no byte was moved`;
  }
  if (copyBytesPerSecond !== null && bytesPerSecond > copyBytesPerSecond * moving) {
    return `${terabytes(bytesPerSecond)} exceeds ${terabytes(copyBytesPerSecond)} a CPU, the memcpy rate measured here`;
  }
  return null;
}

/** What the snapshots around a window may be apart from it: they are taken by other processes. */
const tolerance = 1.1;

/**
 * Why a measurement of our own is impossible, or null: more CPU time than its CPUs have, or more bytes moved than all CPUs
 * could copy. Client and server both touch every byte, so one copy a byte is the least anybody can do.
 */
export function impossibleWork(
  { span: { before, after }, bytes, durationNs }: Served,
  {
    serverCpus,
    vcpus,
    copyBytesPerSecond,
  }: { serverCpus: number; vcpus: number; copyBytesPerSecond: number | null },
): string | null {
  const wallUs = (after.monotonicNs - before.monotonicNs) / 1000;
  const cpuUs = after.cpu.userUs + after.cpu.systemUs - before.cpu.userUs - before.cpu.systemUs;
  if (cpuUs > wallUs * serverCpus * tolerance) {
    return `the server used ${(cpuUs / 1e6).toFixed(2)} s of CPU time in ${(wallUs / 1e6).toFixed(2)} s on ${serverCpus} CPU${serverCpus === 1 ? '' : 's'}`;
  }
  const rate = bytes / (durationNs / 1e9);
  if (copyBytesPerSecond !== null && rate > copyBytesPerSecond * vcpus * tolerance) {
    const gigabytes = (value: number) => `${Number((value / 1e9).toPrecision(3))} GB/s`;
    return `${gigabytes(rate)} of payload exceed ${gigabytes(copyBytesPerSecond)} a CPU, the memcpy rate measured in this run`;
  }
  return null;
}
