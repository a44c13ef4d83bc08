/** Memory that is moved arrives byte for byte, or not at all, whatever happens on the way. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ratioOf, savedByCodec } from '../../src/analysis/reference/memory-2025.js';
import { type MigrationCodec, pageSets } from '../../src/contract/migrate.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { moveByQemu, moveMemory, qemuMissing } from '../../src/stage/migrate.js';
import { listening, xxh64 } from '../transfer/ends.js';
import {
  between,
  codecsOf,
  type FrameFields,
  frame,
  greeting,
  hello,
  isHere,
  page,
  pagesOf,
  refusal,
  send,
  withEnds,
  zstdOfOne,
} from './ends.js';

const sanitized = process.env.ASAN_OPTIONS !== undefined;
const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-migrate-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const block = 512 << 10;
/** Nothing fits: the last block is a short one. */
const bytes = 5 * block + 3 * page;
const noZstd = isHere('zstd');
const noLz4 = isHere('lz4');
const here = (codec: string) =>
  ({ skip: { zstd: noZstd, 'zstd-prefix': noZstd, lz4: noLz4 }[codec] ?? false }) as { skip: string | false };

for (const pages of pageSets) {
  for (const codec of ['none', 'lz4', 'zstd', 'auto'] as const) {
    for (const connections of [1, 3]) {
      test(`${pages} by ${codec} over ${connections} arrive as they are`, here(codec), () =>
        withEnds(async (start) => {
          const into = join(folder, `${pages}-${codec}-${connections}`);
          const { end, port } = await start.receiver({ into });
          const memory = { pages, bytes };
          const sender = start.sender({ port, memory, codec, connections, workers: connections });
          const [sent, got] = [await sender.result(), await end.result()];
          assert.equal(sent.fault ?? got.fault, null);
          assert.equal(sent.digest, got.digest);
          assert.equal(pagesOf({ file: into }).digest, pagesOf(memory).digest);
          assert.equal(pagesOf({ file: into }).digest, got.digest);
          assert.ok(!existsSync(`${into}.partial`));
          assert.ok(sent.role === 'sender' && got.role === 'receiver');
          const [pass] = sent.passes;
          // What is zero was zero before: nobody tells of it.
          const zeros = { zeros: 643, text: 0, vm: -1, mixed: -1, random: 0 }[pages];
          if (zeros >= 0) assert.equal(pass!.pages.same, zeros);
          assert.equal(sent.sentBytes, pass!.wireBytes + 88 + 40 * connections);
          assert.equal(got.frames, pass!.frames + 1);
          if (codec === 'none') assert.equal(pass!.wireBytes, pass!.rawBytes + 88 * pass!.frames);
        }),
      );
    }
  }
}

for (const { name: backend } of listBackends().filter(({ available }) => available)) {
  test(`memory arrives on ${backend}`, () =>
    withEnds(async (start) => {
      const { end, port } = await start.receiver({ backend });
      const sender = start.sender({ backend, port, connections: 2, memory: { pages: 'random', bytes } });
      const [sent, got] = [await sender.result(), await end.result()];
      assert.equal(sent.fault ?? got.fault, null);
      assert.equal(sent.digest, got.digest);
    }));
}

test('page sets are the same again, and what is said of them is what anybody would calculate', () => {
  const memory = { pages: 'text', bytes: page } as const;
  const sentence = 'Lorem ipsum dolor sit amet, consectetur adipiscing elit. ';
  assert.equal(pagesOf(memory).digest, xxh64(Buffer.from(sentence.repeat(80)).subarray(0, page)));
  const random = (seed: number) => pagesOf({ pages: 'random', bytes, seed }).digest;
  assert.equal(random(1), random(1));
  assert.notEqual(random(1), random(2));
});

const levels = { gzip: 9, lz4: 1, snappy: 0 } as const;

