/** This machine with a Docker daemon at hand: gateways as containers, counted by their control group, and nothing left. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { machineOf } from '../../src/experiments/experiment.js';
import { templateOf, updatedSubject } from '../../src/experiments/gateways.js';
import { runtimeCommand } from '../../src/experiments/runtimes.js';
import { containers } from '../../src/hosts/containers.js';
import { whereIs } from '../../src/hosts/where-is.js';
import { RunFolder } from '../../src/results/folder.js';
import { measured } from '../../src/trials/sample.js';
import { carriedOutOn } from '../gateways/carried-out.js';
import { freshFolder } from '../run/fake-run.js';
import { dispatchbench } from '../support/command.js';
import { footprint, restored } from '../support/footprint.js';
import { killedOpenersLeaveNothing } from './killed-runner.js';
import { planIn } from './small-plans.js';

const reason = await containers.unavailable();
const skip = reason ?? (process.getuid?.() === 0 ? false : 'footprints are read as root');

const sandboxed = whereIs('runsc') ? ['native_gvisor'] : [];
const names = ['native_local', 'native_docker', 'native_docker_bridge', ...sandboxed];
const noSandbox = sandboxed.length === 0 && 'there is no program runsc';

function samplesOf(experiment: string, settings: object) {
  const out = freshFolder();
  const runs = join(out, 'runs');
  const plan = planIn(out, experiment, { gateways: names, ...settings });
  const { status, stderr } = dispatchbench(
    ...['run', experiment, '--plan', plan, '--host', 'containers', '--out', runs],
  );
  assert.equal(status, 0, stderr);
  const samples = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
  assert.deepEqual([...new Set(samples.map(({ cell }) => cell.impl))].sort(), [...names].sort());
  for (const { error, host, cell } of samples) {
    assert.equal(error, null, `${cell.impl}`);
    assert.deepEqual([host.name, host.executionClass, host.transport], ['containers', 'native', 'loopback']);
  }
  return samples;
}

test('a container starts with its gateway, and tells its phases', { skip }, async () => {
  const before = footprint();
  for (const sample of samplesOf('gateway-cold-start', { askings: ['steadily'], port: 18_081 })) {
    const start = measured(sample, 'start', 'start')!;
    // The clock of a sandbox is its own.
    const told =
      start.phases && start.phases.exec < start.phases.main && start.phases.main < start.firstReplyNs;
    assert.equal(told, sample.cell.impl === 'native_gvisor' ? undefined : true);
  }
  await restored(before);
});

test('CPU and memory are those of the gateway in the container', { skip }, async () => {
  const settings = { connections: 8, warmupMs: 0, durationMs: 1000, timeoutMs: 5000 };
  for (const sample of samplesOf('gateway-resources', settings)) {
    const { before, after, wrk } = measured(sample, 'closed', 'wrk')!;
    const cpuUs = after.cpu.userUs + after.cpu.systemUs - before.cpu.userUs - before.cpu.systemUs;
    // Docker's own command does nothing meanwhile: less than a microsecond a request would be that of nobody.
    assert.ok(wrk.requests > 100 && cpuUs / wrk.requests > 1, `${sample.cell.impl}: ${cpuUs} µs`);
    assert.ok(after.tree!.pssBytes! > 200_000, `${sample.cell.impl}: ${after.tree!.pssBytes} bytes`);
  }
});

test('a container is run again of each new version, and one more of them takes memory', {
  skip,
}, async () => {
  const before = footprint();
  const roles = await containers.open(null);
  try {
    const machine = machineOf(roles.server.look);
    const name = 'restart_container';
    const { update } = await carriedOutOn(roles, {
      kind: 'update',
      subject: updatedSubject(name, machine),
      template: templateOf(name, machine),
      path: '/',
      connections: 4,
      rate: 200,
      swaps: 2,
      restMs: 50,
      windowMs: 50,
      timeoutMs: 10_000,
    });
    assert.ok(update?.kind === 'update');
    const { requests, replies, failures, swaps } = update.update;
    assert.deepEqual(
      swaps.map(({ version }) => version),
      [1, 2],
    );
    assert.equal(replies + Object.values(failures).reduce((sum, one) => sum + one, 0), requests);

    const { module: _, ...command } = runtimeCommand('container', 'instances', machine);
    const { instances } = await carriedOutOn(roles, { kind: 'instances', ...command, count: 3 });
    assert.ok(instances?.kind === 'instances');
    const { mode, count, before: one, after: all } = instances.instances;
    assert.deepEqual([mode, count], ['container', 3]);
    // The daemon is there before the first of them; each has a process of its own in the container, and one around it.
    assert.ok(
      one.pssBytes > 2 ** 20 && all.pssBytes - one.pssBytes > 3 * 2 ** 20,
      JSON.stringify([one, all]),
    );
  } finally {
    await roles.close();
  }
  await restored(before);
});

test('a network of its own reaches no upstream, and says so', { skip: skip || noSandbox }, () => {
  const out = freshFolder();
  const settings = {
    gateways: ['native_gvisor'],
    workloads: ['proxy'],
    clients: ['wrk'],
    connections: [1],
    warmupMs: 0,
    durationMs: 1000,
    timeoutMs: 1000,
    spawns: 1,
  };
  const plan = planIn(out, 'gateway-throughput', settings);
  const { status, stderr } = dispatchbench(
    ...['run', 'gateway-throughput', '--plan', plan, '--host', 'containers', '--out', join(out, 'runs')],
  );
  assert.notEqual(status, 0);
  assert.match(stderr, /network of its own, from which the upstream of this machine is not reached/);
});

killedOpenersLeaveNothing('containers', skip, [400, 1500]);
