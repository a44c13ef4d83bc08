/** The command itself on real servers, clients and sockets, as small as it gets. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { addonPath, packageRoot } from '../../src/addon.js';
import { runEvent } from '../../src/contract/run.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { RunFolder } from '../../src/results/folder.js';
import { measured, measuredAs } from '../../src/trials/sample.js';
import { bin, dispatchbench } from '../support/command.js';
import { freshFolder } from './fake-run.js';
import { nobodyLeft, printed, running } from './processes.js';

const available = listBackends()
  .filter((probe) => probe.available)
  .map(({ name }) => name);
const missing = listBackends().find((probe) => !probe.available)!.name;
const backends = ['select', 'poll', 'epoll', 'kqueue']
  .filter((name) => available.some((one) => one === name))
  .slice(-2);

function smallPlan(folder: string, settings: object = {}): string {
  const path = join(folder, 'plan.json');
  const plan = {
    name: 'small',
    seed: 1,
    blocks: { min: 1, max: 1 },
    experiments: [
      {
        experiment: 'idle-connections',
        settings: {
          backends,
          references: [{ impl: 'native', io: null, backend: backends[0], idle: [20] }],
          idle: [0, 20],
          connections: 4,
          closed: { warmupMs: 20, durationMs: 400 },
          open: { rate: 200, warmupMs: 20, durationMs: 400 },
          rounds: 0,
          ...settings,
        },
      },
    ],
  };
  writeFileSync(path, JSON.stringify(plan));
  return path;
}

test('two backends with and without idle connections, through real servers and clients', () => {
  const out = freshFolder();
  const { status, stdout, stderr } = dispatchbench(
    'run',
    'idle-connections',
    '--plan',
    smallPlan(out),
    '--out',
    join(out, 'runs'),
    '--json',
  );
  assert.equal(status, 0, stderr + stdout);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => runEvent.parse(JSON.parse(line)));
  const last = events.at(-1)!;
  assert.ok(last.event === 'run-end');
  assert.equal(last.reason, 'blocks');
  assert.match(readFileSync(last.report!, 'utf8'), /<html/);
  const samples = RunFolder.open(out, last.folder).samples();
  assert.equal(samples.length, 5);
  for (const sample of samples) {
    const { status, error, server, cell, network } = sample;
    // On a busy machine a gate may close; what was measured must be there all the same.
    assert.ok(status === 'ok' || status === 'invalid', `${error}`);
    assert.ok(server?.subject === 'dispatch');
    assert.equal(server.backend, cell.backend);
    assert.equal(server.impl, cell.impl);
    assert.deepEqual(Object.keys(sample.measurements), ['closed', 'open']);
    const measurements = measuredAs(sample, 'load');
    assert.equal(measurements.length, 2);
    for (const [, { load, idle, before, after }] of measurements) {
      assert.equal(idle?.seenByServer ?? 0, cell.idle);
      assert.ok(load.replies > 0);
      assert.ok(after.requests! > before.requests!);
      assert.ok(after.cpu.userUs + after.cpu.systemUs > before.cpu.userUs + before.cpu.systemUs);
      assert.equal(before.connections, Number(cell.idle) + 4);
    }
    if (process.platform === 'linux') assert.ok(network);
  }
});

const noProc = existsSync('/proc/self/cmdline') ? false : 'this system has no /proc to look for processes in';
test('kill -9 of the runner takes the real server, idle holder and client with it', {
  skip: noProc,
}, async () => {
  const out = freshFolder();
  const long = { warmupMs: 20, durationMs: 60_000 };
  const plan = smallPlan(out, { references: [], impls: ['ts', 'native'], idle: [20], closed: long });
  const children = ['dist/servers/main.js', 'dist/clients/idle.js', 'dist/clients/load.js'].map((path) =>
    resolve(packageRoot, path),
  );
  children.push(join(dirname(addonPath), 'dispatchbench-server'));
  const args = [bin, 'run', 'idle-connections', '--plan', plan, '--out', join(out, 'runs'), '--json'];
  const runner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await printed(runner, 'trial-start', 1);
  // Server, idle holder and client of the long window.
  while (running(children).length < 3) await new Promise((done) => setTimeout(done, 50));
  runner.kill('SIGKILL');
  await nobodyLeft(...children);
});

test('udp-ports takes its ports and rates from the command line, and every ledger closes', () => {
  const out = freshFolder();
  const path = join(out, 'udp.json');
  const settings = { backends, impls: ['native'], warmupMs: 20, durationMs: 150, slowDurationMs: 150 };
  const plan = { blocks: { min: 1, max: 1 }, experiments: [{ experiment: 'udp-ports', settings }] };
  writeFileSync(path, JSON.stringify(plan));
  const asked = ['--ports', '2,30', '--rates', '80,400,closed', '--seed', '1'];
  const { status, stderr } = dispatchbench('run', 'udp-ports', '--plan', path, ...asked, '--out', out);
  assert.equal(status, 0, stderr);
  const [run] = readdirSync(out).filter((name) => name !== 'udp.json');
  const samples = RunFolder.open(out, run!).samples();
  assert.equal(samples.length, backends.length * 6);
  for (const sample of samples) {
    const { cell, awake, pinning } = sample;
    assert.deepEqual(awake, cell.rate === 80 ? { cpus: pinning.server, reason: null } : null);
    const { datagrams } = measured(sample, cell.rate === null ? 'closed' : 'open', 'datagrams')!;
    assert.equal(datagrams.ports, cell.ports);
    assert.ok(datagrams.received > 0);
    assert.equal(datagrams.sent, datagrams.received + datagrams.lost);
  }
});

const refusals: [string, string[], RegExp][] = [
  ['unknown backend', ['--backends', 'epol'], /unknown backend 'epol': known are select/],
  [
    'unavailable backend',
    ['--backends', missing],
    new RegExp(`backend ${missing} is not available here: .+`),
  ],
  ['unknown experiment', [], /unknown command 'nonsense'/],
  ['bad number', ['--idle', '1,x'], /'x' is not a whole number/],
  ['unknown host', ['--host', 'moon'], /unknown host 'moon': known are local, netns/],
  ['an option of another experiment', ['--ports', '10'], /unknown option '--ports'/],
  ['a foreign server without a port', ['--server', 'cat'], /'cat' does not say where it gets its port/],
  ['bad budget', ['--budget', 'long'], /'long' is not a duration/],
  [
    'too many connections',
    ['--idle', '5000000'],
    /5000100 connections need \d+ open descriptors .* hard limit is \d+: raise it/,
  ],
  ['no such run', ['--resume', 'nowhere'], /there is no run 'nowhere'/],
  ['no such plan', ['--plan', 'nowhere.yaml'], /the plan nowhere.yaml cannot be read/],
];
for (const [name, args, expected] of refusals) {
  test(`refused in one sentence before anything runs: ${name}`, () => {
    const out = freshFolder();
    const experiment = name === 'unknown experiment' ? 'nonsense' : 'idle-connections';
    const { status, stderr, stdout } = dispatchbench('run', experiment, '--out', join(out, 'runs'), ...args);
    assert.notEqual(status, 0);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /^\s+at /m, 'no stack');
    assert.equal(stdout, '');
    assert.equal(existsSync(join(out, 'runs')), false);
  });
}

test('a cell that is impossible here leaves the others measured, and the exit code says so', () => {
  const out = freshFolder();
  mkdirSync(join(out, 'runs'));
  const plan = smallPlan(out, { backends: [backends[0], missing], references: [], idle: [0] });
  const { status, stdout, stderr } = dispatchbench(
    'run',
    'idle-connections',
    '--plan',
    plan,
    '--out',
    join(out, 'runs'),
  );
  assert.equal(status, 3, stderr);
  assert.match(stdout, /Report: .*report\.html/);
  assert.match(stderr, new RegExp(`note: backend ${missing} is not available here`));
  const samples = RunFolder.open(join(out, 'runs'), readdirSync(join(out, 'runs'))[0]!).samples();
  assert.deepEqual(samples.map((one) => one.status === 'impossible').sort(), [false, true]);
});

test('resuming with other options is refused', () => {
  const out = freshFolder();
  const runs = join(out, 'runs');
  const plan = smallPlan(out, { references: [], backends: [backends[0]], idle: [0] });
  assert.equal(dispatchbench('run', 'idle-connections', '--plan', plan, '--out', runs, '--quiet').status, 0);
  const [name] = readdirSync(runs) as [string];
  const other = dispatchbench('run', 'idle-connections', '--resume', name, '--out', runs, '--idle', '7');
  assert.equal(other.status, 1);
  assert.match(
    other.stderr,
    /cannot be resumed with another plan: its experiments are not those asked for now/,
  );
  const same = dispatchbench('run', 'idle-connections', '--resume', name, '--out', runs);
  assert.equal(same.status, 0, same.stderr);
  assert.match(same.stderr, /1 sample kept/);

  const record = join(runs, name, 'run.json');
  const info = JSON.parse(readFileSync(record, 'utf8'));
  writeFileSync(record, JSON.stringify({ ...info, argv: ['ab', ...info.argv] }));
  const pairs = dispatchbench('run', 'idle-connections', '--resume', name, '--out', runs);
  assert.equal(pairs.status, 1);
  assert.match(pairs.stderr, /cannot be taken up again: start 'dispatchbench ab' anew/);
});
