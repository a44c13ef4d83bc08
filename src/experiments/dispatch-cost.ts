/**
 * What does one dispatch cost, without a network? Socket pairs in one process, as in libevent's bench: how long it takes
 * to find and read what is ready, among how many that are not.
 *
 * Factors: backend x implementation (through our Poller, bare system calls, other people's loops) x what a round is x
 * socket pairs registered. The first four rounds answer the question; `full` has the whole micro-set. TypeScript takes part where
 * nothing is read, so that what crossing into it adds to a wait and to each event stands alone.
 */
import { z } from 'zod';
import { type BackendName, backendName, count } from '../contract/common.js';
import { type CostImplementation, costImplementation, crossingMode } from '../contract/cost.js';
import { edgeTriggered, scanning } from '../contract/names.js';
import { peers } from '../contract/peers.js';
import type { ProfileName } from '../contract/run.js';
import { wholeNumber } from '../options.js';
import { reservedDescriptors } from '../stage/limits.js';
import type { CostTrial } from '../trials/cost.js';
import { metric } from '../trials/registry.js';
import { experiment, type Machine } from './experiment.js';
import { list, names, serverFlags } from './flags.js';
import { exists as existsAsServer, peerHas } from './servers.js';

type Asked = Omit<CostTrial, 'kind' | 'impl' | 'backend' | 'pairs' | 'warmupMs' | 'durationMs'>;

/** Whatever a round is about comes in as many, where there are as many. */
const several = 100;
const few = (pairs: number): number => Math.min(several, pairs);

interface RoundFacts {
  /** part of the whole set only */
  whole?: boolean;
  /** it is about a wait's result array */
  rows?: boolean;
  /** it is about a look before the sleep, which is our pollers' where a wait looks at every descriptor */
  looks?: boolean;
  /** nothing is read, and so many pairs have to be there for it */
  unread?: number;
  /** what is asked among so many pairs; `writes`: what was asked for drains */
  asked(pairs: number, writes: number): Asked;
}

const rounds = {
  'one active': { asked: (_, writes) => ({ mode: 'drain', active: 1, writes }) },
  'all active': { asked: (pairs, writes) => ({ mode: 'drain', active: pairs, writes }) },
  'wake-up': { asked: () => ({ mode: 'wakeup' }) },
  'wake-up of a sleeping thread': { asked: () => ({ mode: 'wakeup-threads' }) },
  'wake-up by another process': { whole: true, asked: () => ({ mode: 'wakeup-processes' }) },
  'wake-up after a spike': { whole: true, asked: () => ({ mode: 'after-spike', active: 5000 }) },
  'one active of sparse descriptors': {
    whole: true,
    asked: (_, writes) => ({ mode: 'drain', active: 1, writes, stride: 8 }),
  },
  'all active by 1 a wait': { whole: true, rows: true, asked: allActiveIn(1) },
  'all active by 16 a wait': { whole: true, rows: true, asked: allActiveIn(16) },
  'all active by 256 a wait': { whole: true, rows: true, asked: allActiveIn(256) },
  'all active by 4096 a wait': { whole: true, rows: true, asked: allActiveIn(4096) },
  'add interest': { whole: true, asked: (pairs) => ({ mode: 'add', active: few(pairs) }) },
  'modify interest': { whole: true, asked: (pairs) => ({ mode: 'modify', active: few(pairs) }) },
  'remove interest': { whole: true, asked: (pairs) => ({ mode: 'remove', active: few(pairs) }) },
  'toggle write interest': { whole: true, asked: (pairs) => ({ mode: 'toggle-write', active: few(pairs) }) },
  'accept storm by 1 a turn': { whole: true, asked: () => ({ mode: 'accept-storm', active: several }) },
  'accept storm by 64 a turn': {
    whole: true,
    asked: () => ({ mode: 'accept-storm', active: several, budget: 64 }),
  },
  'UDP fan-in by 1 a turn': {
    whole: true,
    asked: () => ({ mode: 'udp-fan-in', active: several, writes: 7 * several }),
  },
  'UDP fan-in by 16 a turn': {
    whole: true,
    asked: () => ({ mode: 'udp-fan-in', active: several, writes: 7 * several, budget: 16 }),
  },
  'one loud talker': {
    whole: true,
    asked: (pairs) => ({ mode: 'loud-talker', active: few(pairs), writes: several, budget: 4 }),
  },
  teardown: { whole: true, asked: () => ({ mode: 'teardown', active: several }) },
  'one active looking first': {
    whole: true,
    looks: true,
    asked: (_, writes) => ({ mode: 'drain', active: 1, writes, lookFirst: true }),
  },
  'wake-up of a sleeping thread looking first': {
    whole: true,
    looks: true,
    asked: () => ({ mode: 'wakeup-threads', lookFirst: true }),
  },
  '1 left unread': leftUnread(1),
  '8 left unread': leftUnread(8),
  '64 left unread': leftUnread(64),
  '512 left unread': leftUnread(512),
  '64 left unread by 1 a wait': { ...leftUnread(64, 1), rows: true },
} satisfies Record<string, RoundFacts>;

