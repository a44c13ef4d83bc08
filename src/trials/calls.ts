/** What a call into a module costs: a program calls the same work in several ways, in turn, and says. No server, no load. */

import { median } from 'simple-statistics';
import { z } from 'zod';
import { callsLine } from '../contract/device.js';
import { validated } from '../contract/validated.js';
import { monotonicNs } from '../process.js';
import { type CallsSpec, callsProgram } from '../programs/device.js';
import { ofProgram } from '../stage/limits.js';
import { answerMs } from '../stage/patience.js';
import { interruptible } from '../stage/stage.js';
import { warning } from './gates.js';
import { trialKind } from './kind.js';

export interface CallsTrial extends CallsSpec {
  kind: 'calls';
  /** of a runtime that measures calls */
  command: readonly string[];
  /** why the command is not there; left out: it is */
  missing?: string;
}

const callsMeasurement = z.object({
  kind: z.literal('calls'),
  calls: callsLine.omit({ event: true }),
  elapsedNs: z.number().nonnegative(),
});
type CallsMeasurement = z.infer<typeof callsMeasurement>;

const us = (ns: number): number => ns / 1000;
const row = ({ calls: { ns } }: CallsMeasurement): number => median(ns.row);
/** The work itself, in the module. */
const work = ({ calls: { ns } }: CallsMeasurement): number =>
  Math.max(0, median(ns.bare) - median(ns.nothing));
/** All of a call that is not the work. */
const cost = (m: CallsMeasurement): number => Math.max(0, row(m) - work(m));
/** Differences within rounds, so that what the machine does meanwhile is on both sides. */
const overNative = ({ calls: { ns } }: CallsMeasurement): number | null =>
  ns.native && median(ns.row.map((one, round) => one - ns.native![round]!));

/** Longer than this takes no call that is worth measuring, milliseconds. */
const slowestMs = 1000;

/** Rounds that differ by more than this between their quarters say that the machine did something else. */
const restless = 1.3;

function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return at(0.75) / Math.max(at(0.25), Number.EPSILON);
}

export const calls = trialKind({
  id: 'calls',
  measurement: callsMeasurement,
  connects: false,

  needs: ({ missing }: CallsTrial) => ofProgram(missing),

  async carryOut({ command, kind: _, missing: __, ...spec }, stage, done) {
    const startedNs = monotonicNs();
    const running = stage.start('server', 'the program that calls a module', callsProgram(command, spec));
    // Each of four ways in every round, and as long as ten rounds before the first; a slow call takes longer than its slice.
    const line = await interruptible(
      stage.signal,
      running.expect('calls', (spec.rounds + 10) * 4 * (spec.sliceUs / 1000 + slowestMs) + answerMs),
    );
    const { event: _event, ...said } = validated(callsLine, line, 'what the program says of its calls');
    done('calls', { kind: 'calls', calls: said, elapsedNs: monotonicNs() - startedNs });
  },

  gates(name, { calls: { ns } }) {
    const apart = spread(ns.row);
    return apart > restless
      ? [
          warning(
            'restless-calls',
            `${name}: a quarter of the rounds took ${apart.toFixed(2)} times as long as another`,
          ),
        ]
      : [];
  },

  metrics: [
    {
      id: 'call-time',
      title: 'Time of a call',
      unit: 'µs',
      better: 'lower',
      digits: 3,
      meaning:
        'All of it, the work included: the median of rounds in which each way to call was measured once.',
      from: ['calls'],
      of: (m: CallsMeasurement) => us(row(m)),
    },
    {
      id: 'call-cost',
      title: 'What the call costs beside its work',
      unit: 'µs',
      better: 'lower',
      digits: 3,
      meaning:
        'The time of the call without that of the work, which is a bare call that does it without a bare call that does nothing.',
      from: ['calls'],
      of: (m: CallsMeasurement) => us(cost(m)),
    },
    {
      id: 'call-share',
      title: "The call's share of its time",
      unit: '%',
      better: 'lower',
      digits: 2,
      meaning: 'What the call costs beside its work, of the time of the call.',
      from: ['calls'],
      of: (m: CallsMeasurement) => (100 * cost(m)) / row(m),
    },
    {
      id: 'call-over-native',
      title: 'Time of a call over that of the same work in native code',
      unit: 'µs',
      better: 'lower',
      digits: 3,
      meaning:
        'Their difference, round by round: what the call costs, and what the code of the module is slower by.',
      from: ['calls'],
      of: (m: CallsMeasurement) => {
        const over = overNative(m);
        return over === null ? null : us(over);
      },
    },
    {
      id: 'native-time',
      title: 'Time of the same work in native code',
      unit: 'µs',
      better: 'neither',
      digits: 3,
      meaning: '',
      from: ['calls'],
      of: ({ calls: { ns } }: CallsMeasurement) => ns.native && us(median(ns.native)),
    },
    {
      id: 'module-slowdown',
      title: 'The work in the module over the same in native code',
      unit: '',
      better: 'lower',
      digits: 2,
      meaning:
        'Without the calls: what the compiler of the engine makes of the code, against the one of the native program.',
      from: ['calls'],
      of: (m: CallsMeasurement) => {
        const { native } = m.calls.ns;
        const done = work(m);
        return native === null || done === 0 ? null : done / median(native);
      },
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: ({ elapsedNs }) => elapsedNs,
});
