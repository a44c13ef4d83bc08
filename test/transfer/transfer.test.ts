/** Bulk transfers: every byte arrives and is known to, and what goes wrong between the ends is told. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { platform } from 'node:os';
import { test } from 'node:test';
import { z } from 'zod';
import { programPath } from '../../src/addon.js';
import { transferWays } from '../../src/contract/transfer.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { transferMeasurement } from '../../src/trials/transfer.js';
import { dispatchbench } from '../support/command.js';
import { listening, withEnds, xxh64 } from './ends.js';

const backends = listBackends()
  .filter(({ available }) => available)
  .map(({ name }) => name);
const ways = platform() === 'linux' ? transferWays : (['copy'] as const);

for (const backend of backends) {
  for (const way of ways) {
    test(`every byte of three streams arrives by ${way} on ${backend}`, () =>
      withEnds(async (start) => {
        // Nothing fits: neither chunks in streams nor streams in the whole.
        const { end, port } = await start.receiver({ backend, chunk: 5000 });
        const length = { bytes: 2_000_000 };
        const sender = start.sender({ backend, way, port, streams: 3, chunk: 70_001, length });
        const [sent, got] = [await sender.result(), await end.result()];
        assert.equal(sent.fault ?? got.fault, null);
        assert.deepEqual(
          got.streams.map(({ bytes }) => bytes),
          [666_667, 666_667, 666_666],
        );
        assert.deepEqual(
          sent.streams.map(({ bytes, digest, whole }) => ({ bytes, digest, whole })),
          got.streams,
        );
        assert.ok(got.streams.every(({ whole }) => whole));
        assert.equal(new Set(got.streams.map(({ digest }) => digest)).size, 3, 'streams differ');
        assert.ok(sent.role === 'sender');
        assert.equal(sent.calls.fills > 0, way === 'splice');
        if (!sent.zeroCopy) return;
        const { sends, completed, fellBack } = sent.zeroCopy;
        assert.equal(sent.calls.sends, sends + 2 * fellBack + sent.calls.blocked);
        assert.ok(sends > 0 && completed > 0);
      }));
  }
}

test('a wait is paid for many calls, and a budget ends the turn of a stream', () =>
  withEnds(async (start) => {
    for (const budget of [1 << 20, 1]) {
      const { end, port } = await start.receiver();
      const length = { bytes: 20_000_000 };
      const sender = start.sender({ port, chunk: 4096, budget, length });
      const [sent, got] = [await sender.result(), await end.result()];
      assert.equal(sent.fault ?? got.fault, null);
      const { waits } = sent.counters;
      if (budget === 1) assert.ok(waits >= sent.calls.sends, `${waits} waits`);
      else assert.ok(2 * waits < sent.calls.sends, `${waits} waits for ${sent.calls.sends} sends`);
      // Its own choice, whatever a call of the sender is given.
      assert.equal(got.chunk, 256 << 10);
    }
  }));

test('a transfer by time ends, and says what it came to', () =>
  withEnds(async (start) => {
    const { end, port } = await start.receiver();
    const sender = start.sender({ port, streams: 40, length: { durationMs: 50 } });
    const [sent, got] = [await sender.result(), await end.result()];
    assert.equal(sent.fault, null);
    assert.equal(sent.bytes, got.bytes);
    assert.ok(sent.bytes > 0 && sent.wallNs >= 50e6);
    assert.ok(sent.cpu.userUs + sent.cpu.systemUs > 0 && sent.counters.waits > 0);
  }));

const taken = (socket: Socket): Promise<Buffer> =>
  new Promise((resolve) => {
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    socket.on('end', () => resolve(Buffer.concat(parts)));
  });

test('what a sender says of its bytes is what anybody would calculate', async () => {
  assert.equal(xxh64(Buffer.from('')), 'ef46db3751d8e999');
  assert.equal(xxh64(Buffer.from('abc')), '44bc2cf5ad770999');
  // Rests of every kind behind the blocks of 32.
  for (const bytes of [1, 31, 32, 4096 + 8 + 4 + 3]) {
    let stream: Buffer = Buffer.alloc(0);
    const serve = async (socket: Socket) => {
      stream = await taken(socket);
      const answer = Buffer.from(stream.subarray(-24));
      answer.write('dbxansw1');
      socket.end(answer);
    };
    await listening(serve, (port) =>
      withEnds(async (start) => {
        const sent = await start.sender({ port, chunk: 77, length: { bytes } }).result();
        assert.equal(sent.fault, null);
        assert.equal(stream.length, 32 + bytes + 24);
        assert.equal(sent.streams[0]!.digest, xxh64(stream.subarray(32, -24)));
      }),
    );
  }
});

/** Passes bytes on, those of the way there changed by `change`, which knows the place of the first. */
const relay = (port: number, change: (part: Buffer, at: number) => Buffer) => (socket: Socket) => {
  const onward = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onward.on('error', () => socket.destroy());
  let at = 0;
  socket.on('data', (part) => {
    onward.write(change(part, at));
    at += part.length;
  });
  socket.on('end', () => onward.end());
  onward.pipe(socket);
};

