/** New versions under load: what the client makes of what it saw, and each way in which one comes to its clients. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Asked, summary } from '../../clients/update-summary.js';
import { packageRoot } from '../../src/addon.js';
import type { UpdateResult } from '../../src/contract/update.js';
import { templateOf, updatedGateways, updatedSubject } from '../../src/experiments/gateways.js';
import { foundGateways } from '../../src/gateways/parts.js';
import { Child } from '../../src/hosts/child.js';
import { commandOf } from '../../src/hosts/program.js';
import { updateLoadProgram } from '../../src/programs/update.js';
import { kindOf, metric } from '../../src/trials/registry.js';
import { carriedOut, circumstances } from './carried-out.js';
import { Gateway, native, notBuilt } from './gateway-process.js';

describe('what a client saw of exchanges', () => {
  /** Times in milliseconds, latency 1 unless it says otherwise. */
  const request = (
    at: number,
    version: number | null,
    {
      connection = 0,
      took = 1,
      failed = null,
    }: Partial<{
      connection: number;
      took: number;
      failed: Asked['failed'];
    }> = {},
  ): Asked => ({
    dueNs: at * 1e6,
    sentNs: at * 1e6,
    endNs: (at + took) * 1e6,
    connection,
    version,
    failed,
  });

  it('first and last connection, what was due meanwhile, and what failed', () => {
    const asked = [
      request(0, 0),
      request(10, 0, { connection: 1 }),
      request(101, null, { failed: 'broken' }),
      request(102, 0, { connection: 1, took: 3 }),
      request(104, 1, { took: 4 }),
      request(110, 1, { connection: 1 }),
      request(300, 1, { took: 2 }),
      request(301, null, { failed: 'timeout' }),
    ];
    const result = summary(asked, [{ version: 1, ns: 100e6 }], 50e6);
    assert.deepEqual(result.swaps, [{ version: 1, firstNs: 8e6, allNs: 11e6, failed: 1 }]);
    assert.deepEqual(result.failures, { refused: 0, broken: 1, status: 0, timeout: 1 });
    assert.deepEqual([result.requests, result.replies, result.mixed], [8, 6, 0]);
    assert.deepEqual([result.during.count, result.steady.count], [3, 3]);
    assert.equal(Math.round(result.during.max / 1e6), 4);
    assert.equal(Math.round(result.steady.max / 1e6), 2);
  });

  it('an exchange lasts until every connection had it, and ends with the next one', () => {
    const asked = [
      request(1, 1),
      request(99, 1, { connection: 1 }),
      request(150, 1),
      request(160, 2),
      request(170, 2, { connection: 1 }),
    ];
    const places = [
      { version: 1, ns: 0 },
      { version: 2, ns: 155e6 },
    ];
    assert.equal(summary(asked, places, 10e6).steady.count, 1);
    assert.equal(summary(asked, places, 1000e6).steady.count, 0);
  });

  it('an older version is mixed in only where a newer one had come before the request left', () => {
    const asked = [
      request(0, 1, { took: 10 }),
      request(5, 0, { connection: 1, took: 20 }),
      request(10, 0, { connection: 2 }),
      request(30, 1),
    ];
    assert.equal(summary(asked, [{ version: 1, ns: 0 }], 1).mixed, 1);
  });
});

const gateways = foundGateways();
const machine = { available: [], nodeBackend: 'epoll' as const, descriptorLimit: 20_000, gateways };
/** A virtual machine boots for seconds: a run measures that. */
const quick = updatedGateways().filter((name) => !name.startsWith('guest'));

describe('each way', { concurrency: quick.length }, () => {
  for (const name of quick) {
    const { command, reason } = gateways.find((one) => one.name === name)!;
    it(`${name}: every version comes to every connection`, { skip: command === null && reason }, async () => {
      // An exchange that drops one datagram in ten would hardly ever be seen in two of them.
      const swaps = name.startsWith('filter') ? 20 : 2;
      const { update } = await carriedOut({
        kind: 'update',
        subject: updatedSubject(name, machine),
        template: templateOf(name, machine),
        path: '/',
        connections: 4,
        rate: 200,
        swaps,
        restMs: name.startsWith('filter') ? 20 : 50,
        windowMs: name.startsWith('filter') ? 20 : 50,
        timeoutMs: 10_000,
      });
      assert.ok(update?.kind === 'update');
      const { requests, replies, failures, mixed, swaps: seen } = update.update;
      const failed = Object.values(failures).reduce((sum, one) => sum + one, 0);
      assert.deepEqual(
        seen.map(({ version }) => version),
        Array.from({ length: swaps }, (_, i) => i + 1),
      );
      for (const { firstNs, allNs } of seen) assert.ok(0 < firstNs && firstNs <= allNs);
      assert.equal(replies + failed, requests);
      const gates = kindOf(update).gates('update', update, null);
      assert.equal(
        gates.some(({ invalidates }) => invalidates),
        false,
      );
      // Neither an exchange in the process nor one of a filter loses anything.
      if (/^(hot|filter)_/.test(name)) {
        assert.deepEqual({ failed, mixed, gates }, { failed: 0, mixed: 0, gates: [] });
      }
      const figure = (id: Parameters<typeof metric>[0]) =>
        metric(id).of({ measurements: { update }, ...circumstances });
      assert.ok(figure('update-first')! > 0);
      assert.equal(figure('update-failed'), failed / swaps);
    });
  }
});

