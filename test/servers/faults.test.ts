/** Limits and faults: what cannot be had is refused in one sentence; what breaks does not take the server along. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { type Hello, hello } from '../../src/contract/server.js';
import { commandOf } from '../../src/hosts/program.js';
import { serverProgram } from '../../src/programs/server.js';
import { ServerProcess } from '../support/server-process.js';
import { connected, eventually, exchange, roundTrip } from './client.js';
import { engineKinds, type Kind, kinds, nameOf, oneOfEach, withServer } from './table.js';

const cli = resolve(packageRoot, 'bin/dispatchbench.js');

async function outcome(
  command: string,
  args: readonly string[],
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

const absent = process.platform === 'linux' ? 'kqueue' : 'epoll';

const refusedOptions: [args: string[], says: RegExp][] = [
  [['--backend', 'epol'], /unknown backend 'epol': this system has .*poll/],
  [['--backend', absent], new RegExp(`backend '${absent}' is not available here: `)],
  [['--backend', 'poll', '--address', '0.0.0.0'], /not loopback: give --expose/],
  [['--backend', 'poll', '--address', 'localhost'], /numeric|not loopback/],
  [['--backend', 'poll', '--port', '70000'], /65535/],
  [['--backend', 'poll', '--cpu', '999'], /--cpu|CPU affinity/],
];

for (const impl of ['native', 'ts', 'ts io=native'] as const) {
  test(`options that cannot be met: ${impl}`, async () => {
    const io = impl === 'ts io=native' ? 'native' : undefined;
    for (const [args, says] of refusedOptions) {
      const { command, args: base } = commandOf(
        serverProgram({
          impl: impl === 'native' ? 'native' : 'ts',
          io,
          protocol: 'http',
          backend: 'poll',
        }),
      );
      const { code, stderr } = await outcome(command, [...base, ...args]);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, says);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
  });
}

test('a busy port is named by every implementation', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  for (const kind of [...oneOfEach, ...onEngines]) {
    const { command, args } = commandOf(serverProgram({ ...kind, protocol: 'http', port }));
    const { code, stderr } = await outcome(command, args);
    assert.equal(code, 1, nameOf(kind));
    assert.match(stderr, new RegExp(`port ${port} is in use`), nameOf(kind));
  }
  holder.close();
});

test('a program says what it is called when it refuses', async () => {
  for (const impl of ['native', 'baseline'] as const) {
    const { command, args } = commandOf(serverProgram({ impl, protocol: 'http', backend: 'devpoll' }));
    const { stderr } = await outcome(command, args);
    assert.match(stderr, new RegExp(`^${basename(command)}: `));
  }
});

test('the serve command passes refusals on', async () => {
  const { code, stderr } = await outcome(process.execPath, [cli, 'serve', 'http', '--backend', 'nonsense']);
  assert.equal(code, 1);
  assert.match(stderr, /unknown backend 'nonsense'/);
});

const manyConnections = (kind: Kind) => kind.impl !== 'libuv' && kind.backend !== 'select-posix';

/** Of each engine: native, in TypeScript, and with direct descriptors. */
const onEngines = engineKinds.filter(
  ({ io, engineOptions = '' }) => io !== 'native' && ['', 'direct,incremental'].includes(engineOptions),
);

for (const kind of [...kinds.filter(manyConnections), ...onEngines]) {
  test(`2100 connections, all alive: ${nameOf(kind)}`, async () => {
    await withServer(kind, 'tcp-echo', async (port, server) => {
      const standing = await Promise.all(Array.from({ length: 2100 }, () => connected(port)));
      for (const socket of [standing[0]!, standing[1050]!, standing[2099]!]) {
        assert.equal((await roundTrip(socket, Buffer.from('still here'))).toString(), 'still here');
      }
      const { connections } = await eventually(
        () => server.snapshot(),
        (snapshot) => snapshot.connections === 2100,
      );
      assert.equal(connections, 2100);
      for (const socket of standing) socket.destroy();
      const after = await eventually(
        () => server.snapshot(),
        (snapshot) => snapshot.connections === 0,
      );
      assert.equal(after.connections, 0);
    });
  });
}

