/** Real groups of real replicas: what clients saw is explained, what was acknowledged stays, and liars change neither. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { quorumClientProgram } from '../../src/programs/quorum.js';
import { frameOf, Kind, nothingSpent } from '../../src/quorum/frames.js';
import { type Group, type GroupSpec, groundOf, openGroup } from '../../src/stage/group.js';
import { quorum } from '../../src/trials/quorum.js';
import { explained, type Measured, measured, staged } from './measured.js';
import { pbft, raft } from './trials.js';

for (const backend of ['epoll-et', 'epoll-oneshot'] as const)
  test(`a group of Raft on ${backend} agrees, and says where the time goes`, async () => {
    const found = await measured({ ...raft, backend });
    explained(found);
    assert.deepEqual(invalidating(found), []);
    const { steps } = found.quorum;
    assert.ok(steps && steps.fsync > 0 && steps.wire > 0 && steps.crypto === 0);
    const sum = steps.wire + steps.wake + steps.fsync + steps.rest;
    assert.ok(Math.abs(sum - steps.total) < 1e-6 * steps.total);
    assert.ok(found.replicas?.every(({ hello }) => hello.backend === backend));
  });

test('values of 64 KiB and snapshots by the way', async () => {
  explained(await measured({ ...raft, snapshotAfter: 20, valueBytes: 65_536 }));
});

test('leaders are killed, and nothing that was acknowledged is lost', async () => {
  const found = await measured({ ...raft, snapshotAfter: 200, kills: 3 });
  explained(found);
  assert.equal(found.quorum.kills.length, 3);
});

const gatesOf = (found: Measured) => quorum.gates('quorum', found, null);
const invalidating = (found: Measured) => gatesOf(found).filter(({ invalidates }) => invalidates);

for (const fault of ['silent', 'lying', 'equivocating', 'delaying'] as const)
  test(`a group of PBFT agrees where f are ${fault}`, async () => {
    const found = await measured({ ...pbft, fault, faulty: 1 });
    explained(found);
    assert.deepEqual(invalidating(found), []);
    assert.ok(found.quorum.steps!.crypto > 0);
  });

test('a group of PBFT agrees with signatures', async () => {
  explained(await measured({ ...pbft, seal: 'ed25519' }));
});

test('replicas that have carried out different batches are noticed', async () => {
  const found = await measured(pbft);
  const trail = found.replicas!.at(-1)!.after!.trail;
  const [first] = trail;
  assert.ok(first && found.replicas![0]!.after!.trail.some(([sequence]) => sequence === first[0]));
  first[1] = 'another';
  assert.deepEqual(
    invalidating(found).map(({ id }) => id),
    ['replicas-differ'],
  );
});

test('with more faulty replicas than a group bears the trial says what came of it', async () => {
  const [gate, ...more] = gatesOf(await measured({ ...pbft, fault: 'lying', faulty: 2 }));
  assert.deepEqual([gate?.id, gate?.invalidates, more], ['beyond-f', false, []]);
  assert.match(gate!.message, /2 of 4 were faulty.* writes were acknowledged/);
});

for (const inTurn of [false, true])
  test(`a broadcast asks all at once or in turn: ${inTurn}`, async () => {
    const found = await measured({ ...pbft, system: 'broadcast', seal: 'none', inTurn });
    explained(found);
    const [first, ...others] = found.replicas!.map(({ after }) => after!.applied);
    assert.ok(first! > 0 && others.every((applied) => applied > 0));
  });

test('a replica that lost everything fetches the state of the others, and nothing is lost', async () => {
  const stateBytes = 3e6;
  const found = await measured({ ...raft, stateBytes });
  explained(found);
  assert.ok(found.resync!.bytes > stateBytes && found.resync!.tookNs > 0);
});

const clientOf = ({ places, clientKeys }: Group, spec: GroupSpec, mostMs: number) =>
  quorumClientProgram({
    ...{ system: spec.system, seal: spec.seal, replicas: [...places], keys: [...clientKeys], bears: 1 },
    ...{ clients: 1, valueBytes: 10, readShare: 0, warmupMs: 0, durationMs: 100, kills: 0, stateBytes: 0 },
    ...{ patienceMs: 200, mostMs, cpus: [], beyond: false },
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
