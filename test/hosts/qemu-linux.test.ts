/** A Linux guest of QEMU as a host: whole runs on it, and nothing left of it however they, or it, end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readGuest } from '../../src/hosts/guest-file.js';
import { bootLinux } from '../../src/hosts/linux-guest.js';
import { ownFilesInstallation } from '../../src/hosts/own-files.js';
import { qemuProgram } from '../../src/hosts/qemu.js';
import { guestNetwork, imageParts, qemuLinux } from '../../src/hosts/qemu-linux.js';
import { openHost } from '../../src/hosts/registry.js';
import { wireAddresses, wirePrefix } from '../../src/hosts/wire.js';
import { RunFolder } from '../../src/results/folder.js';
import { measuredAs } from '../../src/trials/sample.js';
import { freshFolder } from '../run/fake-run.js';
import { ended, printed } from '../run/processes.js';
import { bin, dispatchbench } from '../support/command.js';
import { footprint, restored } from '../support/footprint.js';
import { ownCommandLines } from '../support/own-processes.js';
import { gatewaysStartInside } from './gateways-inside.js';
import { endedRunnersLeaveNothing, killedOpenersLeaveNothing } from './killed-runner.js';
import { idle, planIn, ports } from './small-plans.js';

const skip = (await qemuLinux.unavailable()) ?? false;

/** Emulation is what every machine has. */
const host = 'qemu-linux:tcg';

for (const [experiment, settings] of [
  ['idle-connections', idle],
  ['udp-ports', { ...ports, backends: ['epoll'], ports: [2], rates: [400] }],
] as const) {
  test(`${experiment} in a guest: every cell, with the CPU time of both sides`, { skip }, async () => {
    const before = footprint();
    const out = freshFolder();
    const runs = join(out, 'runs');
    const plan = planIn(out, experiment, settings);
    const { status, stderr } = dispatchbench(
      ...['run', experiment, '--plan', plan, '--host', host, '--out', runs],
    );
    assert.equal(status, 0, stderr);
    const folder = RunFolder.open(runs, readdirSync(runs)[0]!);
    const samples = folder.samples();
    assert.ok(samples.length > 0);
    for (const sample of samples) {
      const { host, clientHost, server, error, measurements, cell } = sample;
      assert.equal(error, null, JSON.stringify(cell));
      assert.deepEqual(
        [host.name, host.executionClass, host.transport, host.accelerator, host.vcpus, host.clockSource],
        ['qemu-linux-tcg', 'emulated', 'tap', 'tcg', 1, 'tsc'],
      );
      assert.match(host.hypervisor ?? '', /^QEMU \d/);
      assert.ok(host.clockStepNs <= 1000, `the clock there steps by ${host.clockStepNs} ns`);
      assert.deepEqual(
        [clientHost.executionClass, clientHost.transport],
        ['native', 'tap'],
        'the client is outside',
      );
      assert.equal(server!.kernel, host.kernel);
      assert.notEqual(host.kernel, clientHost.kernel, 'the guest has a kernel of its own');
      assert.ok(Object.keys(measurements).length > 0);
      if (experiment !== 'idle-connections') continue;
      for (const [, { before, after, idle: held, load }] of measuredAs(sample, 'load')) {
        assert.equal(after.connections, (held?.standing ?? 0) + load.connections);
        assert.ok(after.cpu.userUs + after.cpu.systemUs > 0, 'counted by the guest');
        const [from, to] = [before.carrierCpu!, after.carrierCpu!];
        assert.ok(to.userUs + to.systemUs > from.userUs + from.systemUs, 'counted outside');
      }
    }
    const { versions, environment } = Object.values(folder.info().hosts)[0]!;
    assert.match(versions.qemu ?? '', /^\d/);
    assert.match(versions.image ?? '', /^[0-9a-f]{16}$/);
    assert.equal(environment.descriptorLimit.hard, readGuest('linux').descriptorLimit);
    await restored(before);
  });
}

gatewaysStartInside(host, skip);
endedRunnersLeaveNothing(host, skip);
killedOpenersLeaveNothing(host, skip, [300, 1000, 2500]);

/** Ends the machines that this test file has running. */
function killGuests(): number {
  const guests = ownCommandLines().filter(({ words }) => words[0] === qemuProgram);
  for (const { pid } of guests) process.kill(pid, 'SIGKILL');
  return guests.length;
}

