/** Rules that tell when a published figure cannot be true of any machine, whatever was meant to be measured. */

export interface PublishedRate {
  what: string;
  testbed: string;
  /** threads that can have moved bytes at the same time; at most the CPUs */
  threads: number;
  cpus: number;
  clockHz: number;
  bytesPerSecond: number;
}

/** The widest load or store of any CPU so far: a 64-byte vector, two of them a cycle. */
const bytesPerCycle = 128;

/**
 * Why a transfer rate is impossible, or null. `copyBytesPerSecond` is a memcpy rate measured by the reader's own run,
 * where there is one; without it the CPU's widest registers set the bound, which no memory reaches.
 */
export function impossible(rate: PublishedRate, copyBytesPerSecond: number | null = null): string | null {
  const { threads, cpus, clockHz, bytesPerSecond } = rate;
  const terabytes = (value: number) => `${Number((value / 1e12).toPrecision(3))} TB/s`;
  const ceiling = Math.min(threads, cpus) * clockHz * bytesPerCycle;
  if (bytesPerSecond > ceiling) {
    return `${terabytes(bytesPerSecond)} exceeds ${terabytes(ceiling)}, all that ${threads === 1 ? 'one CPU' : `${threads} CPUs`} could move between registers and cache at ${bytesPerCycle} bytes a cycle: no byte was moved`;
  }
  if (copyBytesPerSecond !== null && bytesPerSecond > copyBytesPerSecond * Math.min(threads, cpus)) {
    return `${terabytes(bytesPerSecond)} exceeds ${terabytes(copyBytesPerSecond)} a CPU, the memcpy rate measured here`;
  }
  return null;
}
