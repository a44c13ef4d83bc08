/** Modules, programs, upstreams and clients that mean harm: an answer with a reason, and the gateway lives on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { tried } from '../support/tally.js';
import { Gateway, type HttpReply, host, native, notBuilt, prefixer, repliesOf } from './gateway-process.js';
import { code, type Shape, wasm } from './wasm-bytes.js';

const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const little = (value: number, size: number) => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntLE(value, 0, Math.min(size, 6));
  return [...bytes];
};

/** An I/O vector of so many bytes from 0, for fd_write. */
const vector = (length: number) => [...little(0, 4), ...little(length, 4)];
const write = [...code.i32(1), ...code.i32(0), ...code.i32(1), ...code.i32(8), ...code.call('fd_write')];
const anHour = [...Array(16).fill(0), ...little(1, 8), ...little(3.6e12, 8), ...Array(16).fill(0)];

interface Bad {
  what: string;
  body: number[];
  shape?: Shape;
  status: number;
  says: RegExp;
}

const bad: Bad[] = [
  { what: 'traps', body: code.unreachable, status: 500, says: /trapped: .*unreachable/ },
  { what: 'calls itself for ever', body: code.callStart, status: 500, says: /trapped: .*stack/ },
  { what: 'loops for ever', body: code.forEver([]), status: 504, says: /longer than its deadline/ },
  {
    what: 'sleeps for an hour',
    body: [
      ...code.i32(0),
      ...code.i32(256),
      ...code.i32(1),
      ...code.i32(512),
      ...code.call('poll_oneoff'),
      ...code.drop,
    ],
    shape: { data: anHour },
    status: 504,
    says: /longer than its deadline/,
  },
  {
    what: 'allocates until there is no more, and traps',
    body: code.forEver([...code.growBy(16), ...code.i32(-1), ...code.equals, ...code.when(code.unreachable)]),
    status: 500,
    says: /trapped/,
  },
  {
    what: 'allocates without end',
    body: code.forEver([...code.growBy(1), ...code.drop]),
    status: 504,
    says: /longer than its deadline/,
  },
  { what: 'writes nothing', body: [], status: 502, says: /wrote nothing/ },
  {
    what: 'writes and fails',
    body: [...write, ...code.drop, ...code.i32(3), ...code.call('proc_exit')],
    shape: { data: vector(8) },
    status: 500,
    says: /ended with exit code 3/,
  },
  {
    what: 'writes without end',
    body: code.forEver([...write, ...code.drop]),
    shape: { data: vector(60_000) },
    status: 500,
    says: /wrote more than 1048576 bytes/,
  },
  {
    what: 'writes until it cannot',
    body: code.forEver([...write, ...code.when(code.unreachable)]),
    shape: { data: vector(60_000) },
    status: 500,
    says: /wrote more than 1048576 bytes/,
  },
];

/** Short where it is to come, and else so long that no load of the machine brings it. In milliseconds. */
const deadlineFor = (status: number) => (status === 504 ? '250' : '30000');

const modes = ['ondemand', 'pre', 'pool', 'aot', 'self-cli'];

