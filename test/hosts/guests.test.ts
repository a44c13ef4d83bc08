/** vm-images: every description is one, none is left out, and what is said to boot here does, with what it shall have. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { guestMatrix } from '../../src/contract/guest.js';
import { readGuest } from '../../src/hosts/guest-file.js';
import { hostKinds } from '../../src/hosts/registry.js';
import { footprint, restored } from '../support/footprint.js';

const root = join(packageRoot, 'vm-images');
const rows = guestMatrix.parse(JSON.parse(readFileSync(join(root, 'matrix.json'), 'utf8')));
const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test('the matrix has each guest once, and each folder its guests', () => {
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
  assert.deepEqual([...new Set(rows.map(({ folder }) => folder))].sort(), folders.sort());
});

for (const folder of folders) {
  test(`${folder}: its description is one, of the images that the matrix names, and a README says the rest`, () => {
    const { images } = readGuest(folder);
    const ids = rows.filter((row) => row.folder === folder).map(({ id }) => id);
    assert.deepEqual(Object.keys(images).sort(), ids.sort());
    assert.ok(existsSync(join(root, folder, 'README.md')));
    for (const row of rows.filter((one) => one.folder === folder)) {
      const { kind } = images[row.id]!;
      const status = { 'made-here': 'boots-here', official: 'needs-kvm', user: 'user-image' } as const;
      assert.equal(row.status, status[kind], row.id);
    }
  });
}

for (const { id, mechanisms, class: classes } of rows.filter(({ status }) => status === 'boots-here')) {
  const kind = hostKinds.find((one) => one.id === `qemu-${id}`);
  const skip = kind ? ((await kind.unavailable()) ?? false) : false;
  test(`${id} boots here, and has the mechanisms that the matrix expects`, { skip }, async () => {
    assert.ok(kind, `there is no kind of host qemu-${id}`);
    const before = footprint();
    const roles = await kind.open(null);
    try {
      const { facts, backends } = roles.server.look;
      assert.ok(facts.clockStepNs > 0 && facts.clockStepNs <= 1000);
      assert.ok(classes.includes(roles.server.facts.executionClass));
      const there = backends.filter(({ available }) => available).map(({ name }) => name);
      for (const name of mechanisms) assert.ok(there.includes(name), `${name} is not available in the guest`);
    } finally {
      await roles.close();
    }
    await restored(before);
  });
}
