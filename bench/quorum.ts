/**
 * Groups of replicas against their bars: Raft beside etcd and JetStream in the same blocks, PBFT beside CometBFT and beside a commit
 * of Raft without its disk, and leaders that are killed one after another. Every block measures each row once, in an order of
 * its own. Rows without a bar are measured when they are named: larger groups, broadcasts, and states that a replica fetches
 * which lost its own.
 *
 *     npm run bench:quorum [-- --quick] [-- --blocks N] [-- --systems LIST] [-- --kills 200] [-- --rows TEXT --rows TEXT, `kills` for those alone]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type QuorumPeerName, quorumSystems } from '../src/contract/names.js';
import { names } from '../src/experiments/flags.js';
import { missingGroup } from '../src/stage/groups.js';
import { onStage } from '../src/stage/on-stage.js';
import { type Blocked, blockedRatio, meanInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import type { QuorumTrial } from '../src/trials/quorum.js';
import { kindOf, type Measurement, type MetricId, metric } from '../src/trials/registry.js';
import { hostOption, onCpus, pinning, roles, site } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    blocks: { type: 'string' },
    kills: { type: 'string' },
    rows: { type: 'string', multiple: true, default: [] },
    systems: { type: 'string', default: quorumSystems.join() },
    ...hostOption,
  },
});
const blocks = Number(options.blocks ?? (options.quick ? 1 : 5));
const kills = Number(options.kills ?? (options.quick ? 1 : 200));
const systems = names(quorumSystems, 'system')(options.systems);
const length = options.quick ? { warmupMs: 50, durationMs: 200 } : { warmupMs: 1000, durationMs: 4000 };
const { nodeBackend } = roles.server.look;

type Row = QuorumTrial & { name: string };

const row = (name: string, more: Partial<QuorumTrial>): Row => ({
  kind: 'quorum',
  name,
  ...{ system: 'raft', backend: nodeBackend, replicas: 3, fsync: true, seal: 'none', batch: 10 },
  ...{ fault: null, faulty: 0, clients: 1, valueBytes: 1024, readShare: 0, kills: 0 },
  ...length,
  ...more,
});
const other = (system: QuorumPeerName) => ({ system, backend: null });
const of4 = { replicas: 4, fsync: false, seal: 'ed25519' } as const;
const pbft = { system: 'pbft', ...of4 } as const;
/** The same silence until an election for all that can be told, and what each takes by itself. */
const even = { patienceMs: 1000 };

const clients = [1, 16, 64];
const each = (name: string, more: Partial<QuorumTrial>, of = clients) =>
  of.map((n) => row(`${name}, ${n} clients`, { ...more, clients: n }));
const commits = {
  raft: each('raft', {}),
  etcd: each('etcd', other('etcd')),
  jetstream: each('jetstream', other('jetstream')),
};
const unsynced = {
  raft: each('raft without fsync', { fsync: false }),
  jetstream: each('jetstream without fsync', { ...other('jetstream'), fsync: false }),
};
const byzantine = {
  hmac: each('pbft of 4, HMAC', { ...pbft, seal: 'hmac' }),
  ed25519: each('pbft of 4, Ed25519', pbft, [1]),
  cometbft: each('cometbft of 4, in memory', { ...other('cometbft'), ...of4 }, [1, 64]),
  eager: each('cometbft-eager of 4, in memory', { ...other('cometbft-eager'), ...of4 }),
  synced: each('cometbft-eager of 4, fsync', { ...other('cometbft-eager'), ...of4, fsync: true }, [1]),
};
const electing = { clients: 4, kills: 1 };
const elections = {
  raft: row('raft, leader killed', electing),
  etcd: row('etcd, leader killed', { ...other('etcd'), ...electing }),
  jetstream: row('jetstream, leader killed', { ...other('jetstream'), ...electing }),
  raftEven: row('raft, leader killed, 1 s', { ...electing, ...even }),
  etcdEven: row('etcd, leader killed, 1 s', { ...other('etcd'), ...electing, ...even }),
};
const unbarred = [
  ...[5, 7].map((replicas) => row(`raft of ${replicas}`, { replicas })),
  ...[7, 10].map((replicas) => row(`pbft of ${replicas}, HMAC`, { ...pbft, replicas, seal: 'hmac' })),
  ...[3, 7, 11].flatMap((replicas) =>
    [false, true].map((inTurn) =>
      row(`broadcast to ${replicas}, ${inTurn ? 'in turn' : 'at once'}`, {
        ...{ system: 'broadcast', replicas, fsync: false, inTurn },
      }),
    ),
  ),
  ...[1, 10, 100].map((mb) => row(`resync of ${mb} MB`, { stateBytes: mb * 1e6 })),
];
const named = (name: string) => options.rows.length === 0 || options.rows.some((text) => name.includes(text));
const rows = [
  ...[commits, unsynced, byzantine].flatMap((some) => Object.values(some).flat()),
  ...(options.quick ? [] : Object.values(elections)),
  ...(options.rows.length > 0 ? unbarred : []),
].filter(({ name, system }) => systems.includes(system) && named(name));

