/** Time of each CPU by state, from Linux's /proc/stat. */
import type { CpuTimes } from '../contract/host.js';

/** What /proc/stat counts in: USER_HZ is 100 whatever the kernel's own tick. */
const tickUs = 10_000;

const states = [
  'userUs',
  'niceUs',
  'systemUs',
  'idleUs',
  'iowaitUs',
  'irqUs',
  'softirqUs',
  'stealUs',
] as const satisfies (keyof CpuTimes)[];

/** What an observer adds to the states, because the kernel's ticks are too coarse for a short window. */
const clocks = ['elapsedUs', 'sleepUs'] as const satisfies (keyof CpuTimes)[];

/** Sums since boot. A kernel that never counted an interrupt anywhere does not account them. */
export function parseCpuTimes(stat: string): CpuTimes[] {
  const all = [...stat.matchAll(/^cpu(\d+) (.*)$/gm)].map(([, cpu, columns]) => {
    const ticks = columns!.split(' ').map(Number);
    const times = Object.fromEntries(states.map((state, at) => [state, (ticks[at] ?? 0) * tickUs]));
    return { cpu: Number(cpu), ...times } as CpuTimes;
  });
  const accounted = all.some(({ irqUs, softirqUs }) => irqUs! + softirqUs! > 0);
  return accounted ? all : all.map((times) => ({ ...times, irqUs: null, softirqUs: null }));
}

export type CpuState = (typeof states)[number];

export const everyState: readonly CpuState[] = states;

/** In which a CPU works, whoever for. */
export const busyStates = [
  'userUs',
  'niceUs',
  'systemUs',
  'irqUs',
  'softirqUs',
] as const satisfies CpuState[];

/** Time that they spent in these states together. */
export const timeIn = (times: readonly CpuTimes[], states: readonly CpuState[]): number =>
  times.flatMap((cpu) => states.map((state) => cpu[state] ?? 0)).reduce((sum, part) => sum + part, 0);

/** What `cpus` did between two readings. Idle time may be counted late and is then not taken back. */
export function cpuTimesDifference(
  before: readonly CpuTimes[],
  after: readonly CpuTimes[],
  cpus: readonly number[],
): CpuTimes[] {
  return after
    .filter(({ cpu }) => cpus.includes(cpu))
    .flatMap((end) => {
      const start = before.find(({ cpu }) => cpu === end.cpu);
      if (!start) return [];
      const times = [...states, ...clocks].map((state) => {
        const [from, to] = [start[state] ?? null, end[state] ?? null];
        return [state, from === null || to === null ? null : Math.max(0, to - from)];
      });
      return [{ cpu: end.cpu, ...Object.fromEntries(times) } as CpuTimes];
    });
}
