/** A group of replicas that agree on writes: so many processes in the role of the server, and one client that asks in a closed loop. */
import { z } from 'zod';
import { type QuorumResult, quorumResult, replicaHello, replicaSnapshot } from '../contract/quorum.js';
import type { Gate } from '../contract/sample.js';
import { validated } from '../contract/validated.js';
import type { HostProcess } from '../hosts/host.js';
import { quorumClientProgram } from '../programs/quorum.js';
import { peerOf } from '../quorum-peers/registry.js';
import { type Group, type GroupSpec, groundOf, type Resync } from '../stage/group.js';
import { openGroup } from '../stage/groups.js';
import { answerMs } from '../stage/patience.js';
import type { Stage } from '../stage/stage.js';
import { quantileRanks } from '../statistics/percentiles.js';
import { invalid, warning } from './gates.js';
import { trialKind } from './kind.js';

/** After a request was not answered for so long it is asked for again, milliseconds. */
const requestPatienceMs = 500;
/** A kill, until the group agrees again and the replica is back, milliseconds at most. */
const killMs = 30_000;
/** A state, until it is written, milliseconds at most. */
const fillMs = 120_000;

/** Steps of a write come to no more than the whole, but for this share of it. */
const stepsShare = 0.05;

export interface QuorumTrial extends GroupSpec {
  kind: 'quorum';
  clients: number;
  valueBytes: number;
  readShare: number;
  warmupMs: number;
  durationMs: number;
  /** leaders that are killed; 0: a window without any */
  kills: number;
  /** of a state that a replica which lost it fetches in the window, which lasts as long; left out: none */
  stateBytes?: number | undefined;
  /** every other replica is on the client's side; left out: all are on the server's */
  spread?: boolean | undefined;
  /** why it cannot be carried out; left out: it can */
  missing?: string | undefined;
}

/** Faulty replicas that a group bears (f), beside those that only stop. */
const bears = ({ system, replicas }: GroupSpec): number =>
  system === 'pbft' ? Math.floor((replicas - 1) / 3) : 0;

/** More than that are faulty: nothing is promised any more. */
const isBeyond = (spec: GroupSpec): boolean => spec.faulty > bears(spec);

const quorumMeasurement = z.object({
  kind: z.literal('quorum'),
  quorum: quorumResult.omit({ event: true }),
  /** what replicas are, and what they counted where the window began and ended; null: they are not ours */
  replicas: z
    .array(
      z.object({
        hello: replicaHello.omit({ event: true }),
        before: replicaSnapshot.omit({ event: true }).nullable(),
        after: replicaSnapshot.omit({ event: true }).nullable(),
      }),
    )
    .nullable(),
  /** somebody else's group: its version, what it was told beside its defaults, and what it could not be told; null: it is ours */
  peer: z.object({ version: z.string(), told: z.array(z.string()), untold: z.array(z.string()) }).nullable(),
  /** what a replica fetched that had lost everything; null: none had */
  resync: z.object({ bytes: z.number(), tookNs: z.number() }).nullable(),
  /** the first so many were faulty, and whether these were more than the group bears */
  faulty: z.number(),
  beyond: z.boolean(),
});
type QuorumMeasurement = z.infer<typeof quorumMeasurement>;

type Sampled = NonNullable<QuorumMeasurement['replicas']>[number];
type Snapshot = NonNullable<Sampled['before']>;

/** A sum over the replicas of what they counted in the window; null: they do not tell. */
function counted({ replicas }: QuorumMeasurement, of: (snapshot: Snapshot) => number): number | null {
  if (replicas === null) return null;
  let sum = 0;
  for (const { before, after } of replicas) {
    if (before === null || after === null) return null;
    sum += of(after) - of(before);
  }
  return sum;
}

/** What correct replicas have carried out is the same as far as it can be compared; of how many batches, or that it is not. */
function compared({ replicas, faulty }: QuorumMeasurement): { batches: number; alike: boolean } {
  const known = new Map<number, string>();
  const shared = new Set<number>();
  let alike = true;
  for (const { after } of replicas?.slice(faulty) ?? [])
    for (const [sequence, digest] of after?.trail ?? []) {
      const other = known.get(sequence);
      known.set(sequence, digest);
      if (other === undefined) continue;
      shared.add(sequence);
      alike &&= other === digest;
    }
  return { batches: Math.max(0, ...shared), alike };
}

const perWrite = (of: (snapshot: Snapshot) => number) => (m: QuorumMeasurement) => {
  const sum = counted(m, of);
  return sum === null || m.quorum.writes === 0 ? null : sum / m.quorum.writes;
};

const percentile = (q: 0.5 | 0.99, of: 'p50' | 'p99') => (m: QuorumMeasurement) =>
  quantileRanks(m.quorum.latency.count, q) ? m.quorum.latency[of] / 1e6 : null;

const step = <const Name extends keyof NonNullable<QuorumResult['steps']>>(
  name: Name,
  title: string,
  meaning: string,
) =>
  ({
    id: `quorum-${name}`,
    title,
    unit: 'ms',
    better: 'lower',
    digits: 3,
    meaning,
    from: ['quorum'],
    of: ({ quorum: { steps } }: QuorumMeasurement) => steps?.[name] ?? null,
  }) as const;