const circumstances = { pinning, host: roles.server.facts };
const random = randomFrom('quorum');
const seen = new Map<string, Blocked[]>();
/** What other people's groups are, and what they were told. */
const told = new Set<string>();
const put = (key: string, block: number, value: number | null) => {
  if (value !== null) seen.set(key, [...(seen.get(key) ?? []), { block, value }]);
};
const ids = [
  'quorum-rate',
  'quorum-p50',
  'quorum-p99',
  'quorum-first-write',
  'quorum-wire',
  'quorum-wake',
  'quorum-crypto',
  'quorum-fsync',
  'quorum-rest',
  'quorum-syncs',
  'quorum-resync',
  'quorum-resync-rate',
] as const satisfies readonly MetricId[];
type Id = (typeof ids)[number];

async function carriedOut({ name, ...trial }: Row): Promise<Record<string, Measurement>> {
  const measurements: Record<string, Measurement> = {};
  await onStage(site, (stage) =>
    kindOf(trial).carryOut(trial, stage, (as, one) => {
      measurements[as] = one;
    }),
  );
  const { quorum } = measurements;
  if (quorum?.kind === 'quorum' && quorum.peer)
    told.add([`${trial.system} ${quorum.peer.version}`, ...quorum.peer.told].join(', '));
  for (const one of Object.values(measurements))
    for (const { id, message } of kindOf(one).gates(name, one, null)) console.error(`${id}: ${message}`);
  return measurements;
}

let killed: { kills: number; lost: number; linearizable: boolean } | null = null;
try {
  for (let block = 0; block < blocks; block++) {
    for (const one of shuffled(rows, random)) {
      if (missingGroup(one)) continue;
      const measurements = await carriedOut(one);
      for (const id of ids)
        put(`${one.name} ${id}`, block, metric(id).of({ measurements, ...circumstances }));
    }
    process.stderr.write(`\rblock ${block + 1} of ${blocks} `);
  }
  process.stderr.write('\n');
  if (kills > 0 && named('kills') && systems.includes('raft')) {
    const { quorum } = await carriedOut(
      row('kills', { clients: 8, readShare: 0.5, kills, snapshotAfter: 2000 }),
    );
    if (quorum?.kind === 'quorum') {
      const { kills: done, lost, history } = quorum.quorum;
      killed = { kills: done.length, lost, linearizable: history?.linearizable === true };
    }
  }
} finally {
  await roles.close();
}

const valuesOf = ({ name }: Row, id: Id) => seen.get(`${name} ${id}`) ?? [];
const style = { head: [], border: [], compact: true };
const table = new Table({
  head: [
    ...['group', 'commits/s', 'p50', 'p99', 'first write', 'wire', 'loop', 'seals', 'disk', 'rest', 'syncs'],
    ...['state in', 'MB/s'],
  ],
  style,
});
for (const one of rows) {
  const why = missingGroup(one);
  const figures = why
    ? [{ colSpan: ids.length, content: `not available here: ${why}` }]
    : ids.map((id) => {
        const values = valuesOf(one, id).map(({ value }) => value);
        return values.length > 0 ? shown(meanInterval(values), metric(id).digits) : '-';
      });
  table.push([one.name, ...figures]);
}

const bars = new Table({ head: ['bar', 'interval', 'wanted', ''], style });
const record: object[] = [];
function bar(what: string, of: Row, to: Row, id: Id, wanted: number, side: 'least' | 'most') {
  if (![of, to].every((one) => rows.includes(one))) return;
  const name = `${what}, ${of.name} / ${to.name}`;
  const [above, below] = [valuesOf(of, id), valuesOf(to, id)];
  const interval = above.length > 0 && below.length > 0 ? blockedRatio(above, below) : null;
  const said = interval ? verdict(interval, wanted, side) : 'not available here';
  bars.push([name, interval ? shown(interval) : '', `${side === 'least' ? '>=' : '<='} ${wanted}`, said]);
  record.push({ name, interval, wanted, side, verdict: said });
}
/** As many commits, and as soon, for every number of clients. */
function asGood(ours: readonly Row[], theirs: readonly Row[]) {
  for (const to of theirs) {
    const own = ours.find((one) => one.clients === to.clients)!;
    bar('commits/s', own, to, 'quorum-rate', 1, 'least');
    bar('p50', own, to, 'quorum-p50', 1, 'most');
  }
}
asGood(commits.raft, commits.etcd);
asGood(commits.raft, commits.jetstream);
asGood(unsynced.raft, unsynced.jetstream);
for (const [ours, theirs] of [
  [elections.raft, elections.etcd],
  [elections.raftEven, elections.etcdEven],
  [elections.raft, elections.jetstream],
] as const)
  bar('first write', ours, theirs, 'quorum-first-write', 1, 'most');
bar('p50', byzantine.hmac[0]!, unsynced.raft[0]!, 'quorum-p50', 2.5, 'most');
for (const theirs of [byzantine.cometbft, byzantine.eager, byzantine.synced]) asGood(byzantine.hmac, theirs);

const others = [...told].sort();
const ends = killed
  ? `${killed.kills} leaders killed: ${killed.lost} acknowledged writes lost, history ${killed.linearizable ? '' : 'NOT '}linearizable`
  : '';
console.log(
  `\n${blocks} blocks of ${length.durationMs / 1000} s; times in ms, 95 % intervals over blocks; ${onCpus()}\n${table}\n${bars}\n${others.join('\n')}\n${ends}`,
);
console.log(
  saveRecord(
    'quorum',
    {
      ...{ blocks, ...length, killed, bars: record },
      ...{ others, values: Object.fromEntries(seen) },
    },
    [...options.rows, options.systems === quorumSystems.join() ? '' : options.systems].join(' '),
  ),
);
