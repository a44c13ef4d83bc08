/** The one line of dispatchbench-dispatch-cost, a program that measures itself: what does one dispatch cost? */
import { z } from 'zod';
import { backendName, count } from './common.js';
import { capabilities, counters } from './server.js';

/**
 * What a round is.
 *
 * - `drain`: the round of libevent's bench: `active` bytes lie ready, handlers read one byte each and forward `writes`
 *   further ones, until all have been read. Timed from before the first wait; the first writes lie outside.
 * - `wakeup`: one thread writes a byte, waits without sleeping, and reads it; all three are timed.
 * - `wakeup-threads`: a second thread writes to one that sleeps in the kernel; timed from just before the write until the
 *   handler is reached.
 */
export const costMode = z.enum(['drain', 'wakeup', 'wakeup-threads']);
export type CostMode = z.infer<typeof costMode>;

/** `native`: through our Poller, as the servers do; `baseline`: the same work around bare system calls. */
export const costImplementation = z.enum(['native', 'baseline']);
export type CostImplementation = z.infer<typeof costImplementation>;

export const cost = z.object({
  event: z.literal('cost'),
  mode: costMode,
  impl: costImplementation,
  backend: backendName,
  /** null for the baseline */
  capabilities: capabilities.nullable(),
  /** socket pairs registered */
  pairs: count,
  /** drain: pairs that hold a byte when the clock starts; else 1 */
  active: count,
  /** drain: bytes that handlers forward in a round; else 0 */
  writes: count,
  /** rows of the result array of one wait; bare select and poll have none */
  maxEvents: count,
  /** of the generator that draws the active pairs */
  seed: z.number(),
  /** rounds measured */
  rounds: count,
  warmupRounds: count,
  /** events dispatched in the measured rounds: rounds x (active + writes) */
  events: count,
  /** nanoseconds of a round, over the measured rounds; percentiles are rounds that happened (nearest rank) */
  roundNs: z.object({
    min: z.number(),
    p50: z.number(),
    p90: z.number(),
    p99: z.number(),
    max: z.number(),
    mean: z.number(),
    /** sample standard deviation; 0 for one round */
    stddev: z.number(),
  }),
  /** sum of the rounds' times over events, nanoseconds */
  nsPerEvent: z.number(),
  /** nanoseconds from the first measured round to the last, what lies between rounds included */
  wallNs: z.number(),
  /** microseconds of the waiting thread from the first measured round to the last (where the system tells threads apart) */
  cpu: z.object({ userUs: z.number(), systemUs: z.number() }),
  /** of the same thread over the same time */
  contextSwitches: z.object({ voluntary: count, involuntary: count }),
  /** system calls that wait, in the measured rounds */
  waits: count,
  /** system calls made only to change interest, in the measured rounds */
  changeCalls: count,
  /** the poller's counters over the measured rounds; null for the baseline */
  counters: counters.nullable(),
  /** the second thread of wakeup-threads; null in the other modes */
  writer: z
    .object({
      /** microseconds from the waiting thread's announcement to the write: it falls asleep meanwhile */
      gapUs: count,
      /** how the gap passes: a writer with a CPU of its own spins */
      gap: z.enum(['spin', 'sleep']),
      cpuAffinity: z.array(count),
      /** measured rounds in which the waiting thread really slept; null where the system does not tell */
      sleptRounds: count.nullable(),
    })
    .nullable(),
  descriptorLimit: z.object({ soft: count, hard: count }),
  /** CPUs the waiting thread may run on */
  cpuAffinity: z.array(count),
  pid: count,
  kernel: z.string(),
  versions: z.record(z.string(), z.string()),
  compilerFlags: z.string(),
  /** digest (sha256, hex, first 16 characters) of the program */
  digest: z.string(),
});
export type Cost = z.infer<typeof cost>;
