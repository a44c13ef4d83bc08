/** A program that measures itself: there is no server and no load, its one line is the measurement. */
import { z } from 'zod';
import type { BackendName } from '../contract/common.js';
import {
  type CostImplementation,
  type CostMode,
  cost as costLine,
  factsOfMode,
  furtherDescriptors,
} from '../contract/cost.js';
import { validated } from '../contract/validated.js';
import { costProgram, missingPeer } from '../programs/cost.js';
import { answerMs } from '../stage/patience.js';
import { percent, warning } from './gates.js';
import { trialKind } from './kind.js';

export interface CostTrial {
  kind: 'cost';
  mode: CostMode;
  impl: CostImplementation;
  backend: BackendName;
  /** socket pairs registered */
  pairs: number;
  /** as the mode says; left out: the program's own */
  stride?: number;
  active?: number;
  writes?: number;
  budget?: number;
  maxEvents?: number;
  lookFirst?: boolean;
  warmupMs: number;
  durationMs: number;
}

const costMeasurement = z.object({ kind: z.literal('cost'), cost: costLine });
type CostMeasurement = z.infer<typeof costMeasurement>;

/** A wait that looks at every descriptor sleeps only after it has looked: a microsecond for each end of a pair is ample. */
const fallAsleepUs = (pairs: number): number => 100 + 2 * pairs;

/** Rounds in which the waiting thread has to have slept for a wake-up to be what was measured. */
const mostlyAsleep = 0.9;

/** Of the modes in which a round is one event, so that its time is a response time. */
const roundUs = (name: 'p50' | 'p99') => (m: CostMeasurement) =>
  factsOfMode(m.cost.mode).oneEvent ? m.cost.roundNs[name] / 1000 : null;

export const cost = trialKind({
  id: 'cost',
  measurement: costMeasurement,
  connects: false,

  needs: ({ mode, impl, backend, pairs, stride = 1, active = 1 }: CostTrial) => ({
    backend,
    byNode: impl === 'ts',
    missing: missingPeer(impl),
    perProcess: (stride > 1 ? stride + 1 : 2) * pairs + furtherDescriptors(mode, active),
    what: 'ends of socket pairs',
    connections: 0,
    active: 0,
  }),

  async carryOut({ kind: _, warmupMs, durationMs, ...asked }, stage, done) {
    const { server, client } = stage.pinning;
    const { second } = factsOfMode(asked.mode);
    // The thread that waits runs where servers do, who wakes it where clients do.
    const cpus = second ? [...server, ...client] : server;
    const program = costProgram({
      ...asked,
      gapUs: second ? fallAsleepUs(asked.pairs) : undefined,
      length: { durationMs, warmupMs },
      cpus,
      control: true,
    });
    const running = stage.start('server', 'the program that measures itself', program);
    const line = await running.expect('cost', warmupMs + durationMs + answerMs);
    done('cost', { kind: 'cost', cost: validated(costLine, line, 'what the program measured') });
  },

  gates(name, { cost: { writer, rounds } }) {
    const slept = writer?.sleptRounds ?? rounds;
    return slept < mostlyAsleep * rounds
      ? [
          warning(
            'not-asleep',
            `${name}: in ${percent(1 - slept / rounds)} of the rounds the waiting thread had not fallen asleep yet`,
          ),
        ]
      : [];
  },

  metrics: [
    {
      id: 'event-time',
      title: 'Time per event',
      unit: 'ns',
      better: 'lower',
      digits: 0,
      meaning:
        'From before the wait until the last byte of a round is read, over the events of the round. Where all are active one wait is shared by all of them; where one is, each event pays for a wait of its own.',
      from: ['cost'],
      of: ({ cost }: CostMeasurement) => cost.nsPerEvent,
    },
    {
      id: 'cpu-per-event',
      title: 'CPU per event',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['cost'],
      of: ({ cost: { cpu, events } }: CostMeasurement) => (cpu.userUs + cpu.systemUs) / events,
    },
    {
      id: 'calls-per-event',
      title: 'System calls to wait or change interest, per event',
      unit: '',
      better: 'neither',
      digits: 3,
      meaning:
        'Counted, not timed: waits and changes of interest over events. Where most descriptors are active, a mechanism with one wait for all of them needs next to none.',
      from: ['cost'],
      of: ({ cost: { waits, changeCalls, events } }: CostMeasurement) => (waits + changeCalls) / events,
    },
    {
      id: 'wakeup-p50',
      title: 'Median round of one wake-up',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning:
        'From just before the byte is written until its handler is reached: half of the rounds took less.',
      from: ['cost'],
      of: roundUs('p50'),
    },
    {
      id: 'wakeup-p99',
      title: '99th percentile of one wake-up',
      unit: 'µs',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['cost'],
      of: roundUs('p99'),
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: ({ cost: { wallNs } }) => wallNs,
});
