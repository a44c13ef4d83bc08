/**
 * What does it cost replicas to agree, and where does the time go? Each replica is a server on one of our backends, so that a
 * group is a dispatch workload of its own: fan-out, fan-in, and a disk that must not hold up the loop.
 *
 * Factors: the system (Raft and PBFT of ours, others' in the same run, and a broadcast without any agreement), backend, replicas,
 * length of a value, clients in a closed loop, whether the disk is waited for; of PBFT what authenticates messages, requests in a
 * batch, what is wrong with faulty replicas, and with how many; and whether commits are measured, rounds of a broadcast, what
 * follows when the leader is killed, or how a replica that lost its state gets it again.
 */
import { z } from 'zod';
import { backendName, backendNames, count, identifier } from '../contract/common.js';
import { quorumFaults, quorumSeals, quorumSystems } from '../contract/names.js';
import { type QuorumSystem, quorumFault, quorumSeal, quorumSystem } from '../contract/quorum.js';
import { wholeNumber } from '../options.js';
import { peerOf } from '../quorum-peers/registry.js';
import { missingGroup } from '../stage/groups.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { list, names } from './flags.js';

const works = ['commit', 'election', 'resync', 'broadcast', 'broadcast-in-turn'] as const;
type Work = (typeof works)[number];
/** How a broadcast asks its members. */
const broadcasts = works.slice(3);
const switched = ['on', 'off'] as const;
/** A group without faulty replicas. */
const noFault = 'none' as const;
const faultLevels = [noFault, ...quorumFaults] as const;
/** How many are faulty: none, as many as a group of PBFT bears, or one more. */
const faultyLevels = ['0', 'f', 'beyond-f'] as const;
const someFaulty = faultyLevels.slice(1);

const cell = z.object({
  backend: backendName.nullable(),
  io: z.null(),
  impl: quorumSystem,
  work: z.enum(works),
  replicas: count.min(1),
  bytes: count.min(1),
  clients: count.min(1),
  stateMb: count,
  fsync: identifier.pipe(z.enum(switched)),
  seal: quorumSeal,
  batch: count.min(1),
  fault: identifier.pipe(z.enum(faultLevels)),
  faulty: identifier.pipe(z.enum(faultyLevels)),
});
type Cell = z.infer<typeof cell>;

const settings = z.strictObject({
  systems: z.array(quorumSystem).min(1),
  backends: z.array(backendName).min(1),
  works: z.array(z.enum(works)).min(1),
  /** of groups that bear crashes, and of those whose leader is killed */
  replicas: z.array(count.min(1).max(11)).min(1),
  electing: z.array(count.min(3).max(11)).min(1),
  /** of broadcasts */
  broadcasting: z.array(count.min(2).max(11)).min(1),
  /** of groups that bear lies */
  byzantine: z.array(count.min(4).max(31)).min(1),
  bytes: z.array(count.min(1).max(1 << 20)).min(1),
  clients: z.array(count.min(1).max(256)).min(1),
  fsync: z.array(z.enum(switched)).min(1),
  seals: z.array(quorumSeal).min(1),
  batches: z.array(count.min(1)).min(1),
  faults: z.array(z.enum(faultLevels)).min(1),
  /** of the state that a replica of Raft fetches which lost its own */
  stateMb: z.array(count.min(1).max(100)).min(1),
  faulty: z.array(z.enum(faultyLevels).exclude(['0'])).min(1),
  kills: count.min(1),
  /** milliseconds without a leader until an election; null: what each system takes by itself */
  patienceMs: count.min(50).nullable(),
  /** every other replica is on the client's side, so that a link between the sides is between replicas as well */
  spread: z.boolean(),
  warmupMs: count,
  durationMs: count.min(1),
});
type Settings = z.infer<typeof settings>;

/** Cells of every combination of one level of each factor, of which the last varies fastest. */
const combined = (factors: { [Factor in keyof Cell]: readonly Cell[Factor][] }): Cell[] =>
  Object.entries(factors).reduce<object[]>(
    (rows, [factor, levels]) => rows.flatMap((row) => levels.map((level) => ({ ...row, [factor]: level }))),
    [{}],
  ) as Cell[];

