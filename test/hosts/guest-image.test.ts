/** What a Linux guest is made of: the archive, the kernel's modules in their order, and the same image of the same files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { archive, type Member } from '../../src/hosts/cpio.js';
import { writeImage } from '../../src/hosts/guest-image.js';
import { findKernel, moduleBytes, moduleFiles, unpackedName } from '../../src/hosts/guest-kernel.js';
import { imageParts, qemuLinux } from '../../src/hosts/qemu-linux.js';
import { whereIs } from '../../src/hosts/where-is.js';
import { freshFolder } from '../run/fake-run.js';

const file = (path: string, text: string, program = false): Member => ({
  path,
  content: { program, bytes: () => Buffer.from(text) },
});
const few = [
  file('etc/b', 'b'),
  { path: 'etc', content: { folder: true } } satisfies Member,
  { path: 'bin', content: { link: 'usr/bin' } } satisfies Member,
  file('etc/a', 'four', true),
  file('empty', ''),
];
const text = (members: readonly Member[]) => Buffer.concat([...archive(members)]);

test('an archive is what cpio reads, in one order whatever the order of its members', {
  skip: whereIs('cpio') ? false : 'there is no cpio to compare with',
}, () => {
  const { stdout } = spawnSync('cpio', ['--list', '--verbose', '--numeric-uid-gid', '--quiet'], {
    input: text(few),
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  });
  const rows = stdout
    .trim()
    .split('\n')
    .map((row) => row.replaceAll(/\s+/g, ' '));
  assert.deepEqual(rows, [
    'lrwxrwxrwx 1 0 0 7 Jan 1 1970 bin -> usr/bin',
    '-rw-r--r-- 1 0 0 0 Jan 1 1970 empty',
    'drwxr-xr-x 1 0 0 0 Jan 1 1970 etc',
    '-rwxr-xr-x 1 0 0 4 Jan 1 1970 etc/a',
    '-rw-r--r-- 1 0 0 1 Jan 1 1970 etc/b',
  ]);
  assert.deepEqual(text(few), text(few.toReversed()));
});

/** A root folder with two kernels of a flavour and one of another. */
function installed(): string {
  const root = freshFolder();
  mkdirSync(join(root, 'boot'));
  for (const release of ['6.1.0-9-cloud-amd64', '6.1.0-10-cloud-amd64', '6.2.0-1-amd64'])
    writeFileSync(join(root, 'boot', `vmlinuz-${release}`), '');
  const modules = join(root, 'lib/modules/6.1.0-10-cloud-amd64');
  mkdirSync(modules, { recursive: true });
  writeFileSync(
    join(modules, 'modules.dep'),
    'a/net.ko: a/failover.ko a/ring.ko\na/failover.ko: a/base.ko\na/ring.ko:\na/base.ko:\na/con-sole.ko.xz: a/ring.ko\n',
  );
  return root;
}

test('the newest kernel of a flavour is taken, and none is none', () => {
  const root = installed();
  assert.equal(findKernel('cloud-amd64', root)?.release, '6.1.0-10-cloud-amd64');
  assert.equal(findKernel('rt-amd64', root), null);
  assert.equal(findKernel('cloud-amd64', join(root, 'nowhere')), null);
});

test('a module comes after all that it needs, once, and an unknown one is an error', () => {
  const kernel = findKernel('cloud-amd64', installed())!;
  const order = moduleFiles(kernel, ['net', 'con_sole']).map((path) => path.slice(kernel.modules.length + 1));
  assert.deepEqual(order, ['a/ring.ko', 'a/base.ko', 'a/failover.ko', 'a/net.ko', 'a/con-sole.ko.xz']);
  assert.throws(() => moduleFiles(kernel, ['x']), /the kernel 6\.1\.0-10-cloud-amd64 has no module x/);
});

test('a packed module is unpacked', { skip: whereIs('xz') ? false : 'there is no xz' }, () => {
  const path = join(freshFolder(), 'one.ko.xz');
  writeFileSync(path, spawnSync('xz', ['--stdout'], { input: 'a module' }).stdout);
  assert.equal(moduleBytes(path).toString(), 'a module');
  assert.equal(unpackedName(path), 'one.ko');
});

test('the same files are the same image to the byte', {
  skip: (await qemuLinux.unavailable()) ?? false,
}, () => {
  const folder = freshFolder();
  const [one, other] = ['one', 'other'].map((name) => writeImage(imageParts(), join(folder, name)));
  assert.deepEqual(one, other);
  assert.match(one!.digest, /^[0-9a-f]{16}$/);
  assert.deepEqual(readFileSync(join(folder, 'one')), readFileSync(join(folder, 'other')));
});
