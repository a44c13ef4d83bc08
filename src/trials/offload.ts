/** Tasks that somebody else runs: behind a broker in browsers or processes, or without one. One program, which measures itself. */
import { z } from 'zod';
import { type OffloadSteps, offloadResult } from '../contract/offload.js';
import { validated } from '../contract/validated.js';
import { type OffloadSpec, offloadProgram } from '../programs/offload.js';
import { answerMs } from '../stage/patience.js';
import { quantileRanks } from '../statistics/percentiles.js';
import { invalid } from './gates.js';
import { trialKind } from './kind.js';

/** A browser may take so long to start on a busy machine, milliseconds. */
const startMs = 60_000;
/** The steps of a task come to what the client measured, but for this share. */
const traceShare = 0.05;

export interface OffloadTrial extends OffloadSpec {
  kind: 'offload';
  /** why it cannot be carried out; left out: it can */
  missing?: string | undefined;
}

const offloadMeasurement = z.object({
  kind: z.literal('offload'),
  offload: offloadResult.omit({ event: true }),
});
type OffloadMeasurement = z.infer<typeof offloadMeasurement>;

type Step = Exclude<keyof OffloadSteps, 'total'>;
const parts = [
  'client',
  'queue',
  'wire',
  'worker',
  'instantiate',
  'run',
  'back',
] as const satisfies readonly Step[];
const idOf = <Name extends Step>(name: Name): `offload-${Name}` => `offload-${name}`;
const [first, ...others] = parts;
/** Metrics of a task's steps, in their order. */
export const offloadStepIds = [idOf(first), ...others.map(idOf)] as const;

const sumOf = (steps: OffloadSteps): number => parts.reduce((all, part) => all + steps[part], 0);

const percentile = (q: 0.5 | 0.99, of: 'p50' | 'p99') => (m: OffloadMeasurement) =>
  quantileRanks(m.offload.latency.count, q) ? m.offload.latency[of] / 1e6 : null;

const step = <const Name extends Step>(name: Name, title: string, meaning: string) =>
  ({
    id: idOf(name),
    title,
    unit: 'ms',
    better: 'lower',
    digits: 3,
    meaning,
    from: ['offload'],
    of: ({ offload: { steps } }: OffloadMeasurement) => steps?.[name] ?? null,
  }) as const;

export const offload = trialKind({
  id: 'offload',
  measurement: offloadMeasurement,
  connects: false,

  needs: ({ missing, inFlight }: OffloadTrial) => ({
    backend: null,
    byNode: true,
    missing,
    perProcess: 1,
    what: 'connections',
    connections: inFlight,
    active: 0,
  }),

  async carryOut({ kind: _, missing: __, ...spec }, stage, done) {
    const running = stage.start('server', 'the program that has tasks run', offloadProgram(spec));
    const line = await running.expect('result', spec.warmupMs + spec.durationMs + startMs + answerMs);
    const { event: ___, ...result } = validated(offloadResult, line, 'what became of the tasks');
    done('offload', { kind: 'offload', offload: result });
  },

  gates(name, { offload: { tasks, failures, steps } }) {
    const sum = steps ? sumOf(steps) : 0;
    return [
      ...(failures > 0
        ? [invalid('failed-tasks', `${name}: ${failures} of ${tasks} tasks had no or another answer`)]
        : []),
      ...(steps && Math.abs(sum - steps.total) > traceShare * steps.total
        ? [
            invalid(
              'steps-apart',
              `${name}: the steps come to ${sum.toFixed(3)} of ${steps.total.toFixed(3)} ms`,
            ),
          ]
        : []),
      ...(steps && parts.some((part) => steps[part] < -traceShare * steps.total)
        ? [invalid('clocks-apart', `${name}: a step took less than no time, so that clocks do not agree`)]
        : []),
    ];
  },

  metrics: [
    {
      id: 'offload-rate',
      title: 'Tasks',
      unit: '/s',
      better: 'higher',
      digits: 1,
      meaning: 'Tasks that were answered, by a client that has as many under way as it was told.',
      from: ['offload'],
      of: ({ offload: { tasks, elapsedNs } }: OffloadMeasurement) => tasks / (elapsedNs / 1e9),
    },
    {
      id: 'offload-p50',
      title: 'Task p50',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: 'From asking until the answer was there.',
      from: ['offload'],
      of: percentile(0.5, 'p50'),
    },
    {
      id: 'offload-p99',
      title: 'Task p99',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['offload'],
      of: percentile(0.99, 'p99'),
    },
    step('client', 'Between client and broker', 'Both ways, mean of all tasks, as the other steps.'),
    step('queue', 'In the queue of the broker', 'Until a provider was given it.'),
    step('wire', 'Between broker and provider', 'Both ways.'),
    step('worker', 'In the provider', 'Waiting for a worker, and messages to it and back.'),
    step('instantiate', 'Instantiating the module', ''),
    step('run', 'Running the module', ''),
    step(
      'back',
      'In the broker, beside the queue',
      'Reading the request, writing down and sending the answer.',
    ),
    {
      id: 'offload-trace',
      title: 'Sum of the steps over the whole',
      unit: '×',
      better: 'neither',
      digits: 3,
      meaning: 'One where nothing was missed; a trial that is more than 5 % from it does not count.',
      from: ['offload'],
      of: ({ offload: { steps } }: OffloadMeasurement) => steps && sumOf(steps) / steps.total,
    },
  ],

  served: () => null,
  distributions: ({ offload: { latency } }) => ({ latency }),
  durationNs: ({ offload: { elapsedNs } }) => elapsedNs,
});
