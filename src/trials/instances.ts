/** What instances of a module take of memory: a program makes them, holds them all, and says. No server, no load. */

import { z } from 'zod';
import { type InstancesLine, instancesLine } from '../contract/gateway.js';
import { validated } from '../contract/validated.js';
import { monotonicNs } from '../process.js';
import { ofProgram } from '../stage/limits.js';
import { answerMs } from '../stage/patience.js';
import { interruptible } from '../stage/stage.js';
import { invalid } from './gates.js';
import { trialKind } from './kind.js';

/** Longer than this takes no instance to start and to end, a container on a busy machine, milliseconds. */
const slowestMs = 3000;

export interface InstancesTrial {
  kind: 'instances';
  /** ends with the place of their number */
  command: readonly string[];
  /** why the command is not there; left out: it is */
  missing?: string;
  count: number;
}

const instancesMeasurement = z.object({
  kind: z.literal('instances'),
  instances: instancesLine.omit({ event: true }),
  elapsedNs: z.number().nonnegative(),
});
type InstancesMeasurement = z.infer<typeof instancesMeasurement>;

const each = (
  { count, before, after }: Omit<InstancesLine, 'event'>,
  what: keyof InstancesLine['before'],
): number => (after[what] - before[what]) / count;

export const instances = trialKind({
  id: 'instances',
  measurement: instancesMeasurement,
  connects: false,

  needs: ({ missing }: InstancesTrial) => ofProgram(missing),

  async carryOut({ command, count }, stage, done) {
    const [path = '', ...args] = command;
    const startedNs = monotonicNs();
    const running = stage.start('server', 'the program that makes instances', {
      path,
      args: [...args, `${count}`],
    });
    const line = await interruptible(stage.signal, running.expect('instances', count * slowestMs + answerMs));
    const { event: _, ...said } = validated(instancesLine, line, 'what the program says of its instances');
    done('instances', { kind: 'instances', instances: said, elapsedNs: monotonicNs() - startedNs });
  },

  gates: (name, { instances: said }) =>
    said.after.pssBytes <= said.before.pssBytes
      ? [invalid('no-growth', `${name}: ${said.count} instances took no memory`)]
      : [],

  metrics: [
    {
      id: 'instance-memory',
      title: 'Memory of an instance',
      unit: 'KiB',
      better: 'lower',
      digits: 1,
      meaning: 'What one more instance adds to the memory that the process holds for itself (PSS).',
      from: ['instances'],
      of: ({ instances: said }: InstancesMeasurement) => each(said, 'pssBytes') / 1024,
    },
    {
      id: 'instance-reserved',
      title: 'Address space of an instance',
      unit: 'MiB',
      better: 'lower',
      digits: 2,
      meaning:
        'What one more instance sets aside of the address space: no memory, but made and given back by calls that threads of one process wait for each other in.',
      from: ['instances'],
      of: ({ instances: said }: InstancesMeasurement) => each(said, 'reservedBytes') / 2 ** 20,
    },
    {
      id: 'instances-memory',
      title: 'Memory of so many instances and of what they need',
      unit: 'KiB',
      better: 'lower',
      digits: 0,
      meaning:
        'All that the processes hold for themselves (PSS), and of what lies in the kernel its own account: its growth from number to number is what one more instance takes.',
      from: ['instances'],
      of: ({ instances: said }: InstancesMeasurement) => said.after.pssBytes / 1024,
    },
    {
      id: 'engine-memory',
      title: 'Memory before the first instance',
      unit: 'MiB',
      better: 'lower',
      digits: 1,
      meaning: '',
      from: ['instances'],
      of: ({ instances: said }: InstancesMeasurement) => said.before.pssBytes / 2 ** 20,
    },
    {
      id: 'engine-reserved',
      title: 'Address space before the first instance',
      unit: 'GiB',
      better: 'lower',
      digits: 1,
      meaning: '',
      from: ['instances'],
      of: ({ instances: said }: InstancesMeasurement) => said.before.reservedBytes / 2 ** 30,
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: ({ elapsedNs }) => elapsedNs,
});