test('a server that does not come back ends its trial, with how it ended', { skip: notBuilt }, async () => {
  const [node = '', script = ''] = gateways.find(({ name }) => name === 'restart_node')!.command!;
  const serves = `exec ${native} --listen {address}:{port} --upstream 127.0.0.1:1 --hello v00000000`;
  const once = ['sh', '-c', `[ -e {module}.served ] && exit 3; touch {module}.served; ${serves}`];
  const listen = ['--listen', '{address}:{port}'];
  const command = [node, script, '--way', 'restart', '--module', '{module}', ...listen, '--', ...once];
  await assert.rejects(
    carriedOut({
      kind: 'update',
      subject: { ...updatedSubject('restart_node', machine), command },
      template: templateOf('restart_node', machine),
      path: '/',
      connections: 1,
      rate: 50,
      swaps: 1,
      restMs: 20,
      windowMs: 20,
      timeoutMs: 1000,
    }),
    /server ended .*its last words: .*the server ended by itself \(exit code 3\)/,
  );
});

test('requests that were due for too long have failed: no mountain of them is left to ask', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const asking = { connections: 1, rate: 1000, timeoutMs: 100, windowMs: 1, datagramBytes: 16 };
  const where = { protocol: 'http' as const, target: { host: '127.0.0.1', port }, path: '/' };
  const { script, args } = updateLoadProgram({ ...where, ...asking, cpus: [] }) as {
    script: string;
    args: string[];
  };
  const client = new Child('the client', commandOf({ script, args }));
  try {
    await client.expect('ready', 20_000);
    client.send('go');
    await pause(1000);
    client.send('close [{"version":1,"ns":0}]');
    // One after the other they would take longer than anybody waits here.
    const { requests, failures } = (await client.expect('result', 20_000)) as UpdateResult;
    assert.ok(requests >= 300, `${requests}`);
    assert.equal(failures.timeout, requests);
  } finally {
    await client.end(1000);
    silent.close();
  }
});

test('SIGQUIT: no more is accepted, a kept connection ends behind its next reply, then the gateway', {
  skip: notBuilt,
}, async () => {
  const gateway = await Gateway.start(native, '--keep-alive', 'on', '--hello', 'v00000007');
  const socket = gateway.connect();
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    received += chunk;
  });
  const ask = async (replies: number) => {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    while (received.split('v00000007').length <= replies) await once(socket, 'data');
  };
  await ask(1);
  assert.match(received, /Connection: keep-alive/);
  gateway.child.kill('SIGQUIT');
  for (;;) {
    const late = gateway.connect();
    const refused = await Promise.race([
      once(late, 'connect').then(() => false),
      once(late, 'error').then(() => true),
    ]).catch(() => true);
    late.destroy();
    if (refused) break;
  }
  await ask(2);
  assert.match(received, /Connection: close/);
  assert.equal((await gateway.ended).code, 0);
});

test('a supervisor says what it takes', () => {
  const script = join(packageRoot, 'dist/gateways/node/supervisor.js');
  const refused: [string[], RegExp][] = [
    [
      ['--way', 'pray', '--', 'true'],
      /--way must be one of restart, hand-over, nginx, reboot, container, not 'pray'/,
    ],
    [['--way', 'restart', '--module', 'x', '--', 'true'], /it takes --way, --module and --listen/],
    [['--way', 'restart', '--module', 'x', '--listen', '127.0.0.1:1'], /--way must be one of/],
    [['--way', 'restart', '--module', 'x', '--listen', 'here', '--', 'true'], /--listen/],
  ];
  for (const [args, says] of refused) {
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.equal(status, 2, stderr);
    assert.match(stderr, says);
  }
});