test('ratios are the published ones within 2 %, and zstd is not snappy', () => {
  const ratios = new Map<string, number>();
  for (const pages of pageSets) {
    for (const one of codecsOf({ pages, bytes: 1 << 20 }).columns) {
      if (one.packed === undefined) continue;
      assert.equal(one.exact, true);
      if (one.piece === 1 << 20) ratios.set(`${pages} ${one.codec} ${one.level}`, 2 ** 20 / one.packed);
    }
  }
  for (const [pages, codecs] of Object.entries(savedByCodec)) {
    for (const [codec, saved] of Object.entries(codecs)) {
      const name = `${pages} ${codec} ${levels[codec as keyof typeof levels]}`;
      const ratio = ratios.get(name);
      // A rounded share of nearly all says little of a ratio: half of its last digit is allowed for.
      const [low, high] = [saved - 0.005, saved + 0.005].map(ratioOf) as [number, number];
      if (ratio !== undefined)
        assert.ok(
          ratio > low * 0.98 && ratio < high * 1.02,
          `${name}: ${ratio}, published ${ratioOf(saved)}`,
        );
    }
  }
  if (noZstd) return;
  assert.ok(ratios.get('vm zstd 1')! > 9.7);
  // 30 % of it are random: no codec comes to 5.
  assert.ok(ratios.get('mixed zstd 9')! < 3.4);
});

const passes: readonly MigrationCodec[] = ['none', 'lz4', 'zstd', 'zstd-prefix'];
for (const codec of passes) {
  test(`a second pass by ${codec} tells what has changed`, here(codec), () =>
    withEnds(async (start) => {
      const { end, port } = await start.receiver();
      const memory = { pages: 'vm', bytes: 4 << 20 } as const;
      const sender = start.sender({ port, memory, codec, passes: 2, dirty: 10_000 });
      const [sent, got] = [await sender.result(), await end.result()];
      assert.equal(sent.fault ?? got.fault, null);
      assert.equal(sent.digest, got.digest);
      assert.ok(sent.role === 'sender' && sent.passes.length === 2);
      const [, second] = sent.passes;
      assert.notEqual(sent.digest, pagesOf(memory).digest);
      const { secondPass } = codecsOf(memory, 10_000, 'none');
      const { level } = sent;
      const compared = secondPass!.ways.find((one) => one.codec === codec && one.level === level);
      // The same words are changed by the program that compares encodings.
      assert.equal(second!.wireBytes, compared!.wire);
      assert.ok(secondPass!.ways.every(({ exact }) => exact));
      if (codec !== 'none') assert.ok(second!.wireBytes < sent.passes[0]!.wireBytes);
      if (codec.startsWith('zstd')) assert.ok(second!.wireBytes < secondPass!.xbzrle);
    }),
  );
}

test('memory that is written to all the time is there in the end, and the pause is told', () =>
  withEnds(async (start) => {
    const { end, port } = await start.receiver();
    const memory = { pages: 'mixed', bytes: 8 << 20 } as const;
    const sender = start.sender({ port, memory, dirtyRate: 20_000, connections: 2 });
    const [sent, got] = [await sender.result(), await end.result()];
    assert.equal(sent.fault ?? got.fault, null);
    assert.equal(sent.digest, got.digest);
    assert.ok(sent.role === 'sender' && sent.passes.length >= 3);
    assert.ok(sent.downtimeNs! > 0 && sent.downtimeNs! < sent.wallNs);
  }));

test('connections that are cut on the way stand again, and go on with what is not answered', () =>
  withEnds(async (start) => {
    const into = join(folder, 'cut');
    const { end, port } = await start.receiver({ into });
    let cuts = 2;
    const serve = between(
      port,
      (there, back) => back.length === 0 && there > 600_000 && cuts > 0 && cuts-- > 0,
    );
    await listening(serve, async (middle) => {
      const memory = { pages: 'random', bytes: 8 << 20 } as const;
      const sender = start.sender({ port: middle, memory, connections: 2 });
      const [sent, got] = [await sender.result(), await end.result()];
      assert.equal(sent.fault ?? got.fault, null);
      assert.equal(sent.digest, got.digest);
      assert.equal(pagesOf({ file: into }).digest, pagesOf(memory).digest);
      assert.equal(sent.lost, 2);
      assert.ok(sent.role === 'sender' && sent.sentAgain >= 2);
    });
  }));

