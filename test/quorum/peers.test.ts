/** Other people's groups: measured as ours are where they are, and where they are not it is said what would bring them. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { PeerSession } from '../../clients/quorum/peer-session.js';
import { implementationInWords, quorumPeerNames } from '../../src/contract/names.js';
import { experimentNamed } from '../../src/experiments/registry.js';
import { buildGoProgram, goProgramFile } from '../../src/go.js';
import type { QuorumClientSpec } from '../../src/programs/quorum.js';
import type { Operation } from '../../src/quorum/machine.js';
import { NotCarriedOut, type Peer } from '../../src/quorum-peers/peer.js';
import { goPrograms, peerOf } from '../../src/quorum-peers/registry.js';
import { untilAnswered } from '../../src/quorum-peers/until.js';
import { groundOf } from '../../src/stage/group.js';
import { missingGroup, openGroup } from '../../src/stage/groups.js';
import { kindOf } from '../../src/trials/registry.js';
import { explained, measured, staged } from './measured.js';

/** A peer's groups as short as they can be measured, without the disk where that can be had. */
const specOf = (system: (typeof quorumPeerNames)[number]) => {
  const { fsync, bears } = peerOf(system)!;
  const replicas = bears === 'lies' ? 4 : 3;
  return { system, replicas, backend: null, fsync: !fsync.includes('off') };
};

describe('a group that is here', { concurrency: true }, () => {
  for (const system of quorumPeerNames) {
    const spec = specOf(system);
    const missing = missingGroup(spec);
    test(`${system} is measured as ours are`, { skip: missing ?? false }, async () => {
      const found = await measured(spec);
      explained(found);
      assert.equal(found.replicas, null);
      assert.match(found.peer!.version, /^\d+\.\d+\.\d+$/);
    });
  }

  const etcd = { system: 'etcd', replicas: 3, fsync: true } as const;
  test('its leader is killed, and comes back', { skip: missingGroup(etcd) ?? false }, async () => {
    const found = await measured({ ...etcd, backend: null, patienceMs: 200, kills: 1 });
    explained(found);
    assert.equal(found.quorum.kills.length, 1);
    assert.deepEqual(found.peer!.told, ['--election-timeout 200 --heartbeat-interval 40']);
  });
});

