/** The client programs and commands: their lines, their control channel, and how they refuse. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { addon, packageRoot } from '../../src/addon.js';
import { idleStatus } from '../../src/contract/idle.js';
import { loadLine, loadResult } from '../../src/contract/load.js';
import { clientBackend } from '../../src/dispatch/registry.js';
import { commandOf } from '../../src/hosts/program.js';
import { descriptorLimit } from '../../src/process.js';
import { idleProgram, idlePrograms } from '../../src/programs/idle.js';
import { loadProgram } from '../../src/programs/load.js';
import { knownServer, nativeServer, patienceMs, start } from './programs.js';

const target = (port: number) => ({ host: '127.0.0.1', port });

/** Runs a command to its end. */
async function finish(command: string, args: string[], stdin = '') {
  const child = spawn(command, args);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { ...output, code };
}

const dispatchbench = (...args: string[]) =>
  finish(process.execPath, [resolve(packageRoot, 'bin/dispatchbench.js'), ...args]);

const shortLoad = { protocol: 'http', connections: 3, rate: 500, durationS: 0.2, warmupS: 0.1 } as const;

test('load client: waits for go, prints its lines in order at their instants', async (t) => {
  const { child: server, port } = await nativeServer(t, 'http');
  const client = start(t, 'load', loadProgram({ ...shortLoad, target: target(port) }));
  const connected = loadLine.parse(await client.expect('connected', patienceMs));
  assert.equal(connected.event === 'connected' && connected.connections, 3);
  await sleep(150);
  const sent = process.hrtime.bigint();
  client.send('go');
  const [first, last] = await Promise.all([
    client.expect('window-start', patienceMs),
    client.expect('window-end', patienceMs),
  ]);
  const begins = (first as { monotonicNs: number }).monotonicNs;
  assert.ok(begins >= Number(sent) + 0.1e9, 'the window begins after go and the warm-up');
  assert.equal((last as { monotonicNs: number }).monotonicNs - begins, 0.2e9);
  await sleep(150);
  server.send('snapshot s');
  const { connections } = (await server.expect('snapshot', patienceMs)) as { connections: number };
  assert.equal(connections, 3, 'they stand until they may close');
  client.send('close');
  const result = loadResult.parse(await client.expect('result', patienceMs));
  assert.equal(result.latency.count, 100);
});

test('load client: ends when its control channel does', async (t) => {
  const { port } = await nativeServer(t, 'http');
  const { command, args } = commandOf(loadProgram({ ...shortLoad, durationS: 600, target: target(port) }));
  const { code, stdout } = await finish(command, args, 'go\n');
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /result/);
});

test('idle holder: all stand, the server sees them, status on request, farewell on stop', async (t) => {
  const { child: server, port } = await nativeServer(t, 'tcp-echo');
  const holder = start(t, 'idle', idleProgram({ target: target(port), connections: 300 }));
  const standing = idleStatus.parse(await holder.expect('standing', patienceMs));
  assert.deepEqual([standing.asked, standing.standing, standing.reconnects], [300, 300, 0]);
  assert.ok(standing.elapsedNs! > 0);
  // The last may still wait in the listen queue when the client's end stands.
  for (let connections = 0; connections !== 300; await sleep(10)) {
    server.send('snapshot s');
    ({ connections } = (await server.expect('snapshot', 5000)) as { connections: number });
    assert.ok(connections <= 300);
  }
  holder.send('status');
  assert.equal(idleStatus.parse(await holder.expect('status', patienceMs)).standing, 300);
  holder.send('stop');
  assert.equal(idleStatus.parse(await holder.expect('farewell', patienceMs)).standing, 300);
});

test('idle holder: opens again what the server ends, and counts it', async (t) => {
  const { port } = await knownServer(t, { fault: 'hang-up-idle' });
  const holder = start(t, 'idle', idleProgram({ target: target(port), connections: 30 }));
  await holder.expect('standing', patienceMs);
  for (;;) {
    holder.send('status');
    const status = idleStatus.parse(await holder.expect('status', patienceMs));
    if (status.reconnects === 20 && status.standing === 30) break;
    assert.ok(status.reconnects <= 20, `${status.reconnects} reconnects of 20`);
    await sleep(20);
  }
});

test('idle holder: farewell when its control channel ends', async (t) => {
  const { port } = await nativeServer(t, 'tcp-echo');
  const { command, args } = commandOf(idleProgram({ target: target(port), connections: 10 }));
  const child = spawn(command, args);
  let stdout = '';
  child.stdout.on('data', (data) => {
    stdout += data;
    if (stdout.includes('standing')) child.stdin.end();
  });
  assert.equal(await new Promise((done) => child.on('close', done)), 0);
  assert.match(stdout, /"event":"farewell"/);
});

test('idle holders: several processes with sources of their own hold what one is asked for', async (t) => {
  const { port } = await nativeServer(t, 'tcp-echo');
  const shares = idlePrograms({ target: target(port), connections: 60 }, () => [
    { connections: 20, sources: ['127.0.0.2'] },
    { connections: 40, sources: ['127.0.0.3', '127.0.0.4'] },
  ]);
  const skip = process.platform === 'linux' ? null : 'only Linux answers on all of 127.0.0.0/8';
  if (skip) return t.skip(skip);
  for (const { program, connections } of shares) {
    const line = await start(t, 'idle', program).expect('standing', patienceMs);
    assert.equal(idleStatus.parse(line).standing, connections);
  }
});

