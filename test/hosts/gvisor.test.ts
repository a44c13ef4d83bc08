/** A sandbox of gVisor as a host: whole runs on it, whose kernel answers, and nothing left of it however they end. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gvisor } from '../../src/hosts/gvisor.js';
import { openHost } from '../../src/hosts/registry.js';
import { RunFolder } from '../../src/results/folder.js';
import { measuredAs } from '../../src/trials/sample.js';
import { freshFolder } from '../run/fake-run.js';
import { dispatchbench } from '../support/command.js';
import { footprint, restored } from '../support/footprint.js';
import { gatewaysStartInside } from './gateways-inside.js';
import { endedRunnersLeaveNothing } from './killed-runner.js';
import { idle, planIn, ports } from './small-plans.js';

const skip = (await gvisor.unavailable()) ?? false;

for (const [experiment, settings] of [
  ['idle-connections', idle],
  ['udp-ports', { ...ports, backends: ['epoll'], ports: [2], rates: [400] }],
] as const) {
  test(`${experiment} in a sandbox: every cell, counted by the kernel there`, { skip }, async () => {
    const before = footprint();
    const out = freshFolder();
    const runs = join(out, 'runs');
    const plan = planIn(out, experiment, settings);
    const { status, stderr } = dispatchbench(
      ...['run', experiment, '--plan', plan, '--host', 'gvisor', '--out', runs],
    );
    assert.equal(status, 0, stderr);
    const folder = RunFolder.open(runs, readdirSync(runs)[0]!);
    for (const sample of folder.samples()) {
      const { host, clientHost, server, error, measurements, cell } = sample;
      assert.equal(error, null, JSON.stringify(cell));
      assert.match(host.name, /^gvisor-(systrap|ptrace)$/);
      assert.deepEqual(
        [host.executionClass, host.transport, host.hypervisor, host.accelerator],
        ['sandbox', 'veth', 'gVisor', host.name.slice('gvisor-'.length)],
      );
      assert.ok(host.clockStepNs < 1000, `the clock there steps by ${host.clockStepNs} ns`);
      assert.equal(clientHost.executionClass, 'native', 'the client is outside');
      assert.equal(server!.kernel, host.kernel);
      assert.notEqual(host.kernel, clientHost.kernel, 'the sandbox has a kernel of its own');
      assert.notDeepEqual(sample.pinning.server, sample.pinning.client);
      assert.ok(Object.keys(measurements).length > 0);
      if (experiment === 'idle-connections')
        for (const [, { after, idle: held, load }] of measuredAs(sample, 'load')) {
          assert.equal(after.connections, (held?.standing ?? 0) + load.connections);
          assert.ok(after.cpu.userUs + after.cpu.systemUs > 0, 'the CPU time is counted outside');
        }
    }
    assert.match(Object.values(folder.info().hosts)[0]!.versions.runsc ?? '', /\d/);
    await restored(before);
  });
}

gatewaysStartInside('gvisor', skip);
endedRunnersLeaveNothing('gvisor', skip);

test('a platform that does not work here is an error with what runsc said, and leaves nothing', {
  skip,
}, async () => {
  const before = footprint();
  await openHost('gvisor:systrap').then(
    (roles) => roles.close(),
    (error: Error) => assert.match(error.message, /not available here: gVisor on systrap ended with code/),
  );
  await restored(before);
});

test('an unknown platform is one sentence', async () => {
  await assert.rejects(openHost('gvisor:x'), /no platform 'x': known are systrap, ptrace, kvm/);
});

test('without runsc the host says what is missing and what to do', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    await assert.rejects(
      openHost('gvisor'),
      /no program runsc: install gVisor \(Debian: apt-get install runsc\)/,
    );
  } finally {
    process.env.PATH = path;
  }
});
