/**
 * What does one dispatch cost, without a network? Socket pairs in one process, as in libevent's bench: how long it takes
 * to find and read what is ready, among how many that are not.
 *
 * Factors: backend x implementation (through our Poller, or bare system calls) x what a round is x socket pairs
 * registered. A round is a drain (one pair is active, or all are), or a wake-up (by the thread itself, without sleeping;
 * or by a second thread while the first sleeps in the kernel).
 */
import { z } from 'zod';
import { backendName, count } from '../contract/common.js';
import { costImplementation } from '../contract/cost.js';
import type { ProfileName } from '../contract/run.js';
import { wholeNumber } from '../options.js';
import { reservedDescriptors } from '../stage/limits.js';
import { metric } from '../trials/registry.js';
import { experiment, type Machine } from './experiment.js';
import { list, names, serverFlags } from './flags.js';
import { variants } from './servers.js';

const rounds = ['one active', 'all active', 'wake-up', 'wake-up of a sleeping thread'] as const;
const round = z.enum(rounds);

const cell = z.object({ backend: backendName, impl: costImplementation, round, pairs: count.min(1) });
type DispatchCostCell = z.infer<typeof cell>;

const settings = z.strictObject({
  backends: z.array(backendName).min(1),
  impls: z.array(costImplementation).min(1),
  rounds: z.array(round).min(1),
  pairs: z.array(count.min(1)).min(1),
  /** bytes that handlers forward in a round of a drain, beside those that lie ready */
  writes: count,
  warmupMs: count,
  durationMs: count.min(1),
});
type DispatchCostSettings = z.infer<typeof settings>;

function profile(name: ProfileName, machine: Machine): DispatchCostSettings {
  const most = Math.floor((machine.descriptorLimit - reservedDescriptors) / 2);
  const common = { impls: ['native' as const, 'baseline' as const], rounds: [...rounds], writes: 0 };
  if (name === 'quick') {
    return {
      ...common,
      backends: machine.available.filter((backend) =>
        ['select', 'poll', machine.nodeBackend].includes(backend),
      ),
      pairs: [100, 1000, 5000].filter((pairs) => pairs <= most),
      warmupMs: 20,
      durationMs: 150,
    };
  }
  return {
    ...common,
    backends: machine.available,
    pairs: [1, 10, 100, 500, 1000, 2000, 5000, 9000].filter((pairs) => pairs <= most),
    warmupMs: 100,
    durationMs: name === 'thesis' ? 500 : 1000,
  };
}

function cells(chosen: DispatchCostSettings, machine: Machine): DispatchCostCell[] {
  return variants({ ...chosen, ios: [] }, machine).flatMap(({ backend, impl }) =>
    chosen.rounds.flatMap((one) =>
      chosen.pairs.map((pairs) => ({ backend, impl: costImplementation.parse(impl), round: one, pairs })),
    ),
  );
}

export const dispatchCost = experiment({
  id: 'dispatch-cost',
  question: 'What does one dispatch cost among so many descriptors, without any network?',
  axis: 'pairs',
  cell,
  settings,
  factors: {
    pairs: { name: 'socket pairs' },
    round: { name: 'round', level: (level) => `${level}` },
  },
  words: [],
  quick: false,
  flags: [
    serverFlags[0]!,
    {
      flags: '--impl <list>',
      description: `through our core, or bare system calls: ${costImplementation.options.join(', ')}`,
      setting: 'impls',
      parse: names(costImplementation.options, 'implementation'),
    },
    {
      flags: '--rounds <list>',
      description: `what a round is: ${rounds.join(', ')}`,
      setting: 'rounds',
      parse: names(rounds, 'round'),
    },
    {
      flags: '--pairs <list>',
      description: 'numbers of socket pairs, comma-separated',
      setting: 'pairs',
      parse: list(wholeNumber(1, 1_000_000)),
    },
    {
      flags: '--writes <n>',
      description: "bytes that handlers forward in a round of a drain (-w of libevent's bench)",
      setting: 'writes',
      parse: wholeNumber(0, 1_000_000),
    },
  ],
  profile,
  cells,
  trial({ backend, impl, round: one, pairs }, { writes, warmupMs, durationMs }) {
    const mode =
      one === 'wake-up' ? 'wakeup' : one === 'wake-up of a sleeping thread' ? 'wakeup-threads' : 'drain';
    const active = one === 'all active' ? pairs : 1;
    return { kind: 'cost', mode, impl, backend, pairs, active, writes, warmupMs, durationMs };
  },
  primary: ['event-time'],
  glance(sample) {
    const [time, calls] = [metric('event-time').of(sample), metric('calls-per-event').of(sample)];
    return time === null || calls === null
      ? ''
      : `${Math.round(time)} ns an event, ${calls.toFixed(3)} system calls beside reading`;
  },
  plots: [
    { kind: 'lines', metric: 'event-time', logY: true },
    { kind: 'lines', metric: 'calls-per-event', logY: false },
    { kind: 'lines', metric: 'wakeup-p50', logY: true },
    { kind: 'lines', metric: 'wakeup-p99', logY: true },
  ],
  compared: [
    { metric: 'event-time', scale: 'ratio' },
    { metric: 'cpu-per-event', scale: 'ratio' },
    { metric: 'wakeup-p99', scale: 'ratio' },
  ],
  answers: [{ metric: 'event-time', when: 'one thread on a CPU of its own' }],
  modelled: ['event-time'],
  closing: { rates: [], costs: ['event-time'] },
});
