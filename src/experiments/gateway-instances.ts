/**
 * What does one more instance of a module take of memory and of address space? The reports that compare Wasm with other ways
 * give the memory of a whole process, most of which is the engine's. Factors: gateways that make instances in their process.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import { gateways } from '../gateways/registry.js';
import { wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import {
  gatewayCommon,
  gatewayFactors,
  gatewayFlag,
  gatewayLevels,
  gatewaySettings,
  instancesOf,
} from './gateways.js';

const cell = z.object({ ...gatewayFactors, instances: count.min(1) });
type InstancesCell = z.infer<typeof cell>;

const settings = z.strictObject({ ...gatewaySettings, instances: count.min(1) });
type InstancesSettings = z.infer<typeof settings>;

export const gatewayInstances = experiment({
  ...gatewayCommon,
  id: 'gateway-instances',
  question: 'What does one more instance of a module take of memory and of address space?',
  axis: '',
  cell,
  settings,
  factors: { instances: { name: 'instances' } },
  flags: [
    gatewayFlag,
    {
      flags: '--instances <n>',
      description: 'instances that stand at the same time',
      setting: 'instances',
      parse: wholeNumber(1, 1000),
    },
  ],
  profile: (_name: ProfileName): InstancesSettings => ({
    // A second thread makes no other instances.
    gateways: gateways.flatMap(({ name, instances, keepsAlive }) => (instances && !keepsAlive ? [name] : [])),
    instances: 100,
  }),
  pace: (name) => (name === 'quick' ? { blocks: { min: 5, max: 5 }, budgetMs: 60_000 } : {}),
  cells: (chosen, machine): InstancesCell[] =>
    chosen.gateways
      .filter((name) => instancesOf(name, machine))
      .map((name) => ({ ...gatewayLevels(name), instances: chosen.instances })),
  trial: ({ impl, instances }, _settings, machine) => ({
    kind: 'instances',
    ...instancesOf(impl, machine)!,
    count: instances,
  }),
  primary: ['instance-memory'],
  glance(sample) {
    const [memory, reserved] = [metric('instance-memory').of(sample), metric('instance-reserved').of(sample)];
    return memory === null || reserved === null
      ? ''
      : `${memory.toFixed(1)} KiB and ${reserved.toFixed(1)} MiB of address space an instance`;
  },
  plots: [
    { kind: 'servers', metrics: ['instance-memory'], logY: true },
    { kind: 'servers', metrics: ['instance-reserved'], logY: true },
  ],
  compared: [{ metric: 'instance-memory', scale: 'ratio' }],
  closing: {
    rates: [],
    costs: ['instance-memory', 'instance-reserved', 'engine-memory', 'engine-reserved'],
  },
});
