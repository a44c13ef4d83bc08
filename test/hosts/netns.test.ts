/** Two network namespaces and a veth pair as a host: whole runs on it, and nothing left of it however they end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHost } from '../../src/hosts/registry.js';
import { RunFolder } from '../../src/results/folder.js';
import { measuredAs } from '../../src/trials/sample.js';
import { freshFolder } from '../run/fake-run.js';
import { printed } from '../run/processes.js';
import { bin, dispatchbench } from '../support/command.js';
import { interfaces, leftOver, namespaces, noNamespaces } from '../support/namespaces.js';
import { idle, planIn, ports } from './small-plans.js';

const skip = noNamespaces;

for (const [experiment, settings, cells] of [
  ['idle-connections', idle, 8],
  ['udp-ports', ports, 16],
] as const) {
  test(`run ${experiment} --host netns measures every cell across the pair`, { skip }, async () => {
    const before = { namespaces: namespaces(), interfaces: interfaces() };
    const out = freshFolder();
    const runs = join(out, 'runs');
    const plan = planIn(out, experiment, settings);
    const { status, stderr, stdout } = dispatchbench(
      ...['run', experiment, '--plan', plan, '--host', 'netns', '--out', runs],
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /Report: .*report\.html/);
    const folder = RunFolder.open(runs, readdirSync(runs)[0]!);
    const samples = folder.samples();
    assert.equal(samples.length, cells);
    for (const { host, clientHost, server, error, network, measurements } of samples) {
      assert.deepEqual([host.name, host.transport, clientHost.transport], ['netns', 'veth', 'veth']);
      assert.equal(error, null);
      assert.equal(server?.address, '198.18.0.1');
      assert.ok(Object.keys(measurements).length > 0);
      assert.ok(network?.client, 'each side has a network of its own, and counters of its own');
    }
    assert.deepEqual(Object.keys(folder.info().hosts), ['netns']);
    assert.deepEqual(await leftOver(before.namespaces), []);
    assert.deepEqual(interfaces(), before.interfaces);
  });
}

test('one plan on two hosts gives a row for each', { skip }, () => {
  const out = freshFolder();
  const runs = join(out, 'runs');
  const plan = planIn(out, 'idle-connections', {
    ...idle,
    backends: ['epoll'],
    impls: ['native'],
    idle: [5],
  });
  const { status, stderr } = dispatchbench(
    ...['run', 'idle-connections', '--plan', plan, '--host', 'local,netns', '--out', runs],
  );
  assert.equal(status, 0, stderr);
  const samples = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
  assert.deepEqual(samples.map(({ host }) => host.name).sort(), ['local', 'netns']);
  assert.ok(samples.every((one) => measuredAs(one, 'load').length === 2));
});

test('kill -9 of the runner leaves no process, namespace or interface', { skip }, async () => {
  const before = { namespaces: namespaces(), interfaces: interfaces() };
  const out = freshFolder();
  const long = { ...idle, closed: { warmupMs: 20, durationMs: 60_000 } };
  const plan = planIn(out, 'idle-connections', long);
  const args = ['run', 'idle-connections', '--plan', plan, '--host', 'netns', '--out', out, '--json'];
  const runner = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  await printed(runner, 'trial-start', 1);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal([...namespaces()].filter((one) => !before.namespaces.has(one)).length, 2);
  runner.kill('SIGKILL');
  assert.deepEqual(await leftOver(before.namespaces), []);
  assert.deepEqual(interfaces(), before.interfaces);
});

test('a host that takes no argument says so', async () => {
  await assert.rejects(openHost('netns:x'), /'x' describes no link/);
  await assert.rejects(openHost('local:x'), /the host 'local' takes no argument/);
});
