/** What a host tells of itself through the observer that runs on it. */
import assert from 'node:assert/strict';
import { release, type } from 'node:os';
import { test } from 'node:test';
import { Child } from '../../src/hosts/child.js';
import type { Roles } from '../../src/hosts/host.js';
import { openLocal } from '../../src/hosts/local.js';
import { Observer, observerProgram } from '../../src/hosts/observer.js';
import { commandOf } from '../../src/hosts/program.js';
import { openHost } from '../../src/hosts/registry.js';
import { noNamespaces } from '../support/namespaces.js';

const kinds = [
  { name: 'local', transport: 'loopback', skip: false },
  { name: 'netns', transport: 'veth', skip: noNamespaces },
] as const;

for (const { name, transport, skip } of kinds) {
  test(`${name}: facts, state, counters and clock`, { skip }, async () => {
    const roles: Roles = await openHost(name);
    try {
      for (const host of [roles.server, roles.client]) {
        assert.equal(host.facts.kernel, `${type()} ${release()}`, 'as uname -sr prints it');
        assert.equal(host.facts.transport, transport);
        assert.ok(host.look.cpus.length > 0 && host.look.backends.some(({ available }) => available));
        const { load, calibration } = await host.state();
        assert.ok(load.average >= 0 && calibration.spinNs > 0 && calibration.memoryWalkNs! > 0);
        if (process.platform === 'linux') {
          assert.match(host.look.environment.settings['address space randomisation'] ?? '', /^[012]$/);
          const { network, cpus } = await host.counters();
          assert.ok(network && cpus && cpus.length > 0);
        }
        assert.deepEqual(await host.clock(), { offsetNs: 0, atNs: 0, drift: 0, boundNs: 0 });
      }
      assert.ok((await roles.server.memoryCopy()).bytesPerSecond > 0);
    } finally {
      await roles.close();
    }
  });
}

test('the clock of an observer is found within its bound, here 0', async () => {
  const observer = new Observer(new Child('an observer', commandOf(observerProgram)));
  try {
    const { offsetNs, boundNs } = await observer.clock();
    assert.ok(Math.abs(offsetNs) <= boundNs, `${offsetNs} ns, known to ${boundNs} ns`);
  } finally {
    await observer.end();
  }
});

test('an observer that ends is one sentence', async () => {
  const observer = new Observer(
    new Child('an observer', {
      command: process.execPath,
      args: ['-e', 'console.error("no memory"); process.exit(3)'],
    }),
  );
  await assert.rejects(observer.look(), /an observer ended with code 3 .*its last words: no memory/);
  await observer.end();
});

test('questions wait for each other', async () => {
  const { server, close } = await openLocal();
  try {
    const [first, second, copy] = await Promise.all([
      server.counters(),
      server.counters(),
      server.memoryCopy(),
    ]);
    assert.equal(first.event, second.event);
    assert.ok(copy.copies > 0);
  } finally {
    await close();
  }
});