const stateless = { stateMb: [0] };
const sound = { seal: ['none' as const], batch: [1], fault: [noFault], faulty: ['0' as const] };

/** What ours wait with, and others with whatever they have; and whether their disk can be waited for, or not. */
function ownAndOthers(impl: QuorumSystem, { backends, fsync }: Settings) {
  const peer = peerOf(impl);
  const common = { io: [null], impl: [impl] };
  return peer === null
    ? { ...common, backend: backends, fsync }
    : { ...common, backend: [null], fsync: fsync.filter((one) => peer.fsync.includes(one)) };
}

/** What each work is measured with: all that was chosen, or where another factor matters the first of it. */
function ofWork(work: Work, chosen: Settings, fsync: Cell['fsync'][]) {
  const { replicas, bytes, clients } = chosen;
  if (work === 'commit') return { replicas, bytes, clients, fsync, ...stateless };
  const first = { bytes: bytes.slice(0, 1), clients: clients.slice(0, 1), fsync: fsync.slice(0, 1) };
  return work === 'election'
    ? { replicas: chosen.electing, ...first, ...stateless }
    : { replicas: replicas.slice(0, 1), ...first, stateMb: chosen.stateMb };
}

/** Of Raft, and of others that bear the end of a member. Those can be told by nobody when they have a state. */
function bearingCrashes(impl: QuorumSystem, chosen: Settings): Cell[] {
  const { fsync, ...common } = { ...ownAndOthers(impl, chosen), ...sound };
  const done: Work[] = peerOf(impl) === null ? ['commit', 'election', 'resync'] : ['commit', 'election'];
  return chosen.works
    .filter((work) => done.includes(work))
    .flatMap((work) => combined({ ...common, work: [work], ...ofWork(work, chosen, fsync) }));
}

function ofBroadcasts(impl: QuorumSystem, chosen: Settings): Cell[] {
  const { broadcasting: replicas, bytes, clients, works: asked } = chosen;
  const common = { ...ownAndOthers(impl, chosen), ...sound, ...stateless };
  const work = asked.filter((one) => broadcasts.includes(one));
  return combined({ ...common, fsync: ['off'], work, replicas, bytes, clients: clients.slice(0, 1) });
}

/** Of PBFT, and of others that bear lies: those sign, and what they put into a batch is what waits. */
function bearingLies(impl: QuorumSystem, chosen: Settings): Cell[] {
  if (!chosen.works.includes('commit')) return [];
  const { byzantine: replicas, bytes, clients, seals, batches, faults } = chosen;
  const work = ['commit' as const];
  const common = { ...ownAndOthers(impl, chosen), ...stateless, work, replicas, bytes, clients };
  if (peerOf(impl) !== null) return combined({ ...common, ...sound, seal: ['ed25519'] });
  return faults.flatMap((fault) =>
    combined({
      ...common,
      ...{ fsync: ['off'], seal: seals, batch: batches, fault: [fault] },
      faulty: fault === noFault ? sound.faulty : chosen.faulty,
    }),
  );
}

const bearsLies = (system: QuorumSystem): boolean => system === 'pbft' || peerOf(system)?.bears === 'lies';

const milli = (value: number | null | undefined) => value?.toFixed(2) ?? '-';

