/** What every gateway does, in each of its modes, over real sockets. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { holdToContract } from './contract-cases.js';
import { Gateway, host, native, notBuilt, prefixer, repliesOf } from './gateway-process.js';

const folder = mkdtempSync(join(tmpdir(), 'gateways-'));
const precompiled = join(folder, 'prefixer.cwasm');
const engineModes = ['ondemand', 'pre', 'pool', 'aot', 'hot'];

interface Variant {
  title: string;
  program: string;
  flags: string[];
  mode: string;
  module: string | null;
  hello: string;
}

const hosted = (mode: string, module: string | null, hello: string, more: string[] = []): Variant => ({
  title: `gateway-host ${mode}`,
  program: host,
  flags: ['--mode', mode, ...(module ? ['--module', module] : []), ...more],
  mode,
  module,
  hello,
});

const variants: Variant[] = [
  { title: 'gateway-native', program: native, flags: [], mode: 'native', module: null, hello: 'hello' },
  hosted('ondemand', prefixer, 'wasm:hello'),
  hosted('pre', prefixer, 'wasm:hello'),
  hosted('pool', prefixer, 'wasm:hello'),
  hosted('aot', precompiled, 'wasm:hello'),
  hosted('hot', prefixer, 'wasm:hello'),
  hosted('self-cli', prefixer, 'wasm:hello'),
  hosted('cat', null, 'hello'),
  hosted('cli', prefixer, 'wasm:hello', ['--', host, 'run', '--module', prefixer]),
];

const chained = (iterations: number) => {
  let digest: Buffer = Buffer.alloc(32);
  for (let n = 0; n < iterations; n++) digest = createHash('sha256').update(digest).digest();
  return digest.toString('hex');
};

let upstream: Server;
let upstreamAt: string;

before(async () => {
  if (notBuilt) return;
  const { status, stderr } = spawnSync(host, ['precompile', prefixer, precompiled], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  upstream = createServer((request, response) => {
    const { url = '', method, headers } = request;
    const status = Number(url.match(/^\/status\/(\d+)/)?.[1] ?? 200);
    response.writeHead(status, { 'content-type': 'application/json' });
    // Two writes without a length: it comes in chunks.
    response.write(`{"url":${JSON.stringify(url)},"method":"${method}",`);
    response.end(`"host":"${headers.host}","connection":"${headers.connection}"}`);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  upstreamAt = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});

after(() => {
  upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `use` with a gateway, which is ended whatever happens. */
async function withGateway(
  { program, flags }: Pick<Variant, 'program' | 'flags'>,
  more: string[],
  use: (gateway: Gateway) => Promise<void>,
): Promise<void> {
  const gateway = await Gateway.start(program, '--upstream', upstreamAt, ...more, ...flags);
  try {
    await use(gateway);
  } finally {
    const { code, stderr } = await gateway.stop();
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  }
}

/** Those of whom the table of all gateways is asked: one with its own code, with a module, with a process each. */
for (const { title, program, flags, mode, module, hello } of notBuilt
  ? []
  : variants.filter((one) => ['native', 'pool', 'cat'].includes(one.mode))) {
  holdToContract({
    name: title,
    command: (...args) => ({ command: program, args: [...flags, ...args] }),
    hello,
    announces: { name: program === native ? 'native' : 'host', mode, module: module !== null },
    memoryMiB: 2,
    blocks: true,
  });
}