/** A folder of programs that are all there is, and a cache with nothing in it. */
function onlyPrograms(t: TestContext, programs: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-peers-'));
  const before = { ...process.env };
  mkdirSync(join(folder, 'bin'));
  for (const [name, script] of Object.entries(programs)) {
    const file = join(folder, 'bin', name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
  Object.assign(process.env, { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') });
  t.after(() => {
    Object.assign(process.env, before);
    if (before.XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test('where there is none, each says so and what brings it', (t) => {
  onlyPrograms(t, {});
  for (const system of quorumPeerNames) {
    assert.match(missingGroup(specOf(system))!, /^there is no .*(apt install|dispatchbench build)/);
    assert.notEqual(implementationInWords(system), '');
  }
  assert.equal(missingGroup({ system: 'raft', replicas: 3, fsync: true }), undefined);
});

test('a nats-server that cannot be told to sync each write is taken only where that is not asked', (t) => {
  onlyPrograms(t, { 'nats-server': '[ "$1" = -t ] && exit 1; echo nats-server: v2.9.10' });
  const asked = { system: 'jetstream', replicas: 3 } as const;
  assert.match(
    missingGroup({ ...asked, fsync: true })!,
    /^nats-server 2\.9\.10 cannot be told .* build nats-server/,
  );
  assert.equal(missingGroup({ ...asked, fsync: false }), undefined);
  assert.match(missingGroup({ ...asked, replicas: 7, fsync: false })!, /5 servers at most/);
});

test('a group that does not come to be is told in one sentence, and leaves no files', async (t) => {
  const folder = onlyPrograms(t, { cometbft: 'echo no keys today >&2; exit 3' });
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  const spec = { system: 'cometbft', backend: null, replicas: 4, fsync: true } as const;
  const asked = { ...spec, seal: 'none', batch: 1, fault: null, faulty: 0 } as const;
  await staged(async (stage) => {
    await assert.rejects(openGroup(asked, groundOf(stage)), /testnet failed: no keys today$/);
  });
  assert.deepEqual(readdirSync(folder), ['bin']);
});

describe('a program in Go', () => {
  const program = goPrograms[0]!;

  test('is built once, into the cache', (t) => {
    const said: string[] = [];
    onlyPrograms(t, { go: `[ "$1" = version ] && echo go1 || echo built >"$GOBIN/${program.name}"` });
    const file = buildGoProgram(program, (line) => said.push(line));
    assert.equal(file, goProgramFile(program));
    assert.equal(said.length, 1);
    assert.equal(
      buildGoProgram(program, (line) => said.push(line)),
      file,
    );
    assert.equal(said.length, 1);
  });

  test('that cannot be built says why, and leaves nothing', (t) => {
    const go = '[ "$1" = version ] && exit 0; echo trying >&2; echo 403 Forbidden >&2; exit 1';
    const folder = onlyPrograms(t, { go });
    assert.throws(() => buildGoProgram(program, () => {}), /could not be built; .* Go says: 403 Forbidden$/);
    const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    assert.deepEqual(
      left.map(({ name }) => name),
      ['go'],
    );
    onlyPrograms(t, {});
    assert.throws(() => buildGoProgram(program, () => {}), /^Error: Go is not installed/);
  });
});

test('a client that is not answered leaves open what came of it, and asks again what was certainly for nothing', async () => {
  const asked: number[] = [];
  let refusals = 0;
  const peer: Pick<Peer, 'client'> = {
    client: ({ port }) => ({
      put: async () => {
        asked.push(port);
        if (port === 0) throw new Error('gone');
        if (refusals-- > 0) throw new NotCarriedOut('nobody leads');
      },
      get: async (key) => `of ${key}`,
      close: () => void asked.push(-1),
    }),
  };
  const spec = {
    replicas: [
      { host: '', port: 0 },
      { host: '', port: 1 },
    ],
    patienceMs: 1,
  };
  const session = new PeerSession(peer as Peer, spec as QuorumClientSpec, { leader: 0 });
  const put = { kind: 'put', key: 'k', value: 'v' } as const;
  const ask = (operation: Operation, given = false) => session.ask(operation, () => given);
  assert.deepEqual(await ask(put), { reply: null, spent: null, repeated: 1 });
  assert.deepEqual(await ask(put), { reply: 'ok', spent: null, repeated: 0 });
  assert.equal((await ask({ kind: 'get', key: 'k' })).reply, 'of k');
  assert.deepEqual(asked, [0, -1, 1]);
  refusals = 2;
  assert.deepEqual(await ask(put), { reply: 'ok', spent: null, repeated: 2 });
  refusals = 1;
  assert.deepEqual(await ask(put, true), { reply: null, spent: null, repeated: 1 });
});

test('members are asked until one has an answer, those that fail as well', async () => {
  let asked = 0;
  const answer = await untilAnswered(
    ['dead', 'alive'],
    async (member) => {
      asked++;
      if (member === 'dead') throw new Error('gone');
      return asked > 3 ? member : null;
    },
    'a leader',
  );
  assert.deepEqual([answer, asked], ['alive', 4]);
});

test('the experiment asks of each what it can do, and of none what it cannot', () => {
  const quorum = experimentNamed('quorum');
  const machine = { available: ['epoll' as const], nodeBackend: 'epoll' as const, descriptorLimit: 20_000 };
  const settings = { ...(quorum.profile('full', machine) as object), clients: [1], bytes: [1024] };
  const cells = quorum.cells(settings, machine);
  for (const one of cells) assert.deepEqual(quorum.cell.safeParse(one).error, undefined);
  const levels = (impl: string, factor: string) => [
    ...new Set(cells.filter((one) => one.impl === impl).map((one) => one[factor])),
  ];
  for (const system of quorumPeerNames) {
    const { fsync, bears } = peerOf(system)!;
    assert.deepEqual(levels(system, 'fsync'), [...fsync]);
    assert.deepEqual(levels(system, 'backend'), [null]);
    assert.deepEqual(levels(system, 'work'), bears === 'lies' ? ['commit'] : ['commit', 'election']);
    assert.deepEqual(levels(system, 'replicas').includes(4), bears === 'lies');
  }
  const seven = cells.find(({ impl, replicas }) => impl === 'jetstream' && replicas === 7)!;
  const trial = quorum.trial(seven, settings, machine);
  assert.notEqual(kindOf(trial).needs(trial).missing, undefined);
});