const hit = (part: Buffer, at: number, place = 5000) => place >= at && place < at + part.length;

for (const { name, checked, change, says } of [
  {
    name: 'a bit that is turned on the way',
    checked: true,
    change: (part: Buffer, at: number) => {
      if (hit(part, at)) part[5000 - at]! ^= 1;
      return part;
    },
    says: /stream 0: .*checksum differs/,
  },
  {
    name: 'a byte that is lost on the way, also without checksums,',
    checked: false,
    change: (part: Buffer, at: number) =>
      hit(part, at) ? Buffer.concat([part.subarray(0, 5000 - at), part.subarray(5001 - at)]) : part,
    says: /stream 0: .*(1000002 bytes (came )?of 1000003)/,
  },
]) {
  test(`${name} is noticed at both ends`, () =>
    withEnds(async (start) => {
      const { end, port } = await start.receiver();
      await listening(relay(port, change), async (between) => {
        const sender = start.sender({ port: between, checked });
        for (const one of [sender, end]) {
          const { fault, streams } = await one.result();
          assert.match(fault!, says);
          assert.equal(streams[0]!.whole, false);
          assert.match(await one.lastWords(), says);
        }
      });
    }));
}

test('a receiver that takes nothing ends its sender with a reason', () =>
  listening(
    (socket) => socket.pause(),
    (port) =>
      withEnds(async (start) => {
        const length = { bytes: 1e9 };
        const { fault } = await start.sender({ port, streams: 2, length, patienceMs: 200 }).result();
        assert.match(fault!, /^stream [01]: the receiver took nothing for 200 ms$/);
      }),
  ));

for (const way of ways) {
  test(`a receiver that goes away is told of, also by ${way}`, () =>
    listening(
      // Its end first: what breaks behind that is a broken pipe, which to some calls is a signal as well.
      (socket) => socket.once('data', () => socket.pause().end(() => socket.resetAndDestroy())),
      (port) =>
        withEnds(async (start) => {
          const { fault } = await start.sender({ port, way, length: { bytes: 1e9 } }).result();
          assert.match(fault!, /^stream 0: (sending failed|the connection broke): /);
        }),
    ));
}

/** The head of stream 0 of `streams`. */
function head(streams: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.write('dbxsend1');
  bytes.writeUInt32LE(streams, 20);
  return bytes;
}

for (const { name, bytes, ends, says } of [
  { name: 'stalls', bytes: head(1), ends: false, says: /^stream 0: the sender sent nothing for 200 ms$/ },
  { name: 'lacks a stream', bytes: head(2), ends: false, says: /^stream [01]: .* for 200 ms$/ },
  {
    name: 'is cut off',
    bytes: Buffer.concat([head(1), Buffer.alloc(1000, 1)]),
    ends: true,
    says: /^stream 0: it was cut off after 1000 bytes$/,
  },
]) {
  test(`a sender that ${name} ends its receiver with a reason`, () =>
    withEnds(async (start) => {
      const { end, port } = await start.receiver({ patienceMs: 200 });
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes);
      if (ends) socket.end();
      const { fault } = await end.result();
      assert.match(fault!, says);
      socket.destroy();
    }));
}

