/**
 * What every gateway has to do, whatever it is written in: one table, registered for a gateway by `holdToContract`.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connected, eventually, exchange } from '../servers/client.js';
import { type Command, GatewayProcess, withGateway } from './contract-process.js';
import { ask, repliesIn, requestOf, text } from './replies.js';
import { deadPort, echo, targetOf, type Upstream, upstream } from './upstreams.js';

export interface Subject {
  name: string;
  /** The command with these arguments besides those that the gateway always needs. */
  command(...args: string[]): Command;
  /** what GET / is answered with */
  hello: string;
  /** as in the gateway's line */
  announces: { name: string; mode: string; module: boolean };
  /** Most that 9000 hostile requests may add to its memory, MiB. */
  memoryMiB: number;
  /** A thread waits for the upstream, and meanwhile for nothing else. */
  blocks?: boolean;
  /** The program of a subject before it, with another argument: how it reads the others is known. */
  sameProgram?: boolean;
}

function chained(iterations: number): string {
  let digest: Uint8Array = new Uint8Array(32);
  for (let i = 0; i < iterations; i++) digest = createHash('sha256').update(digest).digest();
  return Buffer.from(digest).toString('hex');
}

const anyPort = ['--listen', '127.0.0.1:0'];
/** Time enough on a busy machine; little enough to wait for its end. */
const patient = ['--timeout-ms', '60000'];
const hasty = ['--timeout-ms', '400'];
const behind = ({ port }: { port: number }, timeout = patient) => [
  ...anyPort,
  ...timeout,
  '--upstream',
  `127.0.0.1:${port}`,
];

const longTarget = `/${'a'.repeat(65_536)}`;
const longField = `X-Long: ${'b'.repeat(65_536)}\r\n`;

/** Requests that are refused, with the statuses that may say so. */
const refusals: [name: string, bytes: Buffer, statuses: number[]][] = [
  ['garbage', Buffer.of(0, 255, 13, 10, 7), [400]],
  ['no version', text('GET /\r\n\r\n'), [400]],
  ['no Host', text('GET / HTTP/1.1\r\n\r\n'), [400]],
  ['a header without a colon', requestOf('/', { fields: 'nonsense\r\n' }), [400]],
  ['a control character in the target', text('GET /\u0001 HTTP/1.1\r\nHost: x\r\n\r\n'), [400]],
  ['a header of 64 KiB', requestOf('/', { fields: longField }), [431]],
  ['a target of 64 KiB', requestOf(longTarget), [431]],
  ['POST', requestOf('/', { method: 'POST', fields: 'Content-Length: 0\r\n' }), [405]],
  ['a method that nobody knows', requestOf('/', { method: 'BREW' }), [400, 405]],
  ['a chunked body', requestOf('/', { fields: 'Transfer-Encoding: chunked\r\n' }), [400, 413]],
  [
    'chunked garbage',
    Buffer.concat([requestOf('/', { fields: 'Transfer-Encoding: chunked\r\n' }), text('zz\r\n\r\n\r\n')]),
    [400, 413],
  ],
  ['a body of 10 GB', requestOf('/', { fields: 'Content-Length: 10000000000\r\n' }), [400, 413]],
  ['two lengths', requestOf('/', { fields: 'Content-Length: 1\r\nContent-Length: 2\r\n' }), [400]],
  ['iterations that are no number', requestOf('/compute?iters=x'), [400]],
  ['negative iterations', requestOf('/compute?iters=-1'), [400]],
  ['too many iterations', requestOf('/compute?iters=10000001'), [400]],
];

