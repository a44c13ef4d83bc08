/** `dispatchbench hosts`: every kind, with what there is to do where it cannot be had. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostKinds } from '../../src/hosts/registry.js';
import { dispatchbench } from '../support/command.js';

interface Row {
  id: string;
  summary: string;
  unavailable: string | null;
  guest?: string;
  how?: string;
}

const kindsOf = (stdout: string) => (JSON.parse(stdout) as Row[]).filter(({ guest }) => guest === undefined);

test('every kind of host is listed, and local there always is', () => {
  const { status, stdout } = dispatchbench('hosts', '--json');
  assert.equal(status, 0);
  const rows = kindsOf(stdout);
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
    const rows = kindsOf(dispatchbench('hosts', '--json').stdout);
    const of = (kind: string) => rows.find(({ id }) => id === kind)!.unavailable ?? '';
    if (process.platform === 'linux') {
      assert.match(of('docker'), /there is no program docker: install Docker/);
      assert.match(of('netns'), /util-linux and iproute2/);
    }
  } finally {
    process.env.PATH = path;
  }
});

test('guests whose image has to be got are listed with how, and where the programs for them come from', () => {
  const rows = JSON.parse(dispatchbench('hosts', '--json').stdout) as Row[];
  const how = (guest: string) => rows.find((row) => row.guest === guest)?.how ?? '';
  assert.match(
    how('freebsd-14'),
    /^dispatchbench hosts fetch freebsd-14; .*README\.md says; --host ssh-bare:freebsd@NAME/,
  );
  assert.match(how('netbsd-10'), /^dispatchbench hosts fetch netbsd-10; .*--host ssh:root@NAME/);
  assert.match(how('windows-server'), /^install an evaluation .*--host ssh:Administrator@NAME/);
  assert.match(
    dispatchbench('hosts').stdout,
    /^freebsd-14\n {2}FreeBSD 14\.3.*\n {2}dispatchbench hosts fetch/m,
  );
});
