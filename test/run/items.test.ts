/** Items of a file on hosts that are up: capacities that hosts of one machine share, and what `plan` says. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { itemsFile } from '../../src/contract/items-file.js';
import { place } from '../../src/planner/placement/place.js';
import { problemOf, readItemsFile } from '../../src/run/items.js';
import { dispatchbench } from '../support/command.js';
import { freshFolder } from './fake-run.js';

const host = (name: string, cpus: readonly number[], bootId: string | null, memoryMiB = 1000) =>
  ({
    name,
    server: {
      look: {
        bootId,
        cpus: cpus.map((cpu) => ({ cpu, siblings: [cpu] })),
        memoryAvailableBytes: memoryMiB * (1 << 20),
      },
    },
  }) as unknown as Parameters<typeof problemOf>[1][number];

describe('a problem', () => {
  const items = itemsFile.parse({
    items: [
      { name: 'a', cpus: 1 },
      { name: 'b', memoryMiB: 300, hosts: ['y'] },
    ],
    together: [],
    apart: [['a', 'b']],
    near: [{ items: ['a', 'b'], mostMs: 2 }],
  });

  test('hosts of one machine have its CPUs and memory together', () => {
    const hosts = [host('x', [0, 1], 'one'), host('y', [1, 2], 'one'), host('z', [0, 1], 'two', 500)];
    const problem = problemOf(items, hosts, [
      [0, 1, 1],
      [1, 0, 1],
      [1, 1, 0],
    ]);
    assert.deepEqual(
      problem.hosts.map(({ has }) => has),
      [
        [1.5, 500],
        [1.5, 500],
        [2, 500],
      ],
    );
    assert.deepEqual(
      problem.items.map(({ takes, only }) => [takes, only]),
      [
        [[1, 0], undefined],
        [[0, 300], [1]],
      ],
    );
    assert.deepEqual([problem.apart, problem.near], [[[0, 1]], [{ items: [0, 1], mostMs: 2 }]]);
    const found = place(problem);
    assert.ok(found.placement !== null);
    assert.equal(found.placement[1], 1);
    assert.notEqual(found.placement[0], 1);
  });

  test('machines that do not tell are each their own', () => {
    const problem = problemOf({ ...items, near: [] }, [host('x', [0], null), host('y', [0], null)]);
    assert.deepEqual(
      problem.hosts.map(({ has }) => has),
      [
        [1, 1000],
        [1, 1000],
      ],
    );
  });

  test('a name that there is not is said', () => {
    const hosts = [host('x', [0], null)];
    assert.throws(
      () => problemOf({ ...items, near: [] }, hosts),
      /^Error: there is no host 'y': known are x$/,
    );
    const strange = { ...items, items: items.items.slice(0, 1), near: [] };
    assert.throws(() => problemOf(strange, hosts), /^Error: there is no item 'b': known are a$/);
  });
});

test('a list of items is read, and what is wrong with one is said in one sentence', () => {
  const path = join(freshFolder(), 'items.yaml');
  const wrong = (text: string, says: RegExp) => {
    writeFileSync(path, text);
    assert.throws(() => readItemsFile(path), says);
  };
  wrong('items: []\n', /items/);
  wrong('items: [{ name: a, cpus: -1 }]\n', /items\.0\.cpus/);
  wrong('items: [{ name: a }, { name: a }]\n', /two have one name/);
  wrong('items: [{ name: a }]\napart: [[a, a]]\n', /names one item twice/);
  wrong('items: [{ name: a, cpu: 1 }]\n', /Unrecognized key/);
  assert.equal(readItemsFile(join(packageRoot, 'docs/examples/items.yaml')).items.length, 4);
});

test('plan places items on this machine, and says with exit code 2 why there is no placement', () => {
  const path = join(freshFolder(), 'items.yaml');
  writeFileSync(path, 'items: [{ name: small, cpus: 0.1 }]\nnear: []\n');
  const placed = dispatchbench('plan', '--items', path, '--json');
  assert.equal(placed.status, 0, placed.stderr);
  assert.deepEqual(JSON.parse(placed.stdout), {
    hosts: ['local'],
    latencyMs: null,
    placed: true,
    placement: { small: 'local' },
    used: 1,
    fewest: 1,
    largestShare: JSON.parse(placed.stdout).largestShare,
  });
  writeFileSync(path, 'items: [{ name: a }, { name: b }]\napart: [[a, b]]\n');
  const none = dispatchbench('plan', '--items', path);
  assert.equal(none.status, 2, none.stderr);
  assert.equal(
    none.stdout,
    'not placed: 2 items (a; b) need a host each, because they are to be apart or do not fit beside each other, and there is 1 host\n',
  );
});