/** Kills and restarts as the client asks for them, until its result is there. */
async function withKills(client: HostProcess, group: Group, kills: number): Promise<void> {
  for (let round = 0; round < kills; round++) {
    const { leader } = (await client.expect('kill', killMs)) as { leader: number };
    const at = await group.kill(leader);
    client.send(`killed ${at}`);
    await group.restart(leader);
    client.send('restarted');
  }
}

/** Once there is a state it is to be had as a snapshot. */
async function whenFilled(client: HostProcess, group: Group): Promise<void> {
  await client.expect('filled', fillMs);
  await group.compact!();
  client.send('compacted');
}

/** Whoever comes after the leader loses the state. */
async function resynced(client: HostProcess, group: Group): Promise<Resync> {
  const { leader } = (await client.expect('resync', killMs)) as { leader: number };
  const resync = await group.resync!((leader + 1) % group.places.length);
  client.send('resynced');
  return resync;
}

/** The window: what replicas count where it begins and where it ends. */
async function window(client: HostProcess, group: Group, trial: QuorumTrial) {
  const { kills, warmupMs, durationMs, stateBytes = 0 } = trial;
  if (stateBytes > 0) await whenFilled(client, group);
  await client.expect('window-start', warmupMs + killMs);
  const before = await group.snapshots('before');
  await withKills(client, group, kills);
  const resync = stateBytes > 0 ? await resynced(client, group) : null;
  await client.expect('window-end', durationMs + killMs);
  // Of a replica that was killed the counts began anew.
  const after = kills === 0 && resync === null ? await group.snapshots('after') : null;
  return { before, after, resync };
}

function peerFacts({ system, ...asked }: QuorumTrial): QuorumMeasurement['peer'] {
  const peer = peerOf(system);
  if (peer === null) return null;
  const { told, untold } = peer.settings(asked);
  return { version: peer.version(), told: [...told], untold: [...untold] };
}

export async function carriedOut(trial: QuorumTrial, stage: Stage): Promise<QuorumMeasurement> {
  const { clients, valueBytes, readShare, warmupMs, durationMs, kills, seal, system } = trial;
  const { stateBytes = 0 } = trial;
  const group = await openGroup(trial, groundOf(stage, trial.spread));
  try {
    const mostMs = warmupMs + durationMs + (kills + 1) * killMs + (stateBytes > 0 ? 2 * fillMs : 0);
    const client = stage.client(
      'the client of the group',
      quorumClientProgram({
        ...{ system, seal, clients, valueBytes, readShare, warmupMs, durationMs, kills, mostMs, stateBytes },
        replicas: [...group.places],
        keys: [...group.clientKeys],
        bears: bears(trial),
        beyond: isBeyond(trial),
        patienceMs: requestPatienceMs,
        cpus: [...stage.pinning.client],
      }),
    );
    const { before, after, resync } = await window(client, group, trial);
    const line = await client.expect('result', mostMs + answerMs);
    const { event: _, ...quorum } = validated(quorumResult, line, 'what the client of the group measured');
    const sampled = group.hellos.map((hello, id) => {
      if (hello === null) return null;
      return { hello, before: before?.[id] ?? null, after: after?.[id] ?? null };
    });
    return {
      kind: 'quorum',
      quorum,
      replicas: sampled.every((one) => one !== null) ? sampled : null,
      peer: peerFacts(trial),
      resync,
      faulty: trial.faulty,
      beyond: isBeyond(trial),
    };
  } finally {
    await group.close();
  }
}

/** What correct replicas do whatever the others do, as long as there are enough of them. */
function agreementGates(name: string, measurement: QuorumMeasurement): Gate[] {
  const { quorum, replicas, faulty, beyond } = measurement;
  const { batches, alike } = compared(measurement);
  const differ = `${name}: correct replicas have carried out different batches`;
  if (!beyond) return alike ? [] : [invalid('replicas-differ', differ)];
  const told =
    quorum.history?.linearizable === false
      ? 'clients were told what is not so'
      : 'no client was told what is not so';
  return [
    warning(
      'beyond-f',
      `${name}: ${faulty} of ${replicas?.length} were faulty, which is more than the group bears, so that nothing was promised: ` +
        `${quorum.writes} writes were acknowledged, ${told}, and ` +
        (alike
          ? `correct replicas carried out the same, as far as batch ${batches} is compared`
          : 'correct replicas carried out different batches'),
    ),
  ];
}

