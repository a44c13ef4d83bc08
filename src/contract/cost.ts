/** The one line of the programs that measure themselves: what does one dispatch cost? */
import { z } from 'zod';
import { type BackendName, backendName, count } from './common.js';
import { peers } from './peers.js';
import { capabilities, counters } from './server.js';

/**
 * What a round is; the head of each mode's file in native/cost says it exactly. The list, in the order of
 * native/cost/modes.h.
 *
 * `active`: what the number of active ones counts: some of the registered pairs, or further descriptors beside them (one or
 * two each). `writes`, `budget`: whether the mode takes them. `second`: another thread or process writes. `oneEvent`: a round
 * is one event, so that its time is a response time.
 */
export const costModes = [
  /** the round of libevent's bench: handlers read the bytes of `active` pairs, and forward `writes` further ones */
  { name: 'drain', active: 'pairs', writes: true, budget: false, second: false, oneEvent: false },
  /** one thread writes a byte, waits without sleeping, and reads it; all three are timed */
  { name: 'wakeup', active: 'unused', writes: false, budget: false, second: false, oneEvent: true },
  /** another thread writes to one that sleeps in the kernel; timed from the write until the handler is reached */
  { name: 'wakeup-threads', active: 'unused', writes: false, budget: false, second: true, oneEvent: true },
  /** another process does */
  { name: 'wakeup-processes', active: 'unused', writes: false, budget: false, second: true, oneEvent: true },
  /** `active` registrations are added (an event: one of them), modified, or removed; only those calls are timed */
  { name: 'add', active: 'pairs', writes: false, budget: false, second: false, oneEvent: false },
  { name: 'modify', active: 'pairs', writes: false, budget: false, second: false, oneEvent: false },
  { name: 'remove', active: 'pairs', writes: false, budget: false, second: false, oneEvent: false },
  /** `active` pairs ask for writing, and no longer once they are told that they may */
  { name: 'toggle-write', active: 'pairs', writes: false, budget: false, second: false, oneEvent: false },
  /** `active` connections wait at a listening socket, and a handler accepts at most `budget` of them */
  { name: 'accept-storm', active: 'two each', writes: false, budget: true, second: false, oneEvent: false },
  /** `active` UDP sockets hold a datagram each and `writes` further ones; a handler receives at most `budget` */
  { name: 'udp-fan-in', active: 'one each', writes: true, budget: true, second: false, oneEvent: false },
  /** of `active` pairs one holds `writes` further bytes; timed until the others' one byte has been read */
  { name: 'loud-talker', active: 'pairs', writes: true, budget: true, second: false, oneEvent: false },
  /** `active` further pairs are taken out and closed */
  { name: 'teardown', active: 'two each', writes: false, budget: false, second: false, oneEvent: false },
  /** a wakeup, after `active` further pairs were there and are no longer */
  { name: 'after-spike', active: 'two each', writes: false, budget: false, second: false, oneEvent: true },
  /** `active` pairs hold a byte that nobody reads, so that every wait reports them: waits for 100 rows of each, an event is a row */
  { name: 'unread', active: 'pairs', writes: false, budget: false, second: false, oneEvent: false },
] as const;

export type CostMode = (typeof costModes)[number]['name'];
export const costMode = z.enum(costModes.map(({ name }) => name) as [CostMode, ...CostMode[]]);

export const factsOfMode = (mode: CostMode): (typeof costModes)[number] =>
  costModes.find(({ name }) => name === mode)!;

/** Descriptors that a mode opens beside the registered pairs. */
export function furtherDescriptors(mode: CostMode, active: number): number {
  const each = { pairs: 0, unused: 0, 'one each': 1, 'two each': 2 } as const;
  return each[factsOfMode(mode).active] * active;
}

/** Other people's loops, each a program of its own with the same modes. */
export const costPeers = peers.map(({ cost: program, ...peer }) => ({
  ...peer,
  program,
})) satisfies readonly {
  program: string;
  backends: readonly BackendName[];
}[];

/** Every row is left to wait for again, so that nothing but waiting and handing over is timed: what TypeScript is compared in. */
export const crossingMode = 'unread' satisfies CostMode;

/**
 * `native`: through our Poller, as the servers do; `baseline`: the same work around bare system calls; `ts`: through our Poller
 * from TypeScript, in the mode `unread` alone; others' loops.
 */
export const costImplementation = z.enum(['native', 'baseline', 'ts', ...costPeers.map(({ name }) => name)]);
export type CostImplementation = z.infer<typeof costImplementation>;

export const cost = z.object({
  event: z.literal('cost'),
  mode: costMode,
  impl: costImplementation,
  backend: backendName,
  /** null for all but our Poller (native, ts) */
  capabilities: capabilities.nullable(),
  /** socket pairs registered */
  pairs: count,
  /** from the number of one watched descriptor to the next, at least; 1: as the system gives them */
  stride: count,
  /** what a round is about, as its mode says; 1 where it says nothing */
  active: count,
  /** further writes of a round, as its mode says */
  writes: count,
  /** most that a handler takes of one descriptor before the next one's turn, as its mode says */
  budget: count,
  /** rows of the result array of one wait; bare select and poll have none, and other people's loops their own */
  maxEvents: count,
  /** each wait looked before it slept, which is a system call more where nothing was ready; left out: it did not */
  lookFirst: z.boolean().optional(),
  /** of the generator that draws the active pairs */
  seed: z.number(),
  /** rounds measured */
  rounds: count,
  warmupRounds: count,
  /** events, as the mode defines them, in the measured rounds; of a drain rounds x (active + writes) */
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
  /** system calls that wait, within the clock of the measured rounds */
  waits: count,
  /** system calls made only to change interest, within the clock of the measured rounds */
  changeCalls: count,
  /** the poller's counters over the measured rounds, with what lies outside the clock; null for all but our Poller */
  counters: counters.nullable(),
  /** what the mode counts beside, over the measured rounds */
  counted: z.record(z.string(), count),
  /** the second thread or process of a wake-up; null in the other modes */
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