for (const variant of variants) {
  describe(variant.title, { skip: notBuilt }, () => {
    it('says where it listens, what it serves, and when', async () => {
      const started = process.hrtime.bigint();
      await withGateway(variant, [], async ({ hello, child }) => {
        assert.equal(hello.event, 'gateway');
        assert.equal(hello.name, variant.program === native ? 'native' : 'host');
        assert.equal(hello.mode, variant.mode);
        assert.equal(hello.address, '127.0.0.1');
        assert.equal(hello.pid, child.pid);
        const bytes = variant.module && readFileSync(variant.module);
        assert.deepEqual(
          hello.module,
          bytes && {
            file: variant.module,
            sha256: createHash('sha256').update(bytes).digest('hex'),
            bytes: bytes.length,
          },
        );
        const { main, bound, compiled, instantiated, listening } = hello.phases;
        const inEngine = engineModes.includes(variant.mode);
        assert.equal(compiled !== null, inEngine);
        assert.equal(instantiated !== null, inEngine);
        const order = [main, bound, compiled, instantiated, listening].filter((at) => at !== null);
        assert.ok(order.every(Number.isInteger));
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
        assert.ok(main! > Number(started), 'on the clock that others read, too');
      });
    });

    for (const mode of [[], ['--threads', '3', '--keep-alive', 'on']]) {
      it(`serves all workloads ${mode.join(' ')}`, async () => {
        await withGateway(variant, mode, async (gateway) => {
          const hello = await gateway.ask('/');
          assert.deepEqual(
            [hello.status, hello.body, hello.headers.get('Content-Type'), hello.headers.get('Connection')],
            [200, variant.hello, 'text/plain', 'close'],
          );
          assert.equal((await gateway.ask('/?a=b')).body, variant.hello);
          for (const [query, iterations] of [
            ['', 20_000],
            ['?iters=0', 0],
            ['?iters=1', 1],
            ['?other=2&iters=123', 123],
          ] as const) {
            assert.equal((await gateway.ask(`/compute${query}`)).body, chained(iterations));
          }
          for (const before of ['0', '1', '2']) assert.equal((await gateway.ask('/state')).body, before);
          assert.equal((await gateway.ask('/health')).body, 'ok');
        });
      });
    }

    it('forwards every other path, and brings status, type and body back', async () => {
      await withGateway(variant, [], async (gateway) => {
        for (const [target, status] of [
          ['/any/path?with=query&iters=x', 200],
          ['/status/418', 418],
          ['/status/503', 503],
          ['/hello', 200],
        ] as const) {
          const reply = await gateway.ask(target);
          assert.equal(reply.status, status);
          assert.equal(reply.headers.get('Content-Type'), 'application/json');
          const expected = { url: target, method: 'GET', host: upstreamAt, connection: 'close' };
          assert.deepEqual(JSON.parse(reply.body), expected);
        }
      });
    });

    it('takes HEAD as a GET without the body', async () => {
      await withGateway(variant, [], async (gateway) => {
        for (const target of ['/', '/health', '/forwarded']) {
          const [head, get] = [await gateway.ask(target, 'HEAD'), await gateway.ask(target)];
          assert.deepEqual([head.status, head.body], [200, '']);
          assert.equal(head.headers.get('Content-Length'), String(get.body.length));
        }
      });
    });

    it('says once when the first reply was written', async () => {
      await withGateway(variant, [], async (gateway) => {
        assert.equal((await gateway.ask('/compute?iters=no')).status, 400);
        assert.equal(gateway.lines.length, 1);
        const asked = process.hrtime.bigint();
        for (let n = 0; n < 3; n++) assert.equal((await gateway.ask('/')).status, 200);
        while (gateway.lines.length < 2) await pause(5);
        const [, { event, monotonicNs } = {}] = gateway.lines;
        assert.equal(event, 'first-reply');
        assert.ok((monotonicNs as number) > Number(asked));
        assert.equal(gateway.lines.length, 2);
      });
    });

    it('keeps connections when told so, and serves what comes at once in its order', async () => {
      await withGateway(variant, ['--keep-alive', 'on'], async (gateway) => {
        const text = await gateway.raw(
          [
            'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
            'HEAD /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody',
            'GET /state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
            'GET /never HTTP/1.1\r\nHost: x\r\n\r\n',
          ].join(''),
        );
        const [hello, rest] = text.split(/(?<=hello)(?=HTTP)/);
        const [head, state] = rest!.split(/(?<=\r\n\r\n)(?=HTTP)/);
        assert.equal(repliesOf(hello!)[0]!.body, variant.hello);
        assert.equal(repliesOf(hello!)[0]!.headers.get('Connection'), 'keep-alive');
        assert.equal(repliesOf(head!, 'HEAD')[0]!.headers.get('Content-Length'), '2');
        assert.equal(repliesOf(state!)[0]!.body, '0');
        assert.equal(repliesOf(state!)[0]!.headers.get('Connection'), 'close');
        const old = repliesOf(await gateway.raw('GET /health HTTP/1.0\r\n\r\nGET /health HTTP/1.0\r\n\r\n'));
        assert.deepEqual(
          old.map(({ headers }) => headers.get('Connection')),
          ['close'],
        );
      });
    });

    it('serves many at once, and counts each of them once', async () => {
      await withGateway(variant, ['--threads', '4', '--keep-alive', 'on'], async (gateway) => {
        const clients = Array.from({ length: 24 }, async () => {
          const bodies: string[] = [];
          for (let n = 0; n < 3; n++) {
            const text = await gateway.raw(
              'GET /state HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
            );
            const [state, hello] = repliesOf(text);
            assert.equal(hello!.body, variant.hello);
            bodies.push(state!.body);
          }
          return bodies;
        });
        const counts = (await Promise.all(clients)).flat().map(Number);
        assert.deepEqual(
          counts.toSorted((a, b) => a - b),
          Array.from({ length: 72 }, (_, n) => n),
        );
        assert.deepEqual(gateway.children(), []);
      });
    });

    it('ends with its parent', async () => {
      const script = `
        const child = require('node:child_process').spawn(process.argv[1], process.argv.slice(2),
          { stdio: ['ignore', 'inherit', 'inherit'] });
        setInterval(() => {}, 1000);`;
      const parent = spawn(
        process.execPath,
        ['-e', script, '--', variant.program, '--listen', '127.0.0.1:0', ...variant.flags],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const [line] = await once(createInterface(parent.stdout), 'line');
      const { pid } = JSON.parse(line);
      assert.ok(existsSync(`/proc/${pid}`));
      parent.kill('SIGKILL');
      while (isRunning(pid)) await pause(5);
    });
  });
}

const isRunning = (pid: number | string) => {
  try {
    return !/^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describe('threads without kept connections', { skip: notBuilt }, () => {
  it('serve as many clients at once as they are', async () => {
    const variant = { program: native, flags: [] };
    await withGateway(variant, ['--threads', '2', '--timeout-ms', '60000'], async (gateway) => {
      const silent = gateway.connect();
      silent.write('GET / HT');
      assert.equal((await gateway.ask('/')).status, 200, 'the other loop is free');
      silent.write('TP/1.1\r\nHost: x\r\n\r\n');
      const [piece] = await once(silent, 'data');
      assert.equal(repliesOf(String(piece))[0]!.body, 'hello');
      silent.destroy();
    });
  });
});

describe('a child of a request', { skip: notBuilt }, () => {
  it('ends with the gateway', async () => {
    const flags = ['--mode', 'cli', '--deadline-ms', '60000', '--', 'sleep', '60'];
    const gateway = await Gateway.start(host, ...flags);
    const socket = gateway.connect();
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    while (gateway.children().length === 0) await pause(5);
    const [child] = gateway.children();
    while (readFileSync(`/proc/${child}/comm`, 'utf8') !== 'sleep\n') await pause(5);
    gateway.child.kill('SIGKILL');
    await gateway.ended;
    while (isRunning(child!)) await pause(5);
    socket.destroy();
  });

  it('gets its arguments as they are, and no shell reads them', async () => {
    const argument = '$(echo broken) `x` "q" *';
    const flags = ['--mode', 'cli', '--', 'printf', '%s|', argument, '--mode', 'x'];
    await withGateway({ program: host, flags }, [], async (gateway) => {
      assert.equal((await gateway.ask('/')).body, `${argument}|--mode|x|`);
    });
  });
});

describe('a plugin', { skip: notBuilt }, () => {
  for (const language of ['assemblyscript', 'rust']) {
    const module = prefixer.replace('prefixer-assemblyscript', `plugin-${language}`);
    const skip = existsSync(module) ? false : `the plugin in ${language} is not built`;
    it(`in ${language} is given the request`, { skip }, async () => {
      const flags = ['--module', module, '--input', 'request', '--mode', 'pool'];
      await withGateway({ program: host, flags }, [], async (gateway) => {
        const request = 'Host: a"b\\c\r\nX-One: 1\r\nx-one: \t2\r\nUser-Agent: \xe9\r\nConnection: close';
        for (const [target, route, params, path] of [
          ['/', 'home', [], '/'],
          ['/plugin', 'home', [], '/'],
          ['/plugin/users/12?x', 'user', ['12'], '/users/12'],
          ['/plugin/nothing', 'other', [], '/nothing'],
        ] as const) {
          const text = await gateway.raw(`GET ${target} HTTP/1.1\r\n${request}\r\n\r\n`);
          const [reply] = repliesOf(text);
          assert.equal(reply!.status, 200, reply!.body);
          const headers = {
            authority: 'a"b\\c',
            'x-one': '1, 2',
            agent: '\xe9',
            connection: 'close',
          };
          assert.deepEqual(JSON.parse(Buffer.from(reply!.body, 'latin1').toString()), {
            route,
            params,
            target: path,
            verb: 'GET',
            headers,
          });
        }
        assert.match((await gateway.ask('/plugins')).body, /"url":"\/plugins"/, 'which is forwarded');
      });
    });
  }
});

describe('a command line that cannot be', { skip: notBuilt }, () => {
  const refused: [string, string[], RegExp][] = [
    [native, ['--nonsense'], /'--nonsense'/],
    [native, ['stray'], /stray/],
    [native, ['--threads', '0'], /--threads is a whole number of 1 to 1024, not 0/],
    [native, ['--threads', 'x'], /--threads cannot be 'x'/],
    [native, ['--backlog', '65536'], /--backlog/],
    [native, ['--timeout-ms', '0'], /--timeout-ms/],
    [native, ['--listen', 'localhost'], /--listen cannot be 'localhost'/],
    [native, ['--upstream', '127.0.0.1'], /--upstream/],
    [native, ['--keep-alive', 'maybe'], /--keep-alive is one of off, on, not 'maybe'/],
    [native, ['--max-iters'], /--max-iters/],
    [native, ['--module', prefixer], /--module/],
    [host, [], /say which module with --module FILE/],
    [host, ['--mode', 'fast'], /--mode is one of ondemand, pre, pool/],
    [host, ['--wasi', 'none'], /--wasi is one of full, lean, not 'none'/],
    [host, ['--mode', 'cli'], /say which program after --/],
    [host, ['--mode', 'self-cli'], /say which module/],
    [host, ['--memory-mb', '4097', '--module', prefixer], /--memory-mb/],
    [host, ['--deadline-ms', '0', '--module', prefixer], /--deadline-ms/],
    [host, ['--input', 'x', '--module', prefixer], /--input/],
    [host, ['precompile', 'one'], /two files/],
    [host, ['run'], /say which module/],
    [host, ['instances', '--module', prefixer, '--mode', 'cat'], /are processes/],
  ];
  for (const [program, flags, says] of refused) {
    it(`${program.split('/').at(-1)} ${flags.join(' ').replace(prefixer, 'MODULE')}: one sentence, exit code 2`, () => {
      const { status, stdout, stderr } = spawnSync(program, flags, { encoding: 'utf8', timeout: 20_000 });
      assert.equal(status, 2, stderr);
      assert.match(stderr, says);
      assert.match(stderr, /^gateway-(native|host): [^\n]+\n$/);
      assert.equal(stdout, '');
    });
  }

  it('a program that is not there, a port that is taken: one sentence, exit code 1', async () => {
    const taken = createTcpServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    for (const [program, flags, says] of [
      [native, ['--listen', `127.0.0.1:${port}`], /cannot listen on 127\.0\.0\.1:\d+: /],
      [host, ['--listen', `127.0.0.1:${port}`, '--mode', 'cat'], /cannot listen on/],
      [
        host,
        ['--listen', '127.0.0.1:0', '--mode', 'cli', '--', 'no-such-program'],
        /no program no-such-program/,
      ],
    ] as const) {
      const { status, stderr } = spawnSync(program, flags, { encoding: 'utf8', timeout: 20_000 });
      assert.equal(status, 1, stderr);
      assert.match(stderr, says);
      assert.match(stderr, /^gateway-(native|host): [^\n]+\n$/);
    }
    taken.close();
  });

  it('--help names every flag', () => {
    for (const program of [native, host]) {
      const { status, stdout } = spawnSync(program, ['--help'], { encoding: 'utf8' });
      assert.equal(status, 0);
      assert.match(
        stdout,
        /--listen.*--upstream.*--threads.*--keep-alive.*--backlog.*--timeout-ms.*--max-iters/s,
      );
    }
  });
});

test('what instances take is said for each way that they come to be', { skip: notBuilt }, () => {
  for (const mode of ['ondemand', 'pre', 'pool']) {
    const flags = ['instances', '--module', prefixer, '--mode', mode, '--count', '50'];
    const { status, stdout, stderr } = spawnSync(host, flags, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { event, count, before, after, ...rest } = JSON.parse(stdout);
    assert.deepEqual({ event, count, rest }, { event: 'instances', count: 50, rest: { mode } });
    // Each has touched a page at least, and takes gigabytes of address space unless the pool has reserved them.
    assert.ok(after.pssBytes >= before.pssBytes + 50 * 4096);
    assert.equal(after.reservedBytes > before.reservedBytes + 50 * 2 ** 30, mode !== 'pool');
  }
});

test('a backlog is as long as it was asked for', { skip: notBuilt }, async () => {
  for (const program of [{ program: native, flags: [] }, hosted('cat', null, '')]) {
    await withGateway(program, ['--backlog', '7'], async ({ hello }) => {
      const { stdout, error } = spawnSync('ss', ['-Hltn', `sport = :${hello.port}`], { encoding: 'utf8' });
      if (error) return; // no ss here
      assert.match(stdout, /^LISTEN\s+0\s+7\s/);
    });
  }
});

test('a client that is silent is closed, and others wait no longer than that', {
  skip: notBuilt,
}, async () => {
  await withGateway({ program: native, flags: [] }, ['--timeout-ms', '100'], async (gateway) => {
    const silent = connect(gateway.hello.port, '127.0.0.1');
    silent.resume();
    const closed = once(silent, 'close');
    assert.equal((await gateway.ask('/')).body, 'hello');
    await closed;
  });
});
