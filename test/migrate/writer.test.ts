/** Memory that another program writes into: it is asked to stop, and what it wrote until then is there. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { listening } from '../transfer/ends.js';
import { pagesOf, withEnds } from './ends.js';

const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-writer-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'memory');
pagesOf({ pages: 'vm', bytes: 4 << 20 }, file);

/** Writes a word that was not there yet somewhere in the first MiB. */
let words = 0;
function write(): void {
  const memory = openSync(file, 'r+');
  const word = Buffer.alloc(8);
  word.writeUInt32LE(++words);
  writeSync(memory, word, 0, 8, 8192 * (words % 128));
  closeSync(memory);
}

/** Writes all the time until it is asked to stop, once more then, and says so as `stop` does. */
const writer = (stop: (socket: Socket) => void) => (socket: Socket) => {
  const timer = setInterval(write, 1);
  socket.on('close', () => clearInterval(timer));
  socket.once('data', () => {
    clearInterval(timer);
    write();
    stop(socket);
  });
};

for (const [how, stop] of [
  ['hangs up', (socket: Socket) => socket.destroy()],
  ['says so', (socket: Socket) => socket.write('.')],
] as const)
  test(`who writes is asked to stop and ${how}: its last word is there`, () =>
    withEnds(async (start) => {
      const { end, port } = await start.receiver();
      await listening(writer(stop), async (asked) => {
        const sender = start.sender({ port, memory: { file }, writer: asked });
        const [sent, got] = [await sender.result(), await end.result()];
        assert.equal(sent.fault ?? got.fault, null);
        assert.equal(got.digest, pagesOf({ file }).digest);
        assert.ok(sent.role === 'sender' && sent.passes.length >= 3);
        assert.ok(sent.downtimeNs! > 0 && sent.dirtiedPages === undefined);
      });
    }));

test('one that is gone before it is asked has written all that it will', () =>
  withEnds(async (start) => {
    const { end, port } = await start.receiver();
    await listening(
      (socket) => {
        write();
        socket.destroy();
      },
      async (asked) => {
        const sender = start.sender({ port, memory: { file }, writer: asked });
        const [sent, got] = [await sender.result(), await end.result()];
        assert.equal(sent.fault ?? got.fault, null);
        assert.equal(got.digest, pagesOf({ file }).digest);
      },
    );
  }));

test('one that does not stop ends the sender with a reason, and so does one that is not there', () =>
  withEnds(async (start) => {
    const { port } = await start.receiver();
    let gone = 0;
    await listening(
      (socket) => socket.resume(),
      async (asked) => {
        gone = asked;
        const sender = start.sender({ port, memory: { file }, writer: asked, patienceMs: 200 });
        assert.match((await sender.result()).fault!, /who writes into the memory did not stop for 200 ms/);
      },
    );
    const refused = start.sender({ port, memory: { file }, writer: gone });
    await assert.rejects(refused.result(), /cannot connect to who writes: /);
  }));