test('a guest that is killed fails its trial with the reason, and the next trial has a new one', {
  skip,
}, async () => {
  const before = footprint();
  const out = freshFolder();
  const runs = join(out, 'runs');
  const settings = { ...idle, backends: ['epoll'], impls: ['native'] };
  const plan = planIn(out, 'idle-connections', {
    ...settings,
    closed: { warmupMs: 20, durationMs: 3000 },
  });
  const args = ['run', 'idle-connections', '--plan', plan, '--host', host, '--out', runs, '--json'];
  const runner = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  await printed(runner, 'trial-start', 1);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const over = ended(runner);
  assert.equal(killGuests(), 1);
  assert.equal(await over, 3, 'a trial failed');
  const [failed, good] = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
  assert.match(failed!.error ?? '', /was lost: the guest under TCG was killed by SIGKILL/);
  assert.equal(failed!.status, 'failed');
  assert.equal(good!.error, null);
  assert.ok(measuredAs(good!, 'load').length > 0);
  await restored(before);
});

test('who takes all memory of a guest is ended with the reason, who fills its disk is told, and nobody else minds', {
  skip,
}, async () => {
  const before = footprint();
  const hog = 'const kept = []; for (;;) kept.push(Buffer.alloc(16 << 20, 1));';
  const writer = [
    "const fs = require('node:fs'); const file = fs.openSync('/tmp/full', 'w');",
    'try { for (;;) fs.writeSync(file, Buffer.alloc(1 << 20)); }',
    "catch ({ code }) { console.log(JSON.stringify({ event: 'full', code })); }",
  ].join(' ');
  const roles = await openHost(host);
  try {
    const { node } = ownFilesInstallation;
    const start = (script: string) =>
      roles.server.spawn('the program', { command: node, args: ['-e', script] });
    const stands = async () => assert.ok((await roles.server.state()).load.average >= 0);
    await assert.rejects(start(hog).expect('never', 60_000), /the program was killed by SIGKILL/);
    await stands();
    assert.deepEqual(await start(writer).expect('full', 60_000), { event: 'full', code: 'ENOSPC' });
    await stands();
  } finally {
    await roles.close();
  }
  await restored(before);
});

test('a guest that never gets ready is an error with the last words of its console, and leaves nothing', {
  skip,
}, async () => {
  const before = footprint();
  const network = await guestNetwork();
  try {
    const at = { network, tap: 'tap0', address: `${wireAddresses.server}/${wirePrefix}` };
    const init = join(freshFolder(), 'init');
    writeFileSync(init, '#!/bin/sh\necho "no way" >/dev/console\n');
    await assert.rejects(
      bootLinux(readGuest('linux'), { ...imageParts(), init }, 'tcg', at),
      /the guest under TCG ended with code 0; its console says: .*Kernel panic - not syncing: Attempted to kill init/,
    );
    const hasty = { ...readGuest('linux'), readyWithinS: { kvm: 1, tcg: 1 } };
    await assert.rejects(
      bootLinux(hasty, imageParts(), 'tcg', at),
      /the guest under TCG says nothing for 1 s/,
    );
  } finally {
    await network.close();
  }
  await restored(before);
});

test('hardware virtualisation is proven by a guest that boots, or refused with what it said', {
  skip,
}, async () => {
  const before = footprint();
  await openHost('qemu-linux:kvm').then(
    async (roles) => {
      const { accelerator, executionClass } = roles.server.facts;
      await roles.close();
      assert.deepEqual([accelerator, executionClass], ['kvm', 'vm']);
    },
    (error: Error) => assert.match(error.message, /not available here: the guest under KVM /),
  );
  await restored(before);
});

test('an unknown accelerator is one sentence', async () => {
  await assert.rejects(openHost('qemu-linux:x'), /no accelerator 'x': known are kvm, tcg/);
});

test('without its packages the host says which to install', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    await assert.rejects(
      openHost('qemu-linux'),
      /not available here: there is no program qemu-system-x86_64, .*no program busybox: install .*apt-get install --no-install-recommends qemu-system-x86 linux-image-cloud-amd64 busybox-static\)/,
    );
  } finally {
    process.env.PATH = path;
  }
});