function promiseGates(
  name: string,
  { quorum: { lost, history, writes, latency, steps }, replicas, peer }: QuorumMeasurement,
): Gate[] {
  return [
    ...(steps && steps.rest < -stepsShare * steps.total
      ? [
          invalid(
            'clocks-apart',
            `${name}: the steps come to more than the whole, so that clocks do not agree`,
          ),
        ]
      : []),
    ...(lost > 0 ? [invalid('lost-writes', `${name}: ${lost} acknowledged writes were lost`)] : []),
    ...(history !== null && !history.linearizable
      ? [invalid('not-linearizable', `${name}: no order explains what clients saw: ${history.fault}`)]
      : []),
    ...(writes === 0 || latency.count === 0
      ? [invalid('nothing-written', `${name}: no write was acknowledged in the window`)]
      : []),
    ...(peer?.untold ?? []).map((why) => warning('not-told', `${name}: ${why}`)),
    ...(replicas?.some(({ hello }) => hello.fsync && hello.inMemory)
      ? [
          warning(
            'synced-to-memory',
            `${name}: the log is in memory, where a sync costs nothing and keeps nothing`,
          ),
        ]
      : []),
  ];
}

export const quorum = trialKind({
  id: 'quorum',
  measurement: quorumMeasurement,
  connects: false,

  needs: ({ missing, backend, clients, replicas }: QuorumTrial) => ({
    backend,
    byNode: true,
    missing,
    perProcess: clients + 2 * replicas,
    what: 'connections',
    connections: clients * replicas + 2 * replicas * replicas,
    active: clients * replicas,
  }),

  async carryOut(trial, stage, done) {
    done('quorum', await carriedOut(trial, stage));
  },

  gates: (name, measurement) => [
    ...agreementGates(name, measurement),
    ...(measurement.beyond ? [] : promiseGates(name, measurement)),
  ],

  metrics: [
    {
      id: 'quorum-rate',
      title: 'Commits',
      unit: '/s',
      better: 'higher',
      digits: 1,
      meaning: 'Writes that were acknowledged, by clients of which each has one under way.',
      from: ['quorum'],
      of: ({ quorum: { writes, elapsedNs, kills } }: QuorumMeasurement) =>
        kills.length > 0 ? null : writes / (elapsedNs / 1e9),
    },
    {
      id: 'quorum-p50',
      title: 'Commit p50',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: 'From asking until the write was acknowledged.',
      from: ['quorum'],
      of: percentile(0.5, 'p50'),
    },
    {
      id: 'quorum-p99',
      title: 'Commit p99',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['quorum'],
      of: percentile(0.99, 'p99'),
    },
    {
      id: 'quorum-first-write',
      title: 'First write after a kill',
      unit: 'ms',
      better: 'lower',
      digits: 0,
      meaning:
        'From killing the leader until a write that was asked for afterwards was acknowledged, mean of the kills.',
      from: ['quorum'],
      of: ({ quorum: { kills } }: QuorumMeasurement) =>
        kills.length === 0
          ? null
          : kills.reduce((sum, one) => sum + one.firstWriteNs, 0) / kills.length / 1e6,
    },
    {
      id: 'quorum-resync',
      title: 'State fetched in',
      unit: 'ms',
      better: 'lower',
      digits: 0,
      meaning:
        'By a replica that came back with nothing: from when it knew of the others until it had their state on its disk.',
      from: ['quorum'],
      of: ({ resync }: QuorumMeasurement) => resync && resync.tookNs / 1e6,
    },
    {
      id: 'quorum-resync-rate',
      title: 'State fetched at',
      unit: 'MB/s',
      better: 'higher',
      digits: 1,
      meaning: 'Bytes of that state over that time.',
      from: ['quorum'],
      of: ({ resync }: QuorumMeasurement) => resync && resync.bytes / 1e6 / (resync.tookNs / 1e9),
    },
    step(
      'wire',
      'On the wire',
      'Along the messages that led to the acknowledgement: from sending until the wait of the receiver returned. Mean of all writes, as the other steps.',
    ),
    step('wake', 'In the loop', 'From when the wait returned until the message was handled.'),
    step('crypto', 'Seals', 'Making and checking MACs, signatures and digests.'),
    step('fsync', 'Waiting for the disk', 'From handing over a record until it was durable.'),
    step('rest', 'The rest', 'The work of protocol and machine, and waiting for requests of others.'),
    {
      id: 'quorum-cpu',
      title: 'CPU per commit',
      unit: 'us',
      better: 'lower',
      digits: 1,
      meaning: 'User and system time of all replicas.',
      from: ['quorum'],
      of: perWrite(({ cpu }) => cpu.userUs + cpu.systemUs),
    },
    {
      id: 'quorum-waits',
      title: 'Waits per commit',
      unit: '',
      better: 'neither',
      digits: 2,
      meaning: 'Of all replicas: how often a loop went to sleep or looked.',
      from: ['quorum'],
      of: perWrite(({ counters }) => counters.waits),
    },
    {
      id: 'quorum-syncs',
      title: 'Syncs per commit',
      unit: '',
      better: 'lower',
      digits: 2,
      meaning: 'Of all replicas: the fewer, the more writes share one.',
      from: ['quorum'],
      of: perWrite(({ log }) => log?.syncs ?? 0),
    },
  ],

  served: () => null,
  distributions: ({ quorum: { latency } }) => ({ latency }),
  durationNs: ({ quorum: { elapsedNs } }) => elapsedNs,
});