test('frames whose answers were lost come twice, and count once', () =>
  withEnds(async (start) => {
    const { end, port } = await start.receiver();
    let first = true;
    let swallowed = 0;
    const serve = (near: Socket) => {
      const swallow = first;
      first = false;
      const far = connect(port, '127.0.0.1');
      const both = () => {
        near.destroy();
        far.destroy();
      };
      for (const socket of [near, far]) socket.on('error', both).on('close', both);
      near.pipe(far);
      // The greeting is let through, and what comes with it: no frame was sent before it.
      let greeted = false;
      far.on('data', (part) => {
        if (swallow && greeted) swallowed += part.length;
        else near.write(part);
        greeted = true;
        if (swallow && swallowed >= 3 * 32) both();
      });
    };
    await listening(serve, async (middle) => {
      const sender = start.sender({ port: middle, memory: { pages: 'random', bytes: 4 << 20 } });
      const [sent, got] = [await sender.result(), await end.result()];
      assert.equal(sent.fault ?? got.fault, null);
      assert.equal(sent.digest, got.digest);
      assert.ok(got.role === 'receiver' && got.twice >= 3);
    });
  }));

const zeros = xxh64(Buffer.alloc(4 * page));
const ones = (filled: number) =>
  xxh64(Buffer.concat([Buffer.alloc(filled, 1), Buffer.alloc(4 * page - filled)]));
const good: FrameFields = { base: zeros, digest: ones(page), kinds: { 0: 2 }, body: Buffer.alloc(page, 1) };
const flipped = (bytes: Buffer, at: number): Buffer => {
  bytes[at]! ^= 1;
  return bytes;
};

for (const { name, parts, says, skip } of [
  {
    name: 'a bit that is turned in a body',
    parts: [flipped(frame(good), 88 + 1000)],
    says: /body of a frame is damaged/,
  },
  {
    name: 'a bit that is turned in a head',
    parts: [flipped(frame(good), 33)],
    says: /head of a frame is damaged/,
  },
  {
    name: 'what is no frame',
    parts: [Buffer.alloc(88, 7)],
    says: /no frame/,
  },
  {
    name: 'a body that is longer than its pages',
    parts: [frame({ ...good, raw: 2 * page })],
    says: /length is not that of its pages/,
  },
  {
    name: 'a body that says it is longer than any',
    parts: [frame({ ...good, packed: 0xffff_ffff })],
    says: /length that cannot be/,
  },
  {
    name: 'a block beyond the memory',
    parts: [frame({ ...good, block: 1 })],
    says: /beyond the memory/,
  },
  {
    name: 'a page beyond the memory',
    parts: [frame({ ...good, kinds: { 5: 2 } })],
    says: /length is not that of its pages/,
  },
  {
    name: 'an unknown codec',
    parts: [frame({ ...good, codec: 77 })],
    says: /unknown codec/,
  },
  {
    name: 'a frame that builds on other bytes',
    parts: [frame({ ...good, base: ones(2 * page) })],
    says: /builds on bytes that are not here/,
  },
  {
    name: 'a frame that comes to other bytes than it says',
    parts: [frame({ ...good, body: Buffer.alloc(page, 2) })],
    says: /came to other bytes/,
  },
  {
    name: 'a body that unfolds to 480 MiB',
    parts: [
      frame({
        ...good,
        codec: 1,
        raw: 4 * page,
        kinds: { 0: 2, 1: 2, 2: 2, 3: 2 },
        body: zstdOfOne(1, 480 << 20),
      }),
    ],
    says: /does not come to the bytes/,
    skip: noZstd,
  },
  {
    name: 'a body that unfolds to less',
    parts: [frame({ ...good, codec: 1, raw: page, body: zstdOfOne(1, page - 1) })],
    says: /does not come to the bytes/,
    skip: noZstd,
  },
  {
    name: 'a second frame that is damaged, behind one that is taken,',
    parts: [
      frame(good),
      flipped(frame({ ...good, base: ones(page), digest: ones(2 * page), kinds: { 1: 2 } }), 200),
    ],
    says: /damaged/,
  },
  {
    name: 'an end that is none',
    parts: [frame(good), flipped(frame({ ...good, kinds: {}, body: Buffer.alloc(0) }), 4)],
    says: /damaged/,
  },
]) {
  test(`${name} ends the receiver with a reason, and leaves nothing`, { skip: skip ?? false }, () =>
    withEnds(async (start) => {
      const into = join(folder, 'hostile');
      const { end, port } = await start.receiver({ into });
      const socket = send(port, hello(4 * page), ...parts);
      const got = await end.result();
      socket.destroy();
      assert.match(got.fault!, says);
      assert.equal(got.whole, false);
      assert.ok(!existsSync(into) && !existsSync(`${into}.partial`));
      // A sanitizer keeps memory of its own, more than what is looked for here.
      if (!sanitized) assert.ok(got.peakRssBytes < 128 << 20, `${got.peakRssBytes} bytes`);
    }),
  );
}

