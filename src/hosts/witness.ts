/**
 * Who else used the machine meanwhile? What fails beside others' work has not shown a fault of what was measured. What
 * this process and its own programs use does not count: their disturbing themselves would be a fault.
 */
import { cpuTimesDifference, parseCpuTimes } from './cpu-times.js';
import { readFact } from './linux-facts.js';

export interface Disturbance {
  /** CPU time of other programs, as a share of all CPUs */
  others: number;
  /** time that a hypervisor gave to others */
  steal: number;
  /** share of the time in which somebody, ourselves included, waited for a CPU; null where the kernel does not tell */
  pressure: number | null;
}

const TICK_US = 10_000;
const OTHERS_LIMIT = 0.05;
const STEAL_LIMIT = 0.01;

/** Why nothing can be concluded from a failure, or null when the machine was ours alone. */
export function excuse({ others, steal, pressure }: Disturbance): string | null {
  if (others <= OTHERS_LIMIT && steal <= STEAL_LIMIT) return null;
  const share = (value: number) => `${(100 * value).toFixed(0)} %`;
  const parts = [
    `others used ${share(others)} of its CPUs`,
    ...(steal > 0 ? [`${share(steal)} was stolen`] : []),
    ...(pressure === null ? [] : [`pressure ${share(pressure)}`]),
  ];
  return `machine busy (${parts.join(', ')})`;
}

/** utime, stime, cutime, cstime of this process: fields 14 to 17 of proc(5), behind a name that may hold spaces. */
function ownTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
}

function reading() {
  const [all, own, pressure] = ['/proc/stat', '/proc/self/stat', '/proc/pressure/cpu'].map(readFact);
  if (!all || !own) return null;
  const total = pressure?.match(/^some .*total=(\d+)/)?.[1];
  return {
    atUs: performance.now() * 1000,
    cpus: parseCpuTimes(all),
    ownUs: ownTicks(own) * TICK_US,
    waitedUs: total === undefined ? null : Number(total),
  };
}

/** Starts looking; children count as ours once they have ended. Null where the system does not tell. */
export function watchMachine(): () => Disturbance | null {
  const before = reading();
  return () => {
    const after = reading();
    if (!before || !after) return null;
    const cpus = cpuTimesDifference(
      before.cpus,
      after.cpus,
      after.cpus.map(({ cpu }) => cpu),
    );
    const sum = (of: (times: (typeof cpus)[number]) => number) =>
      cpus.reduce((total, times) => total + of(times), 0);
    const elapsedUs = after.atUs - before.atUs;
    const capacityUs = elapsedUs * cpus.length;
    const busyUs = sum(({ userUs, niceUs, systemUs }) => userUs + niceUs + systemUs);
    return {
      others: Math.max(0, busyUs - (after.ownUs - before.ownUs)) / capacityUs,
      steal: sum(({ stealUs }) => stealUs) / capacityUs,
      pressure:
        before.waitedUs === null || after.waitedUs === null
          ? null
          : (after.waitedUs - before.waitedUs) / elapsedUs,
    };
  };
}
