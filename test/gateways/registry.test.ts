/** Gateways as data, as this machine has them, and as cells that are here or say why not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { identifier } from '../../src/contract/common.js';
import { foundGateway } from '../../src/contract/gateway.js';
import type { Machine } from '../../src/experiments/experiment.js';
import { experimentNamed, suites } from '../../src/experiments/registry.js';
import { foundGateways } from '../../src/gateways/parts.js';
import { gateways } from '../../src/gateways/registry.js';
import { impossible } from '../../src/stage/limits.js';
import { kindOf } from '../../src/trials/registry.js';

describe('the registry of gateways', () => {
  it('has names that are told apart, and the five of the report', () => {
    const names = gateways.map(({ name }) => identifier.parse(name));
    assert.equal(new Set(names).size, names.length);
    assert.deepEqual(
      gateways.filter(({ isReports }) => isReports).map(({ name }) => name),
      ['native_local', 'native_docker', 'wasm_host_wasmtime_embedded', 'wasm_host_wasmtime', 'wasm_host_cli'],
    );
  });

  it('has command lines that say where to listen and whom to forward to', () => {
    for (const { name, command, needs, datagrams } of gateways) {
      // A virtual machine is told both as a whole, by what made its command line.
      // nginx is told by its configuration, and forwards nothing.
      if (needs.some((part) => part.startsWith('microvm') || part === 'nginx')) continue;
      const words = command((part) => [`<${part}>`]).join(' ');
      assert.match(words, /--listen \S*:\{port\}/, name);
      // What echoes datagrams forwards nothing either.
      if (!datagrams) assert.match(words, /--upstream \{upstream\}/, name);
    }
  });
});

describe('gateways of this machine', () => {
  const found = foundGateways();

  it('are all told, each with a command line or with what is missing', () => {
    assert.deepEqual(
      found.map(({ name }) => name),
      gateways.map(({ name }) => name),
    );
    for (const one of found) {
      foundGateway.parse(one);
      assert.equal(one.command === null, one.reason !== '', one.name);
    }
    // Containers are there on a host that has them.
    assert.match(found.find(({ name }) => name === 'native_docker')!.reason, /--host containers/);
  });

  it('are listed by the command line', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, ['bin/dispatchbench.js', 'gateways', ...args], { encoding: 'utf8' });
    assert.deepEqual(
      JSON.parse(run('list', '--json').stdout).map(({ name }: { name: string }) => name),
      found.map(({ name }) => name),
    );
    const table = run();
    assert.equal(table.status, 0);
    assert.ok(table.stdout.split('\n').every((line) => line.length <= 100));
  });
});

describe('cells of gateways', () => {
  const there = { command: ['/there'], perRequest: ['/request'], instances: ['/instances'], reason: '' };
  const absent = {
    command: null,
    perRequest: null,
    instances: null,
    reason: 'there is no engine: get it',
  };
  const machine: Machine = {
    available: [],
    nodeBackend: 'epoll',
    descriptorLimit: 20_000,
    gateways: gateways.map(({ name }) => ({
      name,
      ...(name.startsWith('wasm') ? absent : there),
    })),
  };
  const apart = new Set(gateways.flatMap(({ name, ownNetwork }) => (ownNetwork ? [name] : [])));
  const hosts = {
    backends: [],
    environment: { descriptorLimit: { soft: 1, hard: 20_000 }, ephemeralPorts: null },
    memoryAvailableBytes: 2 ** 40,
  };
  for (const id of suites.gateways!.ids)
    for (const profile of ['quick', 'report-2026', 'full'] as const)
      it(`of ${id} ${profile}: what is missing is impossible for its reason, the others are not`, () => {
        const experiment = experimentNamed(id);
        const settings = experiment.settings.parse(experiment.profile(profile, machine));
        const cells = experiment.cells(settings, machine);
        assert.ok(cells.length >= 5);
        for (const levels of cells) {
          const spec = experiment.trial(levels, settings, machine);
          const why = impossible(kindOf(spec).needs(spec), { server: hosts, client: hosts } as never);
          if (`${levels.impl}`.startsWith('wasm')) assert.equal(why, absent.reason);
          else if (levels.workload === 'proxy' && apart.has(`${levels.impl}`))
            assert.match(why!, /not reached/);
          else assert.equal(why, null);
        }
      });

  it('say that a host tells of none', () => {
    const experiment = experimentNamed('gateway-resources');
    const settings = experiment.profile('quick', machine);
    const spec = experiment.trial(experiment.cells(settings, machine)[0]!, settings, {
      ...machine,
      gateways: [],
    });
    assert.match(kindOf(spec).needs(spec).missing!, /tells of no gateways/);
  });
});
