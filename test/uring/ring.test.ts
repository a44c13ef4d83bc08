/** Rings without a server around them: what is too small for them, and why there may be none. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testing, withoutUring } from './testing.js';

const { EINVAL, EMFILE, ENOMEM, ENOSYS, EPERM } = constants.errno;
const unlimited = -1;

test('the reason names what refused, and what can be done', () => {
  const rows: [given: [number, number, boolean, number], words: RegExp][] = [
    [[0, 0, false, unlimited], /^$/],
    [[ENOSYS, -1, false, unlimited], /^this kernel has no io_uring/],
    [[ENOSYS, -1, true, unlimited], /seccomp.*or this kernel/],
    [[EPERM, 2, true, unlimited], /kernel\.io_uring_disabled is 2$/],
    [[EPERM, 1, false, unlimited], /group of kernel\.io_uring_group.*is 1$/],
    [[EPERM, 0, true, unlimited], /^a system-call filter \(seccomp\)/],
    [[EPERM, 0, false, unlimited], /security policy/],
    [[ENOMEM, 0, false, 65536], /64 KiB may be locked here.*ulimit -l/],
    [[ENOMEM, 0, false, unlimited], /no memory/],
    [[EMFILE, 0, false, unlimited], /ulimit -n/],
    [[EINVAL, 0, false, unlimited], /lacks what is needed/],
  ];
  for (const [given, words] of rows) assert.match(testing.uringReason(...given), words, given.join(' '));
});

test('what a filter refuses is told as the work of a filter', { skip: process.platform !== 'linux' }, () => {
  const child = fileURLToPath(new URL('denied.js', import.meta.url));
  for (const error of [EPERM, ENOSYS]) {
    const { stdout, stderr } = spawnSync(process.execPath, [child, `${error}`], { encoding: 'utf8' });
    const told = JSON.parse(stdout || JSON.stringify({ stderr })) as { error: number; reason: string };
    assert.equal(told.error, error, stderr);
    assert.match(told.reason, /seccomp/);
  }
});

const cases: [name: string, size: Parameters<typeof testing.uringThrough>][] = [
  ['room for everything', [64, 1024, 32, 64, 4]],
  ['more to hand over than there is room for', [4, 1024, 100, 128, 4]],
  ['more completions than there is room for', [8, 8, 50, 1024, 10]],
  ['fewer buffers than messages', [64, 1024, 20, 4, 20]],
];
for (const [name, size] of cases) {
  test(`${name}: everything arrives once and in order`, { skip: withoutUring }, () => {
    const [, , sockets, , messages] = size;
    const told = testing.uringThrough(...size);
    assert.equal(told.error, 0, told.reason);
    assert.equal(told.received, sockets * messages);
    assert.equal(told.disordered, 0);
    assert.ok(told.submissions >= sockets);
    assert.ok(told.completions >= sockets * messages);
    assert.ok(told.waits <= told.enters);
    if (size[0] < sockets) assert.ok(told.enters > told.waits, 'some entries were handed over early');
    if (size[3] < messages) assert.ok(told.shortages > 0, 'buffers ran out');
  });
}
