/** What memory an idle connection takes: the reading, the sum, the doubts, and real connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyse } from '../../src/analysis/analyse.js';
import type { Host, Roles } from '../../src/hosts/host.js';
import { parseMemoryUse } from '../../src/hosts/memory-use.js';
import { qemuLinux } from '../../src/hosts/qemu-linux.js';
import { openHost } from '../../src/hosts/registry.js';
import { projectionSection, projections } from '../../src/report/projection.js';
import { onStage } from '../../src/stage/on-stage.js';
import { kindOf, type MeasurementOf, metric } from '../../src/trials/registry.js';
import { noNamespaces } from '../support/namespaces.js';
import { runInfo, standingSample } from '../support/samples.js';

type Standing = MeasurementOf<'standing'>;

const meminfo = `MemTotal:        1000 kB
MemFree:          300 kB
Buffers:           10 kB
Cached:           100 kB
Slab:              50 kB
KernelStack:        9 kB
PageTables:         4 kB
VmallocUsed:        3 kB
Percpu:             2 kB
HugePages_Total:       0
`;

test('memory: used is neither free nor a copy of files, the kernel has its objects and tables', () => {
  assert.deepEqual(parseMemoryUse(meminfo, 'sockets: used 9\nTCP: inuse 5 orphan 0 tw 1 alloc 8 mem 2\n'), {
    usedBytes: 590 * 1024,
    kernelBytes: 59 * 1024,
    tcpBufferPages: 2,
  });
});

test('memory: what the system does not tell is not made up', () => {
  const gvisor = meminfo.replace(/^Slab.*\n/m, '');
  assert.deepEqual(parseMemoryUse(gvisor, ''), {
    usedBytes: 590 * 1024,
    kernelBytes: null,
    tcpBufferPages: null,
  });
  assert.equal(parseMemoryUse('', ''), null);
});

const { measurements } = standingSample({ connections: 1000, kernelBytes: 4096, serverBytes: 32 });
const sound = measurements.standing as Standing;

const doubts: [string, Partial<Standing>, string[]][] = [
  ['nothing speaks against it', {}, []],
  ['a server that does not count', { seenByServer: null }, []],
  ['one is missing', { seenByServer: 999 }, ['idle-count']],
  ['one broke', { reconnects: 1 }, ['idle-reconnects']],
  [
    'data lies in the buffers',
    { after: { ...sound.after, memory: { ...sound.after.memory, tcpBufferPages: 1000 } } },
    ['data-under-way'],
  ],
];
for (const [name, change, expected] of doubts) {
  test(`standing connections: ${name}`, () => {
    const found = kindOf(sound).gates('standing', { ...sound, ...change }, null);
    assert.deepEqual(
      found.map(({ id }) => id),
      expected,
    );
  });
}

test('the kernel has both ends where the client is on the same machine', () => {
  const of = (ends: 1 | 2) =>
    metric('kernel-memory').of(
      standingSample({ connections: 1000, kernelBytes: 8192, serverBytes: 32, ends }),
    );
  assert.deepEqual([of(1), of(2)], [8192, 4096]);
});

test('a million on paper: a million times what the most connections took, with its interval', () => {
  const samples = [5000, 60_000].flatMap((connections) =>
    [0, 1, 2].map((block) =>
      standingSample({ connections, kernelBytes: 4000 + block, serverBytes: 40, block, ends: 1 }),
    ),
  );
  const [experiment] = analyse(runInfo(), { samples, refused: [], notices: [] }).experiments;
  const [one, ...others] = projections(experiment!);
  assert.equal(others.length, 0);
  assert.equal(one!.from, 60_000);
  assert.ok(Math.abs(one!.total.estimate - 4_041e6) < 1e5);
  assert.ok(one!.total.low! < one!.total.estimate && one!.total.estimate < one!.total.high!);
  const section = projectionSection(experiment!);
  assert.match(typeof section === 'string' ? section : section.text, /3\.76 \[.*GiB/);
});

/** @param change what the hosts are said to be, beyond what they are */
async function stand(host: string, idle: number, change: (roles: Roles) => Roles = (roles) => roles) {
  const roles = await openHost(host);
  try {
    const subject = {
      kind: 'dispatch',
      backend: 'epoll',
      io: null,
      impl: 'native',
      protocol: 'tcp-echo',
    } as const;
    const spec = { kind: 'standing', subject, idle } as const;
    let measured: Standing | undefined;
    await onStage({ roles: change(roles), signal: new AbortController().signal }, (stage) =>
      kindOf(spec).carryOut(spec, stage, (_, one) => {
        measured = one as Standing;
      }),
    );
    return measured!;
  } finally {
    await roles.close();
  }
}

const onLinux = process.platform !== 'linux' && 'the memory of a connection is told by Linux alone';

test('connections of this machine stand on both ends', { skip: onLinux }, async () => {
  const one = await stand('local', 300);
  assert.deepEqual([one.connections, one.seenByServer, one.reconnects, one.ends], [300, 300, 0, 2]);
  assert.ok(one.before.memory.kernelBytes! > 0 && one.after.memory.usedBytes > 0);
});

/** As if a local address had ports for 90 connections alone. */
const fewPorts = (roles: Roles): Roles => {
  const environment = { ...roles.client.look.environment, ephemeralPorts: { first: 40_000, last: 40_199 } };
  const client: Host = Object.create(roles.client, {
    look: { value: { ...roles.client.look, environment } },
  });
  return { ...roles, client, close: () => roles.close() };
};

test('more connections than one address has ports come from several', { skip: noNamespaces }, async () => {
  const one = await stand('netns', 500, fewPorts);
  assert.deepEqual([one.seenByServer, one.reconnects], [500, 0]);
});

test('in a guest the kernel has one end, and a few kibibytes for it', {
  skip: (await qemuLinux.unavailable()) ?? false,
}, async () => {
  const one = await stand('qemu-linux:tcg', 3000, fewPorts);
  assert.deepEqual([one.seenByServer, one.ends], [3000, 1]);
  const sample = {
    ...standingSample({ connections: 1, kernelBytes: 0, serverBytes: 0 }),
    measurements: { standing: one },
  };
  const bytes = metric('kernel-memory').of(sample)!;
  assert.ok(bytes > 1000 && bytes < 16_000, `${bytes} B of the kernel for each`);
});
