/**
 * What memory does an idle connection take, in the kernel and in the server? One server process, so many connections that
 * stand and send nothing, what memory holds before and after.
 *
 * A machine on which others work gives and takes memory meanwhile: a guest of its own, which has a kernel for the server
 * alone, is the exact place to ask (`--host qemu-linux`), and its processes may have more descriptors than ours have.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import { number } from '../number.js';
import { wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment, type Machine } from './experiment.js';
import { foreignFlag, list, serverFlags } from './flags.js';
import { foreignLevels, serverFactors, serverSettings, speaking, subjectOf, variants } from './servers.js';

const cell = z.object({ ...serverFactors, idle: count.min(1) });
type ConnectionMemoryCell = z.infer<typeof cell>;

const settings = z
  .strictObject({ ...serverSettings, idle: z.array(count.min(1)).min(1) })
  .superRefine(speaking('tcp-echo'));
type ConnectionMemorySettings = z.infer<typeof settings>;

function profile(name: ProfileName, { available, nodeBackend }: Machine): ConnectionMemorySettings {
  const common = { ios: ['batch' as const], foreign: [] };
  if (name === 'quick')
    return { ...common, backends: [nodeBackend], impls: ['native', 'ts'], idle: [15_000] };
  return {
    ...common,
    backends: available,
    impls: name === 'thesis' ? ['native', 'ts'] : ['native', 'baseline', 'ts', 'libuv', 'libuv-c'],
    idle: name === 'thesis' ? [5000, 15_000, 60_000] : [1000, 5000, 15_000, 30_000, 60_000, 120_000],
  };
}

const cells = (chosen: ConnectionMemorySettings, machine: Machine): ConnectionMemoryCell[] =>
  [...variants(chosen, machine), ...foreignLevels(chosen)].flatMap(({ backend, impl, io }) =>
    chosen.idle.map((idle) => ({ backend, impl, io, idle })),
  );

export const connectionMemory = experiment({
  id: 'connection-memory',
  question: 'What memory does an idle connection take, in the kernel and in the server?',
  axis: 'idle',
  cell,
  settings,
  factors: { idle: { name: 'idle connections' } },
  words: [],
  quick: false,
  flags: [
    ...serverFlags,
    {
      flags: '--idle <list>',
      description: 'numbers of idle connections, comma-separated',
      setting: 'idle',
      parse: list(wholeNumber(1, 10_000_000)),
    },
    foreignFlag(),
  ],
  profile,
  cells,
  trial: ({ idle, ...server }, chosen) => ({
    kind: 'standing',
    subject: subjectOf('tcp-echo', server, chosen),
    idle,
  }),
  primary: ['kernel-memory', 'server-memory'],
  glance(sample) {
    const figures = [
      ['kernel-memory', 'in the kernel'],
      ['server-memory', 'in the server'],
    ] as const;
    return figures
      .flatMap(([id, where]) => {
        const bytes = metric(id).of(sample);
        return bytes === null ? [] : [`${number(Math.round(bytes))} B ${where}`];
      })
      .join(', ');
  },
  plots: [
    { kind: 'lines', metric: 'kernel-memory', logY: false },
    { kind: 'lines', metric: 'server-memory', logY: false },
    { kind: 'lines', metric: 'machine-memory', logY: false },
  ],
  compared: [
    { metric: 'kernel-memory', scale: 'ratio' },
    { metric: 'server-memory', scale: 'difference' },
  ],
  answers: [],
  modelled: [],
  closing: { rates: ['set-up-rate'], costs: ['kernel-memory'] },
});
