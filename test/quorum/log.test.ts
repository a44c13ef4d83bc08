/** The log of the addon: what it promises is there afterwards, whatever is torn off or damaged. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { LogExports } from '../../servers/replica/disk.js';
import { addon } from '../../src/addon.js';

const log = addon<LogExports>();

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const files = (folder: string) => readdirSync(folder).sort();
const append = (handle: number, words: string, begins = false) =>
  log.logAppend(handle, Buffer.from(words), begins);

/** Opens, reads and closes. */
function read(folder: string): { records: string[]; torn: number } {
  const handle = log.logOpen(folder, false);
  const records = log.logRecovered(handle).map((bytes) => Buffer.from(bytes).toString());
  const torn = log.logTorn(handle);
  log.logClose(handle);
  return { records, torn };
}

for (const syncs of [true, false])
  test(`records are there when it is opened again, ${syncs ? 'synced' : 'not synced'}`, async (t) => {
    const folder = folderOf(t);
    const handle = log.logOpen(folder, syncs);
    assert.deepEqual(log.logRecovered(handle), []);
    assert.equal(append(handle, 'one'), 1);
    assert.equal(append(handle, ''), 2);
    assert.equal(append(handle, 'x'.repeat(100_000)), 3);
    const progress = new Float64Array(7);
    do {
      log.logProgress(handle, progress);
      if (progress[0]! < 3) await pause(1);
    } while (progress[0]! < 3);
    assert.equal(progress[6], 0);
    assert.equal(log.logDescriptor(handle) >= 0, syncs);
    if (syncs) assert.ok(progress[1]! >= 1 && progress[1]! <= 3, `${progress[1]} syncs`);
    assert.equal(progress[2], 3 * 16 + 3 + 100_000);
    log.logClose(handle);
    log.logClose(handle);
    assert.throws(() => append(handle, 'late'), { code: 'ERR_CLOSED_HANDLE' });
    assert.deepEqual(read(folder), { records: ['one', '', 'x'.repeat(100_000)], torn: 0 });
  });

test('a torn tail is cut off wherever it is torn, and the log goes on from there', (t) => {
  const folder = folderOf(t);
  const first = log.logOpen(folder, true);
  append(first, 'kept');
  append(first, 'torn');
  log.logClose(first);
  const [name] = files(folder);
  const path = join(folder, name!);
  const whole = readFileSync(path);
  const keeps = 8 + 16 + 'kept'.length;
  for (let end = keeps; end < whole.length; end++) {
    writeFileSync(path, whole.subarray(0, end));
    assert.deepEqual(read(folder), { records: ['kept'], torn: end - keeps });
  }
  // A tail of zeros is what some file systems leave of what was not synced.
  truncateSync(path, keeps);
  appendFileSync(path, new Uint8Array(64));
  assert.deepEqual(read(folder), { records: ['kept'], torn: 64 });
  const again = log.logOpen(folder, true);
  append(again, 'more');
  log.logClose(again);
  assert.deepEqual(read(folder).records, ['kept', 'more']);
});

test('a flipped bit is noticed, wherever it is', (t) => {
  const folder = folderOf(t);
  const handle = log.logOpen(folder, false);
  append(handle, 'record');
  log.logClose(handle);
  const path = join(folder, files(folder)[0]!);
  const whole = readFileSync(path);
  for (let at = 8; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 1;
    writeFileSync(path, damaged);
    assert.deepEqual(read(folder).records, []);
    for (const name of files(folder)) rmSync(join(folder, name));
    writeFileSync(path, whole);
  }
});

test('a record that begins takes the place of what was before, also when its own segment is torn', (t) => {
  const folder = folderOf(t);
  const handle = log.logOpen(folder, true);
  append(handle, 'old');
  append(handle, 'older', false);
  append(handle, 'state', true);
  append(handle, 'after');
  log.logClose(handle);
  assert.equal(files(folder).length, 1);
  assert.deepEqual(read(folder).records, ['state', 'after']);
  // Another one whose first record never became whole: what was before holds, and its numbers go on.
  writeFileSync(
    join(folder, '00000000000000ff.log'),
    readFileSync(join(folder, files(folder)[0]!)).subarray(0, 20),
  );
  assert.deepEqual(read(folder), { records: ['state', 'after'], torn: 20 });
  assert.equal(files(folder).length, 1);
});

test('damage in a segment that a later one rests on is refused', (t) => {
  const folder = folderOf(t);
  const handle = log.logOpen(folder, false);
  append(handle, 'first');
  log.logClose(handle);
  const [name] = files(folder);
  const whole = readFileSync(join(folder, name!));
  writeFileSync(join(folder, '0000000000000002.log'), whole);
  assert.deepEqual(read(folder).records, ['first', 'first']);
  writeFileSync(join(folder, name!), whole.subarray(0, whole.length - 1));
  assert.throws(() => log.logOpen(folder, false), /damaged at byte 8/);
});

test('what is no folder, and wrong arguments, are errors with a code', (t) => {
  assert.throws(() => log.logOpen(join(folderOf(t), 'none'), true), { code: 'ERR_LOG' });
  assert.throws(() => log.logOpen(1 as never, true), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => log.logAppend(99, new Uint8Array(1), false), { code: 'ERR_CLOSED_HANDLE' });
  const handle = log.logOpen(folderOf(t), false);
  assert.throws(() => log.logAppend(handle, 'text' as never, false), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => log.logProgress(handle, new Float64Array(2)), { code: 'ERR_INVALID_ARG_TYPE' });
  log.logClose(handle);
});