/** Upstreams with what the client gets to see; `body` left out: one line on the reason. */
const upstreams: [
  name: string,
  reply: (socket: Socket, head: string) => void,
  status: number,
  body?: string,
][] = [
  ['keeps its connection', echo, 200, 'you asked for /0'],
  [
    'replies in pieces',
    async (socket) => {
      for (const piece of text('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole')) {
        socket.write(Buffer.of(piece));
        await new Promise(setImmediate);
      }
    },
    200,
    'whole',
  ],
  [
    'replies in chunks',
    (socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n5\r\npedia\r\n0\r\nA: b\r\n\r\n',
      ),
    200,
    'wikipedia',
  ],
  [
    'ends its body with the connection',
    (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'),
    200,
    'to the end',
  ],
  [
    'sends an interim reply first',
    (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    200,
    'ok',
  ],
  [
    'has its own errors',
    (socket) => socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone'),
    404,
    'none',
  ],
  [
    'sends a megabyte',
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n${'m'.repeat(1 << 20)}`),
    200,
    'm'.repeat(1 << 20),
  ],
  [
    'sends more than a megabyte',
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n${'m'.repeat(3_000_000)}`),
    502,
  ],
  ['cuts its reply short', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort'), 502],
  ['closes without a word', (socket) => socket.end(), 502],
  ['resets the connection', (socket) => socket.resetAndDestroy(), 502],
  ['speaks no HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'), 502],
  ['says nothing', () => {}, 504],
  [
    'never comes to an end',
    (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow'),
    504,
  ],
];

/** A hasty gateway may give up a client that a busy machine holds up, so it is asked until it answers. */
async function alive(port: number): Promise<void> {
  const status = await eventually(
    () =>
      ask(port, '/health').then(
        (reply) => reply.status,
        () => 0,
      ),
    (answered) => answered === 200,
  );
  assert.equal(status, 200);
}

/** Waits until a gateway has no descriptor that it had not before. */
async function descriptorsBackTo(gateway: GatewayProcess, before: number): Promise<void> {
  const now = await eventually(
    async () => gateway.descriptors(),
    (count) => count <= before,
  );
  assert.ok(now <= before, `${now} descriptors are open, ${before} were`);
}

export function holdToContract(subject: Subject): void {
  describe(subject.name, () => {
    let echoing: Upstream;
    before(async () => {
      echoing = await upstream(echo);
    });
    after(() => echoing.close());

    test('says where it listens, tells of its first reply once, and ends with SIGTERM', async () => {
      const gateway = new GatewayProcess(subject.command(...behind(echoing)));
      try {
        const line = await gateway.announced();
        const { name, mode, module } = subject.announces;
        assert.equal(line.name, name);
        assert.equal(line.mode, mode);
        assert.equal(line.module !== null, module);
        assert.equal(line.address, '127.0.0.1');
        assert.equal(line.pid, gateway.child.pid);
        const { main, bound, compiled, instantiated, listening } = line.phases;
        // A gateway may be bound before it has compiled its module, or after.
        for (const phases of [
          [main, compiled, instantiated, listening],
          [main, bound, listening],
        ]) {
          const order = phases.filter((phase) => phase !== null);
          assert.deepEqual(
            order,
            order.toSorted((a, b) => a - b),
          );
          assert.ok(order.every(Number.isSafeInteger));
        }
        assert.equal(compiled !== null, module);
        assert.equal((await ask(line.port, '/', { method: 'POST' })).status, 405);
        for (let i = 0; i < 3; i++) await ask(line.port, '/health');
        const told = await eventually(
          async () => gateway.linesOf('first-reply'),
          (lines) => lines.length > 0,
        );
        assert.equal(told.length, 1);
        assert.ok((told[0] as { monotonicNs: number }).monotonicNs > listening!);
        gateway.child.kill('SIGTERM');
        assert.equal(await gateway.ended(), 0);
        assert.equal(gateway.stderr, '');
      } finally {
        await gateway.kill();
      }
    });

    test('does its workloads', async () => {
      await withGateway(subject.command(...behind(echoing), '--keep-alive', 'on'), async (port) => {
        const bodies: [target: string, body: string][] = [
          ['/', subject.hello],
          ['/?a=b', subject.hello],
          ['/health', 'ok'],
          ['/state', '0'],
          ['/state?x', '1'],
          ['/compute', chained(20_000)],
          ['/compute?iters=1', chained(1)],
          ['/compute?a=b&iters=60001', chained(60_001)],
          ['/some/path?with=query', 'you asked for /some/path?with=query'],
          ['/compute/', 'you asked for /compute/'],
        ];
        for (const [target, body] of bodies) {
          const reply = await ask(port, target);
          assert.equal(reply.status, 200, target);
          assert.equal(reply.body.toString('latin1'), body, target);
          assert.equal(reply.fields.get('content-length'), `${body.length}`, target);
          assert.match(
            reply.fields.get('content-type')!,
            body.startsWith('you') ? /^text\/x-echo/ : /^text\/plain/,
          );
        }
        for (const [target, body] of [bodies[0]!, bodies.at(-1)!]) {
          const reply = await ask(port, target, { method: 'HEAD' });
          assert.equal(reply.status, 200);
          assert.equal(reply.fields.get('content-length'), `${body.length}`);
        }
        const old = await exchange(port, [text('GET / HTTP/1.0\r\n\r\n')]);
        assert.equal(repliesIn(old.bytes)[0]!.body.toString(), subject.hello);
        assert.equal(old.ended, 'end');
      });
    });

    test('asks the upstream as it should', async () => {
      await withGateway(subject.command(...behind(echoing)), async (port) => {
        echoing.asked.length = 0;
        await ask(port, '/x?y=z', { fields: 'Cookie: secret\r\n', method: 'HEAD' });
        const [head] = echoing.asked;
        assert.match(head!, /^GET \/x\?y=z HTTP\/1\.1\r\n/);
        assert.match(head!, new RegExp(`\r\nhost: 127\\.0\\.0\\.1:${echoing.port}\r\n`, 'i'));
        assert.match(head!, /\r\nconnection: close\r\n/i);
      });
    });

    test('keeps connections, answers pipelined requests in their order, and closes when asked', async () => {
      await withGateway(subject.command(...behind(echoing), '--keep-alive', 'on'), async (port) => {
        const targets = ['/', '/a', '/state', '/b?c', '/compute?iters=60000', '/health', '/d'];
        const requests = [...targets, ...targets].map((target, i) =>
          requestOf(target, { fields: i === 13 ? 'Connection: close\r\n' : '' }),
        );
        const bodies = (state: number) => [
          subject.hello,
          'you asked for /a',
          `${state}`,
          'you asked for /b?c',
          chained(60_000),
          'ok',
          'you asked for /d',
        ];
        const together = [Buffer.concat(requests)];
        const byBytes = [...together[0]!].map((byte) => Buffer.of(byte));
        for (const [pieces, state] of [
          [together, 0],
          [byBytes, 2],
        ] as const) {
          const { bytes, ended } = await exchange(port, pieces);
          const got = repliesIn(bytes).map(({ body }) => body.toString());
          assert.deepEqual(got, [...bodies(state), ...bodies(state + 1)]);
          assert.equal(ended, 'end');
        }
      });
    });

    test('closes after each reply with --keep-alive off', async () => {
      await withGateway(subject.command(...behind(echoing), '--keep-alive', 'off'), async (port) => {
        for (const target of ['/', '/forwarded']) {
          const two = [requestOf(target), requestOf(target)];
          // One that blocks does not wait for what else may come, and a request that meets its close is refused.
          const { bytes, ended } = await exchange(port, subject.blocks ? [Buffer.concat(two)] : two);
          const replies = repliesIn(bytes);
          assert.equal(replies.length, 1);
          assert.match(replies[0]!.fields.get('connection')!, /^close$/i);
          assert.equal(ended, 'end');
        }
      });
    });

    test('refuses what it cannot take, each time with a reason, and goes on', async () => {
      await withGateway(subject.command(...behind(echoing), '--keep-alive', 'off'), async (port, gateway) => {
        await alive(port);
        const before = gateway.descriptors();
        for (const [name, bytes, statuses] of refusals) {
          const got = await exchange(port, [bytes]);
          const replies = repliesIn(got.bytes);
          assert.equal(replies.length, 1, name);
          assert.ok(statuses.includes(replies[0]!.status), `${name}: ${replies[0]!.status}`);
          assert.match(replies[0]!.body.toString(), /^[^\n]+\n?$/, name);
        }
        assert.equal((await ask(port, '/')).body.toString(), subject.hello);
        await descriptorsBackTo(gateway, before);
      });
    });

    test('bears what an upstream does', async () => {
      const server = await upstream((socket, head) => {
        const [, reply] = upstreams[Number(targetOf(head).slice(1))]!;
        reply(socket, head);
      });
      try {
        for (const late of [false, true]) {
          const command = subject.command(...behind(server, late ? hasty : patient));
          await withGateway(command, async (port, gateway) => {
            await alive(port);
            const before = gateway.descriptors();
            await Promise.all(
              upstreams.map(async ([name, , status, body], i) => {
                if ((status === 504) !== late) return;
                const got = await ask(port, `/${i}`);
                assert.equal(got.status, status, name);
                if (body === undefined) assert.match(got.body.toString(), /^[^\n]+\n?$/, name);
                else assert.ok(got.body.toString() === body, `${name}: ${got.body.length} bytes`);
              }),
            );
            await alive(port);
            await descriptorsBackTo(gateway, before);
          });
        }
      } finally {
        server.close();
      }
    });

    test('answers 502 while the upstream refuses, and the client next to it at once', async () => {
      const port = await deadPort();
      await withGateway(subject.command(...behind({ port }), '--keep-alive', 'on'), async (gatewayPort) => {
        const requests = ['/x', '/', '/y', '/health'].map((target, i) =>
          requestOf(target, { fields: i === 3 ? 'Connection: close\r\n' : '' }),
        );
        const replies = repliesIn((await exchange(gatewayPort, [Buffer.concat(requests)])).bytes);
        assert.deepEqual(
          replies.map(({ status }) => status),
          [502, 200, 502, 200],
        );
      });
    });

    if (!subject.blocks) {
      test('serves others while upstreams are slow, and lets go when its client does', async () => {
        const silent = await upstream(() => {});
        try {
          await withGateway(subject.command(...behind(silent)), async (port, gateway) => {
            await alive(port);
            const before = gateway.descriptors();
            const waiting = await Promise.all(Array.from({ length: 50 }, () => connected(port)));
            for (const socket of waiting) {
              socket.on('error', () => {});
              socket.write(requestOf('/slow'));
            }
            await eventually(
              async () => silent.asked.length,
              (count) => count === 50,
            );
            assert.equal((await ask(port, '/')).body.toString(), subject.hello);
            for (const socket of waiting) socket.resetAndDestroy();
            await descriptorsBackTo(gateway, before);
            await eventually(
              async () => silent.open.size,
              (count) => count === 0,
            );
            assert.equal(silent.open.size, 0);
          });
        } finally {
          silent.close();
        }
      });
    }

    test('closes half-open clients after the timeout', async () => {
      const command = subject.command(...behind(echoing, hasty), '--keep-alive', 'on');
      await withGateway(command, async (port, gateway) => {
        await alive(port);
        const before = gateway.descriptors();
        const starts = [text(''), text('GET / HT'), requestOf('/').subarray(0, -2), requestOf('/')];
        const sockets = starts.map((bytes) => {
          const socket = connect({ port, host: '127.0.0.1' });
          socket.on('error', () => {});
          socket.resume();
          if (bytes.length > 0) socket.write(bytes);
          return socket;
        });
        await Promise.all(sockets.map((socket) => once(socket, 'close')));
        await descriptorsBackTo(gateway, before);
        await alive(port);
      });
    });

    test('does not wait for a client that takes no reply', async () => {
      const big = await upstream((socket, head) => {
        const body = targetOf(head).repeat(100_000);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      });
      try {
        const command = subject.command(...behind(big, hasty), '--keep-alive', 'on');
        await withGateway(command, async (port, gateway) => {
          await alive(port);
          const before = gateway.descriptors();
          const sockets = Array.from({ length: 10 }, () => connect({ port, host: '127.0.0.1' }));
          for (const socket of sockets) {
            socket.on('error', () => {});
            socket.pause();
            socket.write(Buffer.concat(new Array(200).fill(requestOf('/12345678'))));
          }
          await alive(port);
          await descriptorsBackTo(gateway, before);
          for (const socket of sockets) socket.destroy();
          const memory = gateway.memory();
          assert.ok(memory < 250 + subject.memoryMiB, `${memory} MiB`);
        });
      } finally {
        big.close();
      }
    });

    test('10 000 hostile requests leave nothing behind', async () => {
      const command = subject.command(...behind(echoing), '--keep-alive', 'off');
      await withGateway(command, async (port, gateway) => {
        await ask(port, '/x');
        const before = gateway.descriptors();
        await hostile(port, 1000);
        await descriptorsBackTo(gateway, before);
        const warm = gateway.memory();
        await hostile(port, 9000);
        await descriptorsBackTo(gateway, before);
        const grown = gateway.memory() - warm;
        assert.ok(grown < subject.memoryMiB, `${grown.toFixed(1)} MiB more after 9000 requests`);
        assert.equal((await ask(port, '/')).body.toString(), subject.hello);
      });
    });

    if (!subject.sameProgram) {
      test('options that cannot be met: exit code 2 and one sentence', async () => {
        for (const args of [
          ['--nonsense'],
          ['--listen', 'localhost'],
          ['--listen', '127.0.0.1:70000'],
          ['--upstream', '127.0.0.1'],
          ['--keep-alive', 'perhaps'],
          ['--backlog', '0'],
          ['--timeout-ms', '-1'],
          ['--max-iters', 'many'],
          ['--threads', '0'],
        ]) {
          const gateway = new GatewayProcess(subject.command(...args));
          assert.equal(await gateway.ended(), 2, args.join(' '));
          assert.equal(gateway.stderr.trim().split('\n').length, 1, gateway.stderr);
          assert.equal(gateway.lines.length, 0);
        }
      });
    }

    test('a busy port: exit code 1 and one sentence', async () => {
      await withGateway(subject.command(...anyPort), async (port) => {
        const second = new GatewayProcess(subject.command('--listen', `127.0.0.1:${port}`));
        assert.equal(await second.ended(), 1);
        assert.match(second.stderr, /in use/);
        assert.equal(second.stderr.trim().split('\n').length, 1);
      });
    });
  });
}

/** Sends bad requests and leaves, in several ways, some dozens at a time. */
async function hostile(port: number, requests: number): Promise<void> {
  const sends = (bytes: Buffer) => async (socket: Socket) => {
    socket.write(bytes);
  };
  const deeds: ((socket: Socket) => Promise<unknown>)[] = [
    ...refusals.map(([, bytes]) => (socket: Socket) => {
      socket.write(bytes);
      return once(socket, 'close');
    }),
    sends(text('GET / HTT')),
    sends(requestOf('/gone')),
    async (socket) => {
      socket.write(requestOf('/gone'));
      socket.resetAndDestroy();
    },
    async (socket) => {
      socket.end();
    },
  ];
  let next = 0;
  const worker = async () => {
    while (next < requests) {
      const deed = deeds[next++ % deeds.length]!;
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => {});
      socket.resume();
      await new Promise<void>((resolve) => {
        socket.once('close', () => resolve());
        socket.once('connect', async () => {
          await deed(socket);
          socket.destroy();
        });
      });
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}