test('dispatchbench idle: says what stands, what the server sees, and what became of it', async (t) => {
  const { port } = await nativeServer(t, 'tcp-echo');
  const shared = ['--target', `127.0.0.1:${port}`, '--connections', '50', '--duration', '300ms'];
  const text = await dispatchbench('idle', ...shared);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /50 of 50 connections stand after .* held by 1 process/);
  const json = await dispatchbench('idle', ...shared, '--json');
  const [standing, farewell] = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([standing.event, farewell.event], ['standing', 'farewell']);
  if (process.platform === 'linux')
    assert.ok(standing.acceptedByServer <= 50 && standing.acceptedByServer >= 0);
});

test('dispatchbench load: table and JSON tell the same load', async (t) => {
  const { port } = await nativeServer(t, 'tcp-echo');
  const shared = ['--target', `127.0.0.1:${port}`, '--connections', '4', '--rate', '500'];
  const time = ['--duration', '200ms', '--warmup', '0s'];
  const text = await dispatchbench('load', 'tcp-echo', ...shared, ...time);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /500\.0 per second were due \(100\)/);
  assert.match(text.stdout, /latency from due time/);
  const json = await dispatchbench('load', 'tcp-echo', ...shared, ...time, '--json');
  assert.equal(loadResult.parse(JSON.parse(json.stdout)).requests, 100);
});

const load = ['load', 'http', '--target', '127.0.0.1:1', '--connections', '1', '--duration', '1s'];
const beyond = `${descriptorLimit().hard + 1}`;
const refusals: [string, string[], RegExp][] = [
  ['nobody listens', [...load, '--closed'], /0 of 1 connections .*ECONNREFUSED.*start the server/],
  ['nobody listens, and no way to load named', load, /0 of 1 connections .*ECONNREFUSED/],
  ['two ways to load', [...load, '--closed', '--rate', '5'], /cannot be used with/],
  ['a rate of nothing', [...load, '--rate', '0'], /'0' is not a number above 0/],
  [
    'half a connection',
    ['idle', '--target', '127.0.0.1:1', '--connections', '0.5'],
    /'0.5' is not a whole number/,
  ],
  ['no unit', [...load.slice(0, -1), '5', '--closed'], /'5' is not a duration/],
  ['no port', ['idle', '--target', '127.0.0.1', '--connections', '1'], /is not HOST:PORT/],
  ['another protocol', ['load', 'smtp', ...load.slice(2), '--closed'], /tcp-echo, http/],
  [
    'more connections than descriptors',
    ['load', 'http', '--target', '127.0.0.1:1', '--connections', beyond, '--duration', '1s', '--closed'],
    /descriptors, and this process may open \d+: raise the hard limit/,
  ],
  ['idle: nobody listens', ['idle', '--target', '127.0.0.1:1', '--connections', '3'], /ECONNREFUSED/],
];

for (const [name, args, message] of refusals) {
  test(`refused: ${name}`, async () => {
    const { code, stderr } = await dispatchbench(...args);
    assert.equal(code, 1);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack');
  });
}

test('addon: an environment that ends takes its load and its connections with it', async (t) => {
  const { child: server, port } = await nativeServer(t, 'tcp-echo');
  const worker = new Worker(new URL('worker-child.js', import.meta.url), { workerData: { port } });
  const standing = once(worker, 'message');
  const ended = once(worker, 'exit');
  await standing;
  worker.terminate();
  await ended;
  for (let connections = -1; connections !== 0; await sleep(10)) {
    server.send('snapshot s');
    ({ connections } = (await server.expect('snapshot', 5000)) as { connections: number });
  }
});

test('addon: a wrong configuration is a typed error and starts nothing', () => {
  const native = addon<Record<string, (...args: unknown[]) => unknown>>();
  const idle = {
    backend: clientBackend,
    host: '127.0.0.1',
    port: 9,
    sources: [],
    connections: 1,
    connectTimeoutNs: 1e9,
  };
  const wrong: [unknown, string][] = [
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    ['epoll', 'ERR_INVALID_ARG_TYPE'],
    [{ ...idle, backend: 'warp' }, 'ERR_UNKNOWN_BACKEND'],
    [{ ...idle, backend: 'evport' }, 'ERR_BACKEND_UNAVAILABLE'],
    [{ ...idle, host: 'localhost' }, 'ERR_INVALID_ADDRESS'],
    [{ ...idle, port: 70_000 }, 'ERR_OUT_OF_RANGE'],
    [{ ...idle, port: '80' }, 'ERR_INVALID_ARG_TYPE'],
    [{ ...idle, connections: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ ...idle, connections: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ ...idle, sources: [7] }, 'ERR_INVALID_ARG_TYPE'],
    [{ ...idle, sources: ['x'] }, 'ERR_INVALID_ADDRESS'],
  ];
  for (const [config, code] of wrong)
    assert.throws(() => native.idleStart!(config), { code }, JSON.stringify(config));
  for (const [config] of wrong.slice(0, 6)) assert.throws(() => native.loadStart!(config));
  assert.throws(() => native.loadState!(99), { code: 'ERR_CLOSED_HANDLE' });
  assert.throws(() => native.idleState!('x'), { code: 'ERR_INVALID_ARG_TYPE' });
});