test('frames made by hand are taken where they are right', { skip: noZstd ?? false }, () =>
  withEnds(async (start) => {
    const into = join(folder, 'by-hand');
    const { end, port } = await start.receiver({ into });
    const packed = frame({ ...good, codec: 1, raw: page, body: zstdOfOne(1, page) });
    const changed = frame({ base: ones(page), digest: zeros, kinds: { 0: 3 }, body: Buffer.alloc(page, 1) });
    const last = frame({ base: zeros, digest: ones(page), kinds: { 0: 2 }, body: Buffer.alloc(page, 1) });
    const over = frame({ base: '0', digest: ones(page), kinds: {}, body: Buffer.alloc(0) });
    over.writeUInt8(1, 4);
    over.writeBigUInt64LE(BigInt(`0x${xxh64(over.subarray(0, 80))}`), 80);
    const socket = send(port, hello(4 * page), packed, changed, last, over);
    const got = await end.result();
    socket.destroy();
    assert.equal(got.fault, null);
    assert.equal(pagesOf({ file: into }).digest, ones(page));
  }),
);

test('a sender that stalls within a frame, or says nothing, ends the receiver with a reason', () =>
  withEnds(async (start) => {
    for (const [parts, says] of [
      [[frame(good).subarray(0, 1000)], /began a frame and sent no more of it for 100 ms/],
      [[], /sent nothing for 100 ms/],
    ] as const) {
      const { end, port } = await start.receiver({ patienceMs: 100 });
      const socket = send(port, hello(4 * page), ...parts);
      assert.match((await end.result()).fault!, says);
      socket.destroy();
    }
  }));

test('more memory than is allowed is refused before there is any of it', () =>
  withEnds(async (start) => {
    const { end, port } = await start.receiver({ most: 1 << 20 });
    const socket = send(port, hello(2 ** 39));
    const got = await end.result();
    socket.destroy();
    assert.match(got.fault!, /--most allows 1048576/);
  }));

test('who has nothing to do with it is left aside', () =>
  withEnds(async (start) => {
    const { end, port } = await start.receiver();
    const strangers = [
      send(port, Buffer.from('GET / HTTP/1.1\r\nHost: somebody\r\nAccept: everything\r\n\r\n')),
    ];
    await new Promise((resolve) => strangers[0]!.once('close', resolve));
    const sender = start.sender({ port });
    const [sent, got] = [await sender.result(), await end.result()];
    assert.equal(sent.fault ?? got.fault, null);
    assert.ok(got.role === 'receiver' && got.strangers === 1);
  }));

