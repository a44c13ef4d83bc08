/** `dispatchbench hosts`: every kind, with what there is to do where it cannot be had. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostKinds } from '../../src/hosts/registry.js';
import { dispatchbench } from '../support/command.js';

interface Row {
  id: string;
  summary: string;
  unavailable: string | null;
}

test('every kind of host is listed, and local there always is', () => {
  const { status, stdout } = dispatchbench('hosts', '--json');
  assert.equal(status, 0);
  const rows = JSON.parse(stdout) as Row[];
  assert.deepEqual(
    rows.map(({ id }) => id),
    hostKinds.map(({ id }) => id),
  );
  assert.equal(rows[0]!.unavailable, null);
  const shown = dispatchbench('hosts').stdout;
  for (const { id, unavailable } of rows)
    assert.match(
      shown,
      new RegExp(`^${id}\n.*\n  ${unavailable === null ? 'available' : 'not available here: '}`, 'm'),
    );
});

test('a kind that lacks its programs says which, and what to install', () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    const rows = JSON.parse(dispatchbench('hosts', '--json').stdout) as Row[];
    const of = (kind: string) => rows.find(({ id }) => id === kind)!.unavailable ?? '';
    if (process.platform === 'linux') {
      assert.match(of('docker'), /there is no program docker: install Docker/);
      assert.match(of('netns'), /util-linux and iproute2/);
    }
  } finally {
    process.env.PATH = path;
  }
});
