/** Real groups of real replicas: what clients saw is explained, what was acknowledged stays, and liars change neither. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import type { Roles } from '../../src/hosts/host.js';
import { openLocal } from '../../src/hosts/local.js';
import { quorumClientProgram } from '../../src/programs/quorum.js';
import { frameOf, Kind, nothingSpent } from '../../src/quorum/frames.js';
import { type Group, type GroupSpec, groundOf, missingGroup, openGroup } from '../../src/stage/group.js';
import { onStage } from '../../src/stage/on-stage.js';
import type { Stage } from '../../src/stage/stage.js';
import { carriedOut, type QuorumTrial, quorum } from '../../src/trials/quorum.js';

let roles: Roles;
before(async () => {
  roles = await openLocal();
});
after(() => roles.close());

const staged = <T>(work: (stage: Stage) => Promise<T>) =>
  onStage({ roles, signal: new AbortController().signal }, work);

const raft: GroupSpec = {
  system: 'raft',
  backend: 'epoll',
  replicas: 3,
  fsync: true,
  seal: 'none',
  batch: 10,
  fault: null,
  faulty: 0,
};
const pbft: GroupSpec = { ...raft, system: 'pbft', replicas: 4, fsync: false, seal: 'hmac', patienceMs: 200 };

const measured = (spec: GroupSpec, more: Partial<QuorumTrial> = {}) =>
  staged((stage) =>
    carriedOut(
      {
        kind: 'quorum',
        ...spec,
        ...{ clients: 4, valueBytes: 100, readShare: 0.3, warmupMs: 0, durationMs: 300, kills: 0 },
        ...more,
      },
      stage,
    ),
  );

type Measured = Awaited<ReturnType<typeof measured>>;

function explained({ quorum: { history, lost, writes } }: Measured): void {
  assert.deepEqual({ lost, fault: history?.fault }, { lost: 0, fault: '' });
  assert.ok(writes > 0);
}

for (const backend of ['epoll-et', 'epoll-oneshot'] as const)
  test(`a group of Raft on ${backend} agrees, and says where the time goes`, async () => {
    const found = await measured({ ...raft, backend });
    explained(found);
    assert.deepEqual(
      quorum.gates('quorum', found, null).filter(({ invalidates }) => invalidates),
      [],
    );
    const { steps } = found.quorum;
    assert.ok(steps && steps.fsync > 0 && steps.wire > 0 && steps.crypto === 0);
    const sum = steps.wire + steps.wake + steps.fsync + steps.rest;
    assert.ok(Math.abs(sum - steps.total) < 1e-6 * steps.total);
    assert.ok(found.replicas?.every(({ hello }) => hello.backend === backend));
  });

test('values of 64 KiB and snapshots by the way', async () => {
  explained(await measured({ ...raft, snapshotAfter: 20 }, { valueBytes: 65_536 }));
});

test('leaders are killed, and nothing that was acknowledged is lost', async () => {
  const found = await measured({ ...raft, snapshotAfter: 200 }, { kills: 3 });
  explained(found);
  assert.equal(found.quorum.kills.length, 3);
});

/** Replicas that have carried out as much have carried out the same. */
function alike({ replicas }: Measured, faulty: number): void {
  const byApplied = new Map<number, string>();
  for (const { after: counted } of replicas!.slice(faulty)) {
    if (counted === null || counted.history === '') continue;
    const other = byApplied.get(counted.applied) ?? counted.history;
    assert.equal(counted.history, other);
    byApplied.set(counted.applied, counted.history);
  }
}

for (const fault of ['silent', 'lying', 'equivocating', 'delaying'] as const)
  test(`a group of PBFT agrees where f are ${fault}`, async () => {
    const found = await measured({ ...pbft, fault, faulty: 1 });
    explained(found);
    alike(found, 1);
    assert.ok(found.quorum.steps!.crypto > 0);
  });

test('a group of PBFT agrees with signatures', async () => {
  explained(await measured({ ...pbft, seal: 'ed25519' }));
});

const clientOf = ({ places, clientKeys }: Group, spec: GroupSpec, mostMs: number) =>
  quorumClientProgram({
    ...{ system: spec.system, seal: spec.seal, replicas: [...places], keys: [...clientKeys], bears: 1 },
    ...{ clients: 1, valueBytes: 10, readShare: 0, warmupMs: 0, durationMs: 100, kills: 0 },
    ...{ patienceMs: 200, mostMs, cpus: [] },
  });

test('nothing is acknowledged where f + 1 are silent', async () => {
  await staged(async (stage) => {
    const group = await openGroup({ ...pbft, fault: 'silent', faulty: 2 }, groundOf(stage));
    const client = stage.client('client', clientOf(group, pbft, 1500));
    await assert.rejects(client.expect('result', 20_000), /acknowledged nothing/);
    const counts = await group.snapshots('end');
    assert.deepEqual(
      counts!.map(({ requests }) => requests),
      [0, 0, 0, 0],
    );
  });
});

/** Sends these bytes, and waits until the other end has enough of them. */
const refused = (port: number, bytes: Uint8Array) =>
  new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('error', () => {});
    socket.on('data', () => reject(new Error('it was answered')));
    socket.on('close', () => resolve());
  });

test('strangers are refused, and the group goes on', async () => {
  await staged(async (stage) => {
    const group = await openGroup(raft, groundOf(stage));
    const client = stage.client('client', clientOf(group, raft, 20_000));
    await client.expect('window-start', 20_000);
    const { port } = group.places[0]!;
    const frame = (kind: Kind, body: Uint8Array) => frameOf(kind, 1, 0, nothingSpent, body);
    await refused(port, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await refused(port, frame(Kind.greeting, new Uint8Array(16)));
    await refused(port, frame(Kind.raft, new Uint8Array(16)));
    await refused(port, frame(Kind.request, Buffer.from('no command')));
    await client.expect('result', 20_000);
    const [first] = (await group.snapshots('end'))!;
    assert.ok(first!.frames.refused >= 4);
  });
});

test('a group of etcd is measured beside them', { skip: missingGroup('etcd') ?? false }, async () => {
  const found = await measured({ ...raft, system: 'etcd', backend: null, patienceMs: 200 }, { kills: 1 });
  explained(found);
  assert.equal(found.replicas, null);
  assert.equal(found.quorum.kills.length, 1);
});