const posix = kinds.filter(({ backend }) => backend === 'select-posix');
for (const kind of posix) {
  test(`beyond 1024 connections are refused, counted and explained: ${nameOf(kind)}`, async () => {
    await withServer(kind, 'tcp-echo', async (port, server) => {
      let stderr = '';
      server.child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      const sockets = await Promise.all(Array.from({ length: 1100 }, () => connected(port)));
      for (const socket of sockets) socket.on('error', () => {});
      const { accepted, rejected } = await eventually(
        () => server.snapshot(),
        (snapshot) => snapshot.accepted + snapshot.rejected === 1100,
      );
      assert.equal(accepted + rejected, 1100);
      assert.ok(accepted < 1024 && accepted > 950, `${accepted} accepted`);
      assert.match(stderr, /select-posix cannot watch descriptors beyond 1023/);
      assert.equal(stderr.trim().split('\n').length, 1);
      for (const socket of sockets) socket.destroy();
    });
  });
}

for (const kind of [...oneOfEach.filter(({ impl }) => impl !== 'libuv'), ...onEngines]) {
  test(`out of descriptors: turns connections away without spinning: ${nameOf(kind)}`, async () => {
    const { command, args } = commandOf(serverProgram({ ...kind, protocol: 'tcp-echo' }));
    const server = new ServerProcess('prlimit', ['--nofile=64', command, ...args]);
    const { port } = await server.hello();
    const sockets = await Promise.all(Array.from({ length: 100 }, () => connected(port)));
    for (const socket of sockets) socket.on('error', () => {});
    const before = await eventually(
      () => server.snapshot(),
      (snapshot) => snapshot.accepted + snapshot.rejected >= 100,
    );
    assert.equal(before.accepted + before.rejected, 100);
    assert.ok(before.rejected > 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const after = await server.snapshot();
    const waits = (snapshot: typeof after) => snapshot.eventsPerWait!.reduce((sum, n) => sum + n, 0);
    assert.ok(waits(after) - waits(before) < 20, `${waits(after) - waits(before)} waits in 100 quiet ms`);
    for (const socket of sockets) socket.destroy();
    await server.stop();
  });
}

test('out of descriptors: libuv refuses without counting, and the server says so once', async () => {
  const kind = oneOfEach.find(({ impl }) => impl === 'libuv')!;
  const { command, args } = commandOf(serverProgram({ ...kind, protocol: 'tcp-echo' }));
  const server = new ServerProcess('prlimit', ['--nofile=64', command, ...args]);
  const { port } = await server.hello();
  const said = once(server.child.stderr, 'data');
  const sockets = await Promise.all(Array.from({ length: 100 }, () => connected(port)));
  for (const socket of sockets) socket.on('error', () => {});
  assert.match(String(await said), /^dispatchbench: no descriptor is left .*\n$/);
  for (const socket of sockets) socket.destroy();
  await server.stop();
});

// The baseline has no such policy.
for (const kind of [...oneOfEach.filter(({ impl }) => impl !== 'baseline'), ...onEngines]) {
  test(`--max-connections: ${nameOf(kind)}`, async () => {
    await withServer(
      kind,
      'tcp-echo',
      async (port, server) => {
        const first = await connected(port);
        await roundTrip(first, Buffer.from('x'));
        const { ended } = await exchange(port, []);
        assert.equal(ended, 'end');
        assert.equal((await server.snapshot()).rejected, 1);
        first.destroy();
      },
      { maxConnections: 1 },
    );
  });
}

test('a server ends with its control channel', async () => {
  for (const kind of [...oneOfEach, ...onEngines]) {
    await withServer(kind, 'http', async (_port, server) => {
      server.child.stdin.end();
      assert.equal((await server.farewell()).reason, 'end-of-control', nameOf(kind));
    });
  }
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('a server does not outlive a serve command that is killed', async () => {
  for (const impl of ['native', 'ts', 'libuv']) {
    const parent = spawn(
      process.execPath,
      [cli, 'serve', 'http', '--backend', oneOfEach[0]!.backend, '--impl', impl],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const { pid }: Hello = hello.parse(JSON.parse(line));
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    assert.equal(
      await eventually(
        async () => isAlive(pid),
        (alive) => !alive,
      ),
      false,
      impl,
    );
  }
});

test('the serve command hands SIGTERM on and prints the farewell', async () => {
  const parent = spawn(process.execPath, [
    cli,
    'serve',
    'http',
    '--backend',
    oneOfEach[0]!.backend,
    '--impl',
    'native',
  ]);
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
  assert.equal(JSON.parse((await lines.next()).value).event, 'hello');
  parent.kill('SIGTERM');
  assert.equal(JSON.parse((await lines.next()).value).event, 'farewell');
  const [code] = await once(parent, 'close');
  assert.equal(code, 0);
});
