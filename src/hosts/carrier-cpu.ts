/** Where what carries a host runs: the threads of a sandbox or of a virtual machine, which are not those of its programs. */
import { allowedCpus, coreSiblings } from './linux-facts.js';
import type { Command } from './program.js';

/**
 * Its programs cannot pin what carries them, so all of it gets one CPU, and not the one that a client gets whose server is
 * on another machine (src/stage/places.ts). undefined: there is no second one
 */
export function carrierCpu(): number | undefined {
  const cpus = allowedCpus() ?? [];
  const others = coreSiblings(cpus.at(-1) ?? 0);
  return cpus.find((cpu) => !others.includes(cpu)) ?? cpus.find((cpu) => cpu !== cpus.at(-1));
}

export const onCarrierCpu = ({ command, args }: Command): Command => ({
  command: 'taskset',
  args: ['--cpu-list', `${carrierCpu()}`, command, ...args],
});
