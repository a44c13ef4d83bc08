/** A sender that is gone and begun anew tells only what is not there yet; what is there is only what can be shown to be. */
import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { listening } from '../transfer/ends.js';
import { between, pagesOf, withEnds } from './ends.js';

const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-resume-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const block = 512 << 10;
const memory = { pages: 'random', bytes: 40 << 20 } as const;
const blocks = memory.bytes / block;
/** The sender is killed when so many bytes were on their way: what it has handed to its system may come yet, and is less than the rest. */
const killAt = 8 << 20;
/** Of so many blocks, with their heads, the last word, and the first. */
const told = (count: number) => count * (block + 88) + 88 + 40;

/** What a receiver has kept of a sender that was killed. @returns blocks */
async function left(into: string): Promise<number> {
  let frames = 0;
  await withEnds(async (start) => {
    const { end, port } = await start.receiver({ into, keep: true, patienceMs: 200 });
    let kill = () => {};
    const serve = between(port, (there) => {
      if (there > killAt) kill();
      return false;
    });
    await listening(serve, async (middle) => {
      const sender = start.sender({ port: middle, memory });
      kill = () => process.kill(sender.child.pid, 'SIGKILL');
      const got = await end.result();
      assert.match(got.fault!, /sent nothing/);
      assert.ok(!got.whole && got.role === 'receiver');
      frames = got.frames;
    });
    assert.ok(!existsSync(into) && existsSync(`${into}.partial`));
  });
  return frames;
}

const otherByte = (path: string) => {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from('?'), 0, 1, 7);
  closeSync(file);
};

test('a sender that was killed and is begun anew tells what is missing, whatever became of the rest', async () => {
  const kept = join(folder, 'kept');
  const there = await left(kept);
  assert.ok(there > 2 && there < blocks, `${there} blocks`);
  for (const { name, spoil, missing } of [
    { name: 'as it was left', spoil: () => {}, missing: blocks - there },
    { name: 'with a byte that is another one', spoil: otherByte, missing: blocks - there + 1 },
    { name: 'cut short', spoil: (path: string) => truncateSync(path, block), missing: blocks },
  ]) {
    const into = join(folder, name);
    copyFileSync(`${kept}.partial`, `${into}.partial`);
    spoil(`${into}.partial`);
    await withEnds(async (start) => {
      const { end, port } = await start.receiver({ into, keep: true });
      const [sent, got] = [await start.sender({ port, memory }).result(), await end.result()];
      assert.equal(sent.fault ?? got.fault, null, name);
      assert.equal(pagesOf({ file: into }).digest, pagesOf(memory).digest, name);
      assert.equal(sent.digest, got.digest);
      assert.ok(!existsSync(`${into}.partial`));
      assert.equal(sent.sentBytes, told(missing), name);
    });
  }
});

test('without being asked for a receiver begins with zeros, whatever lies there', () =>
  withEnds(async (start) => {
    const into = join(folder, 'other');
    pagesOf({ pages: 'text', bytes: memory.bytes }, `${into}.partial`);
    const { end, port } = await start.receiver({ into });
    const sender = start.sender({ port, memory: { pages: 'zeros', bytes: memory.bytes } });
    const [sent, got] = [await sender.result(), await end.result()];
    assert.equal(sent.fault ?? got.fault, null);
    assert.ok(sent.sentBytes < 1000);
  }));

test('of other memory that lies there nothing is left, zeros where zeros are to be included', () =>
  withEnds(async (start) => {
    const into = join(folder, 'older');
    pagesOf({ pages: 'text', bytes: memory.bytes }, `${into}.partial`);
    const { end, port } = await start.receiver({ into, keep: true });
    const wanted = { pages: 'vm', bytes: memory.bytes } as const;
    const sender = start.sender({ port, memory: wanted, connections: 3 });
    const [sent, got] = [await sender.result(), await end.result()];
    assert.equal(sent.fault ?? got.fault, null);
    assert.equal(pagesOf({ file: into }).digest, pagesOf(wanted).digest);
  }));
