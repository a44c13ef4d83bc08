/** What the experiments with a device module share: in which way it runs, and how a cell names one. */
import type { FoundRuntime } from '../contract/device.js';
import { type Runtime, runtimes } from '../gateways/runtimes.js';
import type { Flag, Machine } from './experiment.js';
import { names } from './flags.js';

/** What a runtime may do. */
export type Ability = 'once' | 'calls' | 'instances';

/** Those that do it. */
export const runtimesThat = (ability: Ability): Runtime[] =>
  runtimes.filter((one) => one[ability] !== undefined);

export const runtimeFlag = (ability: Ability): Flag => ({
  flags: '--runtimes <list>',
  description: `who runs it, comma-separated: ${runtimesThat(ability)
    .map(({ name }) => name)
    .join(', ')}`,
  setting: 'runtimes',
  parse: names(
    runtimesThat(ability).map(({ name }) => name),
    'runtime',
  ),
  names: true,
});

const found = (name: string, { runtimes: known = [] }: Machine): FoundRuntime =>
  known.find((one) => one.name === name) ?? {
    name,
    once: null,
    calls: null,
    instances: null,
    module: '',
    reason: 'the host tells of no runtimes: they run where dispatchbench itself does',
  };

/** Its command line for that, or why there is none. */
export function runtimeCommand(
  name: string,
  ability: Ability,
  machine: Machine,
): { command: string[]; module: string; missing?: string } {
  const one = found(name, machine);
  return {
    command: one[ability] ?? [name],
    module: one.module,
    ...(one.reason === '' ? {} : { missing: one.reason }),
  };
}