function leftUnread(active: number, maxEvents?: number) {
  const rows = maxEvents === undefined ? {} : { maxEvents };
  return { whole: true, unread: active, asked: (): Asked => ({ mode: crossingMode, active, ...rows }) };
}

function allActiveIn(maxEvents: number) {
  return (pairs: number, writes: number): Asked => ({ mode: 'drain', active: pairs, writes, maxEvents });
}

type Round = keyof typeof rounds;
const roundNames = Object.keys(rounds) as [Round, ...Round[]];
const round = z.enum(roundNames);
const factsOf = (one: Round): RoundFacts => rounds[one];
const firstRounds = roundNames.filter((one) => !factsOf(one).whole);

const cell = z.object({ backend: backendName, impl: costImplementation, round, pairs: count.min(1) });
type DispatchCostCell = z.infer<typeof cell>;

const settings = z.strictObject({
  backends: z.array(backendName).min(1),
  impls: z.array(costImplementation).min(1),
  rounds: z.array(round).min(1),
  pairs: z.array(count.min(1)).min(1),
  /** of them those that rounds of the whole set are measured with; left out: all */
  wholePairs: z.array(count.min(1)).optional(),
  /** bytes that handlers forward in a round of a drain, beside those that lie ready */
  writes: count,
  warmupMs: count,
  durationMs: count.min(1),
});
type DispatchCostSettings = z.infer<typeof settings>;

function profile(name: ProfileName, machine: Machine): DispatchCostSettings {
  const most = Math.floor((machine.descriptorLimit - reservedDescriptors) / 2);
  const common = { impls: ['native' as const, 'baseline' as const], rounds: firstRounds, writes: 0 };
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
    ...(name === 'full' && {
      impls: [...costImplementation.options],
      rounds: [...roundNames],
      wholePairs: [100, 1000, 9000],
    }),
  };
}

/** A library has some mechanisms, and libuv the system's own; a result array of a size that can be asked for has not everybody. */
function exists(impl: CostImplementation, backend: BackendName, one: Round, machine: Machine): boolean {
  const among = (names: readonly BackendName[]) => names.includes(backend);
  const { rows, looks, unread } = factsOf(one);
  const byPoller = impl === 'native' || impl === 'ts';
  const ours = byPoller || impl === 'baseline';
  if (rows && !byPoller && (!ours || among(scanning))) return false;
  if (looks && (impl !== 'native' || !among(scanning))) return false;
  if (unread !== undefined && among(edgeTriggered)) return false;
  if (impl === 'ts') return unread !== undefined;
  if (ours) return existsAsServer({ impl, io: null, backend }, machine);
  return peerHas(peers.find(({ name }) => name === impl)!, backend, machine);
}

const cells = (chosen: DispatchCostSettings, machine: Machine): DispatchCostCell[] =>
  chosen.impls.flatMap((impl) =>
    chosen.backends.flatMap((backend) =>
      chosen.rounds
        .filter((one) => exists(impl, backend, one, machine))
        .flatMap((one) =>
          chosen.pairs
            .filter((pairs) => !factsOf(one).whole || (chosen.wholePairs?.includes(pairs) ?? true))
            .filter((pairs) => pairs >= (factsOf(one).unread ?? 0))
            .map((pairs) => ({ backend, impl, round: one, pairs })),
        ),
    ),
  );

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
      description: `through our core, bare system calls, or other people's loops: ${costImplementation.options.join(', ')}`,
      setting: 'impls',
      parse: names(costImplementation.options, 'implementation'),
    },
    {
      flags: '--rounds <list>',
      description: `what a round is: ${roundNames.join(', ')}`,
      setting: 'rounds',
      parse: names(roundNames, 'round'),
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
    return {
      kind: 'cost',
      ...rounds[one].asked(pairs, writes),
      impl,
      backend,
      pairs,
      warmupMs,
      durationMs,
    };
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