/** The file of a module, for a mode. */
function moduleFile(name: string, bytes: Buffer, mode: string): string {
  const file = join(folder, `${name}.wasm`);
  writeFileSync(file, bytes);
  if (mode !== 'aot') return file;
  const { status, stderr } = spawnSync(host, ['precompile', file, `${file}.aot`], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return `${file}.aot`;
}

/** The reply is an error with one line that says why. */
function refused(reply: HttpReply | undefined, status: number, says: RegExp): void {
  assert.equal(reply?.status, status, reply?.body);
  assert.match(reply!.body, says);
  assert.match(reply!.body, /^[^\n]+\n$/);
}

describe('a module that', { skip: notBuilt }, () => {
  for (const [place, { what, body, shape, status, says }] of bad.entries()) {
    for (const mode of modes) {
      it(`${what}: ${status} (${mode})`, async () => {
        const module = moduleFile(`bad-${place}`, wasm(body, shape), mode);
        const flags = [
          '--mode',
          mode,
          '--module',
          module,
          '--deadline-ms',
          deadlineFor(status),
          '--memory-mb',
          '16',
        ];
        const gateway = await Gateway.start(host, ...flags);
        // A process of its own says why on its own standard error; its exit code is what comes here.
        const reason = mode === 'self-cli' && status === 500 ? /exit code 1/ : says;
        refused(await gateway.ask('/'), status, reason);
        const descriptors = await gateway.settledDescriptors(); // what the first one opened for all
        for (let n = 0; n < 3; n++) refused(await gateway.ask('/'), status, reason);
        assert.equal((await gateway.ask('/health')).status, 200);
        assert.deepEqual(gateway.children(), []);
        assert.equal(await gateway.settledDescriptors(), descriptors);
        assert.equal((await gateway.stop()).code, 0);
        tried(`a module that ${what}`, 4);
      });
    }
  }
});

describe('what is no module', { skip: notBuilt }, () => {
  const good = readFileSync(notBuilt ? (import.meta.filename ?? '/dev/null') : prefixer);
  const cases: [string, Buffer][] = [
    ['an empty file', Buffer.alloc(0)],
    ['a text', Buffer.from('#!/bin/sh\necho hello\n')],
    ['a text of the other form', Buffer.from('(module)')],
    ['a module cut short', good.subarray(0, good.length - 20)],
    [
      'a module of another version',
      Buffer.concat([Buffer.from('\0asm\x02\0\0\0', 'latin1'), good.subarray(8)]),
    ],
    ['random bytes after the magic', Buffer.concat([good.subarray(0, 8), Buffer.alloc(300, 0xee)])],
  ];
  for (const [what, bytes] of cases) {
    it(`${what}: one sentence and exit code 1`, () => {
      const file = join(folder, 'no-module');
      writeFileSync(file, bytes);
      for (const mode of modes)
        startFails(['--mode', mode, '--module', file], /no-module cannot be used as a module: /);
    });
  }

  const unfit: [string, Buffer][] = [
    ['has no _start', wasm([], { start: 'begin' })],
    ['asks for what there is not', wasm([], { strange: true })],
    ['needs more memory than it may have', wasm([], { pages: 300 })],
    ['traps when it is instantiated', wasm(code.unreachable, { atOnce: true })],
    ['never comes to its start', wasm(code.forEver([]), { atOnce: true })],
  ];
  for (const [what, bytes] of unfit) {
    it(`one that ${what}: one sentence and exit code 1`, () => {
      for (const mode of modes.filter((each) => each !== 'self-cli')) {
        const file = moduleFile('unfit', bytes, mode);
        const flags = ['--mode', mode, '--module', file, '--memory-mb', '16', '--deadline-ms', '100'];
        startFails(flags, /cannot be used as a module: /);
      }
    });
  }

  it('a file that is not there', () => {
    for (const mode of modes)
      startFails(['--mode', mode, '--module', join(folder, 'absent')], /cannot read .*absent: /);
  });

  it('code that was compiled with another program', () => {
    const module = moduleFile('changed', good, 'aot');
    const bytes = readFileSync(module);
    const version = bytes.indexOf('48\x18x86_64');
    assert.ok(version > 0);
    bytes.write('47', version);
    writeFileSync(module, bytes);
    startFails(['--mode', 'aot', '--module', module], /cannot be used as a module: .*version/);
  });
});

function startFails(flags: string[], says: RegExp): void {
  const { status, stdout, stderr } = spawnSync(host, ['--listen', '127.0.0.1:0', ...flags], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 1, `${flags.join(' ')}: ${stderr}`);
  assert.match(stderr, says);
  assert.match(stderr, /^gateway-host: [^\n]+\n$/);
  assert.equal(stdout, '');
}

describe('a program that', { skip: notBuilt }, () => {
  const script = (text: string) => [process.execPath, '-e', text];
  const cases: [string, string[], number, RegExp][] = [
    ['writes nothing', ['true'], 502, /wrote nothing/],
    ['fails', ['false'], 500, /exit code 1/],
    ['writes without end', ['cat', '/dev/zero'], 500, /wrote more than/],
    ['never ends', ['sleep', '60'], 504, /longer than its deadline/],
    ['ends itself by a signal', ['sh', '-c', 'kill -SEGV $$'], 500, /ended by signal 11/],
    ['has children that never end', ['sh', '-c', 'sleep 61 & sleep 62'], 504, /longer than its deadline/],
    [
      'closes its output and goes on',
      script('require("fs").writeSync(1, "x"); require("fs").closeSync(1); setInterval(() => {}, 1000)'),
      504,
      /longer than its deadline/,
    ],
    ['is no program', ['/etc/passwd'], 502, /could not be run/],
  ];
  for (const [what, argv, status, says] of cases) {
    it(`${what}: ${status}, and nothing is left of it`, async () => {
      const gateway = await Gateway.start(
        host,
        '--mode',
        'cli',
        '--deadline-ms',
        deadlineFor(status),
        '--',
        ...argv,
      );
      for (let n = 0; n < 3; n++) refused(await gateway.ask('/'), status, says);
      assert.deepEqual(gateway.children(), []);
      // They are killed by then, and gone a moment later.
      while (spawnSync('pgrep', ['-fx', 'sleep 6[12]']).status === 0) await pause(10);
      assert.equal((await gateway.ask('/health')).body, 'ok');
      assert.equal((await gateway.stop()).code, 0);
    });
  }
});

/** An upstream that answers as `serve` does. */
async function upstream(serve: (socket: Socket) => void): Promise<{ at: string; close(): Promise<unknown> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    for (const socket of open) socket.destroy();
    return once(server.close(), 'close');
  };
  return { at: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

const saying = (text: string) => (socket: Socket) =>
  void socket.once('data', () => socket.end(text, 'latin1'));

describe('an upstream that', { skip: notBuilt }, () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/x\r\n';
  const cases: [string, (socket: Socket) => void, number, RegExp | string][] = [
    ['says nothing', () => {}, 504, /did not answer within 300 ms/],
    ['ends at once', (socket) => void socket.end(), 502, /ended in its middle/],
    ['resets', (socket) => void socket.once('data', () => socket.resetAndDestroy()), 502, /does not answer/],
    ['speaks something else', saying('220 mail ready\r\n'), 502, /malformed/],
    ['stops in its head', saying(head), 502, /ended in its middle/],
    ['stops in its body', saying(`${head}Content-Length: 10\r\n\r\nshort`), 502, /ended in its middle/],
    ['has no proper length', saying(`${head}Content-Length: -1\r\n\r\n`), 502, /no number/],
    ['promises too much', saying(`${head}Content-Length: 99999999999999999999\r\n\r\n`), 502, /too long/],
    ['has too long a head', saying(`${head}X: ${'y'.repeat(70_000)}`), 502, /too long a head/],
    ['sends without end', endless, 502, /too long/],
    [
      'sends bad chunks',
      saying(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX`),
      502,
      /another size/,
    ],
    [
      'sends no chunks',
      saying(`${head}Transfer-Encoding: chunked\r\n\r\nhello`),
      502,
      /without a proper size/,
    ],
    [
      'sends huge chunks',
      saying(`${head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n`),
      502,
      /proper size/,
    ],
    ['codes its body', saying(`${head}Transfer-Encoding: gzip\r\n\r\n`), 502, /unknown way/],
    ['drips', dripping, 504, /did not answer within/],
    // And those that are only unusual.
    ['has neither length nor chunks', saying(`${head}\r\nuntil the end`), 200, 'until the end'],
    [
      'announces its reply',
      saying(`HTTP/1.1 100 Continue\r\n\r\n${head}Content-Length: 2\r\n\r\nok...`),
      200,
      'ok',
    ],
    [
      'has trailers',
      saying(`${head}Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nA: b\r\n\r\n`),
      200,
      'ok',
    ],
    ['has nothing to say', saying('HTTP/1.1 204 No Content\r\n\r\n'), 204, ''],
  ];
  function endless(socket: Socket): void {
    socket.write(`${head}\r\n`);
    const more = () => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65536, 'z')));
    };
    socket.on('drain', more);
    more();
  }
  function dripping(socket: Socket): void {
    socket.write(`${head}Content-Length: 1000\r\n\r\n`);
    const timer = setInterval(() => socket.write('.'), 20);
    socket.on('close', () => clearInterval(timer));
  }

  for (const [what, serve, status, says] of cases) {
    it(`${what}: ${status}`, async () => {
      const { at, close } = await upstream(serve);
      const timeout = ['says nothing', 'drips'].includes(what) ? '300' : '30000';
      const gateway = await Gateway.start(native, '--upstream', at, '--timeout-ms', timeout);
      const reply = await gateway.ask('/somewhere');
      if (typeof says === 'string') assert.deepEqual([reply.status, reply.body], [status, says]);
      else refused(reply, status, says);
      assert.equal((await gateway.ask('/')).body, 'hello');
      assert.equal((await gateway.stop()).code, 0);
      await close();
    });
  }

  it('is not there: 502', async () => {
    const { at, close } = await upstream(() => {});
    await close();
    const gateway = await Gateway.start(native, '--upstream', at);
    refused(await gateway.ask('/somewhere'), 502, /does not answer: /);
    assert.equal((await gateway.stop()).code, 0);
  });
});

// ---- clients

interface Client {
  what: string;
  bytes: string | Buffer;
  /** it says that it is done, and waits */
  end?: boolean;
  status: number;
  says: RegExp;
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n';
const clients: Client[] = [
  {
    what: 'a header of 64 KiB',
    bytes: `${get}X: ${'y'.repeat(65536)}\r\n\r\n`,
    status: 431,
    says: /longer than 16384/,
  },
  {
    what: 'a header of 64 KiB without end',
    bytes: `${get}X: ${'y'.repeat(65536)}`,
    status: 431,
    says: /longer than/,
  },
  {
    what: 'a target of 64 KiB',
    bytes: `GET /${'y'.repeat(65536)} HTTP/1.1\r\n\r\n`,
    status: 431,
    says: /longer than/,
  },
  {
    what: 'too many headers',
    bytes: `${get}${'a: b\r\n'.repeat(101)}\r\n`,
    status: 431,
    says: /more than 100/,
  },
  {
    what: 'a method of another kind',
    bytes: 'POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx',
    status: 405,
    says: /GET and HEAD/,
  },
  { what: 'garbage', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', status: 400, says: /malformed/ },
  { what: 'zeros', bytes: Buffer.alloc(4096), status: 400, says: /malformed/ },
  { what: 'another protocol', bytes: 'HELO example.org\r\n\r\n', status: 400, says: /malformed/ },
  { what: 'another version', bytes: 'GET / HTTP/2.0\r\n\r\n', status: 400, says: /malformed/ },
  { what: 'no Host', bytes: 'GET / HTTP/1.1\r\n\r\n', status: 400, says: /without Host/ },
  { what: 'no version', bytes: 'GET /\r\n\r\n', status: 400, says: /malformed/ },
  { what: 'no path', bytes: 'GET http://x/ HTTP/1.1\r\n\r\n', status: 400, says: /no path/ },
  {
    what: 'a path with other bytes',
    bytes: 'GET /\xe9\x80 HTTP/1.1\r\nHost: x\r\n\r\n',
    status: 400,
    says: /malformed/,
  },
  { what: 'a header without a name', bytes: `${get}: x\r\n\r\n`, status: 400, says: /malformed/ },
  { what: 'a header that is folded', bytes: `${get}A: b\r\n c\r\n\r\n`, status: 400, says: /malformed/ },
  { what: 'a header with a zero', bytes: `${get}A: b\0c\r\n\r\n`, status: 400, says: /malformed/ },
  {
    what: 'chunks of garbage',
    bytes: `${get}Transfer-Encoding: chunked\r\n\r\nzz\r\n${'?'.repeat(9000)}`,
    status: 400,
    says: /chunks/,
  },
  {
    what: 'a length and chunks',
    bytes: `${get}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    status: 400,
    says: /chunks/,
  },
  {
    what: 'two lengths',
    bytes: `${get}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`,
    status: 400,
    says: /two lengths/,
  },
  { what: 'a length below zero', bytes: `${get}Content-Length: -1\r\n\r\n`, status: 400, says: /no number/ },
  {
    what: 'a length with a sign',
    bytes: `${get}Content-Length: +1\r\n\r\nx`,
    status: 400,
    says: /no number/,
  },
  {
    what: 'a body too long',
    bytes: `${get}Content-Length: 16385\r\n\r\n${'b'.repeat(16385)}`,
    status: 413,
    says: /longer than 16384/,
  },
  {
    what: 'a length beyond all',
    bytes: `${get}Content-Length: 99999999999999999999999\r\n\r\n`,
    status: 413,
    says: /longer than/,
  },
  { what: 'a body that never comes', bytes: `${get}Content-Length: 9\r\n\r\n`, status: 408, says: /in time/ },
  { what: 'half a head, then nothing', bytes: 'GET / HTTP/1.1\r\nHost:', status: 408, says: /in time/ },
  {
    what: 'half a head, then the end',
    bytes: 'GET / HTTP/1.1\r\nHost:',
    end: true,
    status: 400,
    says: /ended in its middle/,
  },
  {
    what: 'too many iterations',
    bytes: 'GET /compute?iters=10000001 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    status: 400,
    says: /at most 10000000/,
  },
  {
    what: 'iterations that are none',
    bytes: 'GET /compute?iters=-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    status: 400,
    says: /no whole number/,
  },
  {
    what: 'iterations beyond all',
    bytes: `GET /compute?iters=${'9'.repeat(50)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    status: 400,
    says: /at most/,
  },
];

const programs: [string, string, string[]][] = [
  ['gateway-native', native, []],
  ['gateway-host pool', host, ['--mode', 'pool', '--module', prefixer]],
];

for (const [name, program, flags] of programs) {
  describe(`a client of ${name} that sends`, { skip: notBuilt }, () => {
    for (const keep of ['off', 'on']) {
      for (const { what, bytes, end = false, status, says } of clients) {
        it(`${what}: ${status} (keep-alive ${keep})`, async () => {
          const gateway = await Gateway.start(
            program,
            '--timeout-ms',
            status === 408 ? '500' : '30000',
            '--keep-alive',
            keep,
            ...flags,
          );
          const replies = repliesOf(await gateway.raw(bytes, { end }));
          refused(replies[0], status, says);
          assert.equal(replies.length, 1);
          assert.equal((await gateway.ask('/health')).body, 'ok');
          assert.equal((await gateway.stop()).code, 0);
        });
      }
    }

    it('nothing, and stays: closed without a word', async () => {
      const gateway = await Gateway.start(program, '--timeout-ms', '100', ...flags);
      assert.equal(await gateway.raw(''), '');
      assert.equal((await gateway.stop()).code, 0);
    });

    it('a byte at a time: the request as a whole has no longer than the timeout', async () => {
      const gateway = await Gateway.start(program, '--timeout-ms', '300', ...flags);
      const socket = gateway.connect();
      const pieces: Buffer[] = [];
      socket.on('data', (piece) => pieces.push(piece));
      socket.on('error', () => {});
      socket.write(get);
      const timer = setInterval(() => socket.write('a'), 10);
      await once(socket, 'end');
      clearInterval(timer);
      socket.destroy();
      refused(repliesOf(Buffer.concat(pieces).toString())[0], 408, /in time/);
      assert.equal((await gateway.stop()).code, 0);
    });
  });
}

/** Requests in this many rounds of each kind, some at a time. */
const rounds = Number(process.env.HOSTILE_GATEWAY_ROUNDS ?? 400);
const atOnce = 8;

describe('over 10 000 such requests descriptors and memory stay as they are', { skip: notBuilt }, () => {
  const trapping = () => moduleFile('trapping', wasm(code.unreachable), 'pool');
  const rows: [string, string, () => string[]][] = [
    ['gateway-native', native, () => []],
    ['gateway-host ondemand', host, () => ['--mode', 'ondemand', '--module', trapping()]],
    ['gateway-host pool', host, () => ['--mode', 'pool', '--module', trapping()]],
  ];
  for (const [name, program, flags] of rows) {
    it(name, async () => {
      const dead = await upstream(() => {});
      await dead.close();
      const gateway = await Gateway.start(
        program,
        ...['--upstream', dead.at, '--threads', String(atOnce), '--timeout-ms', '1000'],
        ...flags(),
      );
      // Half-open ones take the timeout each, so there are fewer of them.
      const quick = clients.filter(({ status }) => status !== 408);
      const waiting = clients.filter(({ status }) => status === 408);
      let sent = 0;
      const send = async ({ bytes, end = false, status, what }: Client) => {
        const [reply] = repliesOf(await gateway.raw(bytes, { end }));
        assert.equal(reply?.status, status, what);
        sent++;
      };
      const round = async (n: number) => {
        for (const client of quick) await send(client);
        if (n % 40 === 0) for (const client of waiting) await send(client);
        assert.equal((await gateway.ask('/nowhere')).status, 502);
        assert.equal((await gateway.ask('/')).status, program === native ? 200 : 500);
        sent += 2;
      };
      const many = async (count: number) => {
        let next = 0;
        const worker = async () => {
          while (next < count) await round(next++);
        };
        await Promise.all(Array.from({ length: atOnce }, worker));
      };
      await many(rounds / 10); // until allocators have what they need
      const before = { descriptors: await gateway.settledDescriptors(), memory: gateway.memory() };
      sent = 0;
      await many(rounds);
      assert.ok(sent > 25 * rounds, `${sent} requests`);
      assert.equal(await gateway.settledDescriptors(), before.descriptors);
      // A leak of one descriptor, buffer or instance a request would be 10 000 of them: megabytes.
      const grown = gateway.memory() - before.memory;
      assert.ok(grown < 2 << 20, `memory has grown by ${grown} bytes over ${sent} requests`);
      assert.equal((await gateway.stop()).code, 0);
      tried(`requests that mean harm to ${name}`, sent);
    });
  }
});