test(
  'over loopback a receiver is woken when a buffer of it waits, and at the end',
  { skip: platform() === 'linux' ? false : 'Linux tells of a connection only from so many bytes on' },
  () =>
    withEnds(async (start) => {
      const { end, port } = await start.receiver();
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.on('error', () => {});
      socket.write(head(1));
      const [pieces, size] = [100, 1000];
      for (let i = 0; i < pieces; i++) {
        await new Promise((written) => socket.write(Buffer.alloc(size), written));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const tail = Buffer.alloc(24);
      tail.write('dbxtail1');
      tail.writeUInt32LE(pieces * size, 8);
      socket.end(tail);
      const got = await end.result();
      assert.deepEqual([got.fault, got.bytes], [null, pieces * size]);
      // One may come before it is said, and the end is another two.
      assert.ok(got.calls.receives <= 5, `${got.calls.receives} receives`);
    }),
);

test('who is no stream of a transfer is sent away, and does not disturb it', () =>
  withEnds(async (start) => {
    const { end, port } = await start.receiver();
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'), head(1025), head(0)]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes);
      await new Promise((resolve) => socket.once('close', resolve).resume());
    }
    assert.equal((await start.sender({ port }).result()).fault, null);
    const got = await end.result();
    assert.ok(got.role === 'receiver');
    assert.equal(got.strangers, 3);
  }));

test('the program says what it cannot use in one sentence', () => {
  for (const [args, says] of [
    [['--role', 'both'], /--role must be sender or receiver, not 'both'/],
    [['--role', 'sender', '--bytes', '1'], /a sender needs the --port of its receiver/],
    [['--role', 'sender', '--port', '1'], /either --bytes or --duration/],
    [['--way', 'pigeon'], /--way must be copy, sendfile, splice, zerocopy or uring-zerocopy/],
    [['--streams', '1025'], /--streams must be a number from 1 to 1024/],
    [['--host', 'localhost'], /no numeric address/],
    [['--backend', 'epol'], /unknown backend 'epol'/],
    [['--congestion', 'pigeon'], /congestion control 'pigeon'/],
    [['--role', 'sender', '--port', '1', '--bytes', '1', '--adaptive'], /--adaptive takes a --duration/],
  ] as const) {
    const { status, stderr } = spawnSync(programPath('dispatchbench-transfer'), args, { encoding: 'utf8' });
    assert.ok(status === 1 || status === 2, stderr);
    assert.match(stderr, says);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
});

const brief = ['--duration', '30ms', '--streams', '1,2', '--way', 'copy', '--congestion', 'reno'];

test('transfer prints a row for each combination, and says whether more streams pay', () => {
  const { status, stdout, stderr } = dispatchbench('transfer', ...brief);
  assert.equal(status, 0, stderr);
  assert.equal(stdout.match(/│ copy +│ [12] /g)?.length, 2);
  assert.match(stdout, /copy: 2 streams against 1: .* of the rate/);
});

test('transfer --json prints what was measured at both ends', () => {
  const { status, stdout, stderr } = dispatchbench(
    'transfer',
    ...brief,
    '--repeat',
    '1',
    '--no-checksum',
    '--json',
  );
  assert.equal(status, 0, stderr);
  const answer = z.object({
    transfers: z.array(transferMeasurement.extend({ impossible: z.string().nullable() })),
  });
  const { transfers } = answer.parse(JSON.parse(stdout));
  assert.deepEqual(
    transfers.map(({ ours }) => ours!.streams.bytes.length),
    [1, 2],
  );
  for (const { ours, copyBytesPerSecond } of transfers) {
    const { sender, receiver } = ours!;
    assert.ok(copyBytesPerSecond > 0);
    assert.equal(sender.bytes, receiver.bytes);
    assert.equal(sender.congestion, platform() === 'linux' ? 'reno' : sender.congestion);
    assert.equal(sender.checked, false);
  }
});

test('transfer says what it cannot do in one sentence', () => {
  for (const [args, says] of [
    [['--chunk', '1T'], /'1T' is not a number of bytes up to 64M/],
    [['--way', 'pigeon'], /unknown way 'pigeon'/],
    [['--congestion', 'pigeon'], /congestion control 'pigeon'/],
  ] as const) {
    const { status, stderr } = dispatchbench('transfer', ...args, '--duration', '10ms');
    assert.equal(status, 1);
    assert.match(stderr, says);
  }
});