export const quorum = experiment({
  id: 'quorum',
  question: 'What does it cost replicas to agree, and where does the time go?',
  axis: 'clients',
  cell,
  settings,
  factors: {
    work: { name: 'work' },
    replicas: { name: 'replicas' },
    bytes: { name: 'bytes of a value' },
    clients: { name: 'clients' },
    stateMb: { name: 'MB of state' },
    fsync: { name: 'waiting for the disk' },
    seal: { name: 'seals' },
    batch: { name: 'requests in a batch' },
    fault: { name: 'what faulty replicas do' },
    faulty: { name: 'faulty replicas' },
  },
  words: [],
  quick: false,
  profiles: ['quick', 'full'],
  flags: [
    {
      flags: '--systems <list>',
      description: `systems: ${quorumSystems.join(', ')}`,
      setting: 'systems',
      parse: names(quorumSystems, 'system'),
      names: true,
    },
    {
      flags: '--backends <list>',
      description: 'what replicas of ours wait with, comma-separated',
      setting: 'backends',
      parse: names(backendNames, 'backend'),
    },
    {
      flags: '--works <list>',
      description: `what is measured: ${works.join(', ')}`,
      setting: 'works',
      parse: names(works, 'work'),
    },
    {
      flags: '--replicas <list>',
      description: 'replicas of groups that bear crashes (raft and the like), comma-separated',
      setting: 'replicas',
      parse: list(wholeNumber(1, 11)),
    },
    {
      flags: '--electing <list>',
      description: 'replicas of groups whose leader is killed, comma-separated',
      setting: 'electing',
      parse: list(wholeNumber(3, 11)),
    },
    {
      flags: '--broadcasting <list>',
      description: 'members of broadcasts, comma-separated',
      setting: 'broadcasting',
      parse: list(wholeNumber(2, 11)),
    },
    {
      flags: '--byzantine <list>',
      description: 'replicas of groups that bear lies (pbft and the like), comma-separated',
      setting: 'byzantine',
      parse: list(wholeNumber(4, 31)),
    },
    {
      flags: '--bytes <list>',
      description: 'bytes of a value, comma-separated',
      setting: 'bytes',
      parse: list(wholeNumber(1, 1 << 20)),
    },
    {
      flags: '--clients <list>',
      description: 'clients, comma-separated, each with one request under way',
      setting: 'clients',
      parse: list(wholeNumber(1, 256)),
    },
    {
      flags: '--fsync <list>',
      description: `whether a commit waits for the disk: ${switched.join(', ')}`,
      setting: 'fsync',
      parse: names(switched, 'setting'),
    },
    {
      flags: '--seals <list>',
      description: `what authenticates messages of pbft: ${quorumSeals.join(', ')}`,
      setting: 'seals',
      parse: names(quorumSeals, 'seal'),
    },
    {
      flags: '--batches <list>',
      description: 'requests in a batch of pbft, comma-separated',
      setting: 'batches',
      parse: list(wholeNumber(1, 10_000)),
    },
    {
      flags: '--faults <list>',
      description: `what faulty replicas of pbft do: ${faultLevels.join(', ')}`,
      setting: 'faults',
      parse: names(faultLevels, 'fault'),
    },
    {
      flags: '--faulty <list>',
      description: `how many are, as many as the group bears or one more: ${someFaulty.join(', ')}`,
      setting: 'faulty',
      parse: names(someFaulty, 'number'),
    },
    {
      flags: '--state-mb <list>',
      description: 'megabytes of state that a replica fetches which lost its own, comma-separated',
      setting: 'stateMb',
      parse: list(wholeNumber(1, 100)),
    },
    {
      flags: '--kills <n>',
      description: 'leaders that are killed in one trial',
      setting: 'kills',
      parse: wholeNumber(1, 1000),
    },
    {
      flags: '--patience <ms>',
      description: 'milliseconds without a leader until an election, of all systems',
      setting: 'patienceMs',
      parse: wholeNumber(50, 600_000),
    },
    {
      flags: '--spread',
      description: "every other replica on the client's side: with --link, replicas reach each other over it",
      setting: 'spread',
      parse: () => true,
    },
    {
      flags: '--duration-ms <n>',
      description: 'milliseconds of a window',
      setting: 'durationMs',
      parse: wholeNumber(1, 600_000),
    },
  ],
  profile: (name, { nodeBackend }): Settings => ({
    // As it comes CometBFT waits for most of the time, which one look tells.
    systems: quorumSystems.filter((system) => name === 'full' || system !== 'cometbft'),
    backends: [nodeBackend],
    works: [...works],
    replicas: name === 'full' ? [3, 5, 7] : [3],
    electing: name === 'full' ? [3, 5, 7, 9, 11] : [3],
    broadcasting: name === 'full' ? [3, 7, 11] : [3],
    byzantine: name === 'full' ? [4, 7, 10] : [4],
    bytes: name === 'full' ? [1024, 65_536] : [1024],
    clients: [1, 16, 64],
    fsync: [...switched],
    seals: name === 'full' ? ['hmac', 'ed25519'] : ['hmac'],
    batches: name === 'full' ? [1, 10] : [10],
    faults: name === 'full' ? [...faultLevels] : [noFault],
    faulty: ['f'],
    stateMb: name === 'full' ? [1, 10, 100] : [1],
    kills: name === 'full' ? 3 : 1,
    patienceMs: null,
    spread: false,
    warmupMs: 500,
    durationMs: name === 'full' ? 5000 : 2000,
  }),
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 5 }, budgetMs: 420_000 } : {}),
  cells: (chosen) =>
    chosen.systems.flatMap((system) => {
      if (system === 'broadcast') return ofBroadcasts(system, chosen);
      return (bearsLies(system) ? bearingLies : bearingCrashes)(system, chosen);
    }),
  trial: (levels, { kills, patienceMs, spread, warmupMs, durationMs }) => {
    const {
      impl: system,
      backend,
      replicas,
      bytes,
      clients,
      fsync,
      seal,
      batch,
      fault,
      faulty,
      work,
      stateMb,
    } = levels;
    const bears = Math.floor((replicas - 1) / 3);
    return {
      kind: 'quorum',
      ...{ system, backend, replicas, clients, seal, batch, spread, warmupMs, durationMs },
      fsync: fsync === 'on',
      fault: fault === noFault ? null : quorumFault.parse(fault),
      faulty: { '0': 0, f: bears, 'beyond-f': bears + 1 }[faulty],
      valueBytes: bytes,
      readShare: 0,
      inTurn: work === 'broadcast-in-turn',
      stateBytes: stateMb * 1e6,
      kills: work === 'election' ? kills : 0,
      patienceMs: patienceMs ?? undefined,
      missing: missingGroup({ system, replicas, fsync: fsync === 'on' }),
    };
  },
  primary: ['quorum-rate', 'quorum-first-write', 'quorum-resync'],
  glance(sample) {
    const of = (id: 'quorum-rate' | 'quorum-p50' | 'quorum-first-write' | 'quorum-resync') =>
      metric(id).of(sample);
    const [first, resync] = [of('quorum-first-write'), of('quorum-resync')];
    if (resync !== null) return `state fetched in ${resync.toFixed(0)} ms`;
    if (first !== null) return `first write ${first.toFixed(0)} ms after a kill`;
    return `${of('quorum-rate')?.toFixed(0) ?? '-'} commits/s, p50 ${milli(of('quorum-p50'))} ms`;
  },
  plots: [
    { kind: 'lines', metric: 'quorum-rate', logY: true },
    { kind: 'lines', metric: 'quorum-p50', logY: true },
    {
      kind: 'servers',
      metrics: ['quorum-wire', 'quorum-wake', 'quorum-crypto', 'quorum-fsync', 'quorum-rest'],
      levels: { work: 'commit' },
      logY: false,
    },
    ...broadcasts.map((work) => ({
      kind: 'servers' as const,
      metrics: ['quorum-p50'] as const,
      levels: { work },
      logY: false,
    })),
    {
      kind: 'servers',
      metrics: ['quorum-resync', 'quorum-p99'],
      levels: { work: 'resync' },
      logY: false,
    },
    { kind: 'servers', metrics: ['quorum-first-write'], levels: { work: 'election' }, logY: false },
  ],
  compared: [{ metric: 'quorum-rate', scale: 'ratio' }],
  answers: [],
  modelled: [],
  closing: {
    rates: ['quorum-rate'],
    costs: ['quorum-p50', 'quorum-p99', 'quorum-first-write', 'quorum-cpu', 'quorum-syncs'],
  },
});
