/**
 * What does one more instance take of memory? Seed of the question: the same review, which gives Wasm 1 to 5 MB, a container 50
 * to 200 MB and a program of eBPF some 512 KB, by no method that it names. Factors: what an instance is x how many.
 *
 * The memory of so many is told, so that its growth is that of one, and what all of them share is in none.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import { wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { list } from './flags.js';
import { gatewayFactors, gatewayLevels } from './gateways.js';
import { runtimeCommand, runtimeFlag, runtimesThat } from './runtimes.js';

const cell = z.object({ ...gatewayFactors, instances: count.min(1) });
type MemoryCell = z.infer<typeof cell>;

const settings = z.strictObject({
  runtimes: z.array(z.string()).min(1),
  /** that stand at the same time, beside a first one */
  instances: z.array(count.min(1)).min(1),
});
type MemorySettings = z.infer<typeof settings>;

const profile = (name: ProfileName): MemorySettings => ({
  runtimes: runtimesThat('instances').map((one) => one.name),
  instances: name === 'full' ? [1, 2, 4, 8, 16, 32, 64] : [1, 16, 64],
});

export const wasmMemory = experiment({
  id: 'wasm-memory',
  question: 'What does one more instance take of memory: of a Wasm module, a process, a program of eBPF?',
  axis: 'instances',
  linearAxis: true,
  cell,
  settings,
  profiles: ['quick', 'full'],
  factors: { instances: { name: 'instances' } },
  words: [],
  quick: false,
  flags: [
    runtimeFlag('instances'),
    {
      flags: '--instances <list>',
      description: 'how many stand beside a first one, comma-separated',
      setting: 'instances',
      parse: list(wholeNumber(1, 1000)),
    },
  ],
  profile,
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 3 }, budgetMs: 300_000 } : {}),
  cells: (chosen): MemoryCell[] =>
    chosen.runtimes.flatMap((runtime) =>
      chosen.instances.map((instances) => ({ ...gatewayLevels(runtime), instances })),
    ),
  trial({ impl, instances }, _settings, machine) {
    const { module: _, ...command } = runtimeCommand(impl, 'instances', machine);
    return { kind: 'instances', ...command, count: instances };
  },
  primary: ['instance-memory'],
  glance(sample) {
    const memory = metric('instance-memory').of(sample);
    return memory === null ? '' : `${memory.toFixed(1)} KiB an instance`;
  },
  plots: [
    { kind: 'lines', metric: 'instances-memory', logY: true },
    { kind: 'servers', metrics: ['instance-memory'], logY: true },
  ],
  compared: [{ metric: 'instance-memory', scale: 'ratio' }],
  answers: [],
  modelled: [],
  closing: { rates: [], costs: ['instance-memory', 'instances-memory', 'instance-reserved'] },
});