test('a receiver that takes nothing, answers nonsense or is not there ends the sender with a reason', () =>
  withEnds(async (start) => {
    const memory = { pages: 'random', bytes: 32 << 20 } as const;
    for (const [serve, says] of [
      [(socket: Socket) => socket.pause(), /the receiver did not say what it has for 200 ms/],
      [
        (socket: Socket) => socket.once('data', () => socket.pause().write(greeting())),
        /the receiver (took nothing|did not say what it got) for 200 ms/,
      ],
    ] as const)
      await listening(serve, async (port) => {
        const { fault } = await start.sender({ port, memory, patienceMs: 200 }).result();
        assert.match(fault!, says);
      });
    await listening(
      (socket) => socket.once('data', () => socket.write(Buffer.alloc(32, 1))).resume(),
      async (port) => {
        assert.match((await start.sender({ port, memory }).result()).fault!, /greeting is none/);
      },
    );
    await listening(
      (socket) =>
        socket.once('data', () => socket.write(Buffer.concat([greeting(), Buffer.alloc(32, 1)]))).resume(),
      async (port) => {
        assert.match((await start.sender({ port, memory }).result()).fault!, /answer is none/);
      },
    );
    let closed = 0;
    await listening(
      (socket) => socket.destroy(),
      async (port) => {
        closed = port;
      },
    );
    const { fault } = await start.sender({ port: closed, memory, tries: 1 }).result();
    assert.match(fault!, /lost, and 1 more tries did not help: cannot connect/);
  }));

for (const { args, says } of [
  { args: ['--role', 'sender'], says: /needs the --port/ },
  { args: ['--role', 'sender', '--port', '1', '--codec', 'snappy'], says: /comparison alone/ },
  { args: ['--role', 'sender', '--port', '1', '--bytes', '5000'], says: /multiple of 4096/ },
  { args: ['--role', 'sender', '--port', '1', '--codec', 'none', '--level', '3'], says: /--level is of/ },
  { args: ['--role', 'pages', '--file', '/nonexistent'], says: /cannot open/ },
  { args: ['--role', 'pages', '--file', '/dev/null'], says: /no memory/ },
  { args: ['--role', 'sender', '--port', '1', '--file', 'x', '--dirty', '1'], says: /only read/ },
  { args: ['--role', 'sender', '--port', '1', '--writer', '1'], says: /who writes/ },
  { args: ['--role', 'receiver', '--keep'], says: /--keep is of a receiver/ },
]) {
  test(`${args.join(' ')} is refused in one sentence`, () => {
    const { status, stderr } = refusal(...args);
    assert.notEqual(status, 0);
    assert.match(stderr, says);
    assert.equal(stderr.trim().split('\n').length, 1);
  });
}

test('through the relay every byte of ours is counted', { skip: noZstd ?? false }, async () => {
  const { carried, sender, receiver } = await moveMemory({
    memory: { pages: 'vm', bytes: 4 << 20 },
    backend: 'poll',
    codec: 'zstd',
    connections: 2,
    workers: 1,
    bitsPerSecond: 100e6,
  });
  assert.equal(carried.there, sender.sentBytes);
  assert.equal(carried.back, receiver.sentBytes);
});

test('QEMU moves the same pages, and what it moved is the same', {
  skip: qemuMissing() ?? false,
}, async () => {
  const memory = { pages: 'vm', bytes: 8 << 20 } as const;
  const { exact, carried } = await moveByQemu({
    memory,
    connections: 2,
    bitsPerSecond: null,
    way: 'multifd-zstd',
  });
  assert.ok(exact);
  assert.ok(carried.there > 0);
  const ours = await moveMemory({
    ...{ memory, connections: 2, workers: 1, bitsPerSecond: null },
    ...{ backend: 'poll', codec: noZstd ? 'none' : 'zstd' },
  });
  if (!noZstd) assert.ok(ours.carried.there <= 1.05 * carried.there);
});

test('a guest that writes is stopped for it, and the pause is told', {
  skip: qemuMissing() ?? false,
}, async () => {
  const { downNs, wallNs, carried } = await moveByQemu({
    memory: { pages: 'zeros', bytes: 8 << 20 },
    ...{ connections: 1, bitsPerSecond: null, way: 'plain', dirtyRate: 1000 },
  });
  assert.ok(downNs! > 0 && downNs! < wallNs);
  // Pages that are no longer zero: the guest really writes.
  assert.ok(carried.there > 20 * page);
  await assert.rejects(
    moveByQemu({
      memory: { file: '/nonexistent' },
      ...{ connections: 1, bitsPerSecond: null, way: 'plain', dirtyRate: 1000 },
    }),
    /cannot open/,
  );
});
