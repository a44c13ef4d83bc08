/** A Linux guest that runs, writes and counts is moved to another machine, and is the same one there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestMissing, moveGuest } from '../../src/stage/move-guest.js';
import { isHere } from './ends.js';

const noZstd = isHere('zstd');

test('a Linux guest goes on where our sender and receiver have moved its memory to', {
  skip: guestMissing() ?? false,
}, async () => {
  const { ours, exact, downNs, wallNs, carried, beats } = await moveGuest({
    ...{ bytes: 128 << 20, pages: 100, downtimeMs: 300 },
    ...{ connections: 2, bitsPerSecond: 1e9 },
    by: { codec: noZstd ? 'none' : 'zstd', workers: 1, backend: 'poll' },
  });
  assert.equal(exact, true);
  const { passes, downtimeNs } = ours!.sender;
  assert.ok(passes.length >= 3, 'what was written meanwhile was told in further passes');
  assert.ok(passes.slice(1).some(({ pages }) => pages.plain + pages.changed > 0));
  assert.ok(downtimeNs! > 0 && downtimeNs! < downNs && downNs < wallNs);
  // What is not memory went the same way.
  assert.ok(carried.there > ours!.sender.sentBytes);
  assert.ok(beats.before > 0 && beats.after > beats.before);
});

test('without its packages it is said which to install', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    await assert.rejects(
      moveGuest({
        ...{ bytes: 128 << 20, pages: 0, downtimeMs: 300, connections: 1, bitsPerSecond: null },
        by: { qemu: 'plain' },
      }),
      /not available here: there is no program qemu-system-x86_64, .*apt-get install/,
    );
  } finally {
    process.env.PATH = path;
  }
});
