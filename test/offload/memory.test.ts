/** What a broker takes when everybody means it harm at the same time: bounded by what it says that it keeps. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { usualLimits } from '../../src/contract/offload.js';
import { OffloadClient } from '../../src/offload/client.js';
import { readTokens } from '../../src/offload/tokens.js';
import { modules } from '../gateways/hand-made-modules.js';
import { base64, Framed, folderFor, Raw, uploads } from './running.js';
import { small } from './small-broker.js';

const MiB = 2 ** 20;
/** Requests that are sent at a time, each with a body of nearly one MiB. */
const bodies = 32;
/** What waits, what providers have, answers, messages that are not whole, bodies. */
const declared = 2 * small.queue + small.kept + small.partial + bodies;
/** Texts beside bytes; and what the engine has thrown away, of all that came and went, and not collected yet. */
const most = 2 * declared + 150;

const skip = process.platform === 'linux' ? false : 'what a process has taken at most is read from /proc';
test('a broker that is flooded from all sides takes no more memory than it says', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const folder = folderFor(t);
  const program = new URL('small-broker.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const at = { host: '127.0.0.1', port: Number(line) };
  const tokens = readTokens(folder);
  const client = new OffloadClient(at, tokens.client, { ms: 20_000 });
  const hasty = new OffloadClient(at, tokens.client, { ms: 0 }, bodies);
  t.after(() => {
    client.close();
    hasty.close();
  });
  const peak = () =>
    Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024;
  const module = await client.upload(modules.silent);
  const before = peak();

  // Uploads of 2 GiB, announced and not.
  const statuses = await Promise.all(
    [2 ** 31, null].map((announced) => uploads(at.port, tokens.client, announced, 2 ** 31)),
  );
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [413, 413],
  );

  // Connections that say nothing: as many as there may be, and more.
  const silent = Array.from({ length: 100 }, () => connect(at.port, at.host).on('error', () => {}));

  // Providers whose messages never end, 440 MiB of which 8 may be under way.
  const pieces = Buffer.alloc(MiB, 'x');
  const endless = await Promise.all(
    Array.from({ length: 44 }, async (_, index) => {
      if (index < 4) {
        const raw = await Raw.joined(at, tokens.provider);
        for (let piece = 0; piece < 10; piece++) raw.socket.send(pieces, { fin: false, binary: false });
        return { closed: raw.closed, end: () => raw.socket.terminate() };
      }
      const framed = await Framed.joined(at, tokens.provider);
      framed.socket.write(Buffer.from([0, 0xa0, 0, 0]));
      for (let piece = 0; piece < 10; piece++) framed.socket.write(pieces);
      return { closed: framed.closed, end: () => framed.socket.destroy() };
    }),
  );
  let cut = 0;
  for (const { closed } of endless) void closed.then(() => ++cut);
  while (cut < 30) await new Promise((next) => setTimeout(next, 10));
  for (const one of endless) one.end();

  // Tasks as large as they may be, of which few are let in, and providers that take as many as they can and say nothing.
  const hoarders = await Promise.all([1, 2, 3].map(() => Raw.joined(at, tokens.provider, 64)));
  const stdin = base64('x'.repeat(700_000));
  let refused = 0;
  const hoarded = Array.from({ length: 100 }, () =>
    hasty.run({ module, stdin }).catch((error: Error) => {
      assert.match(error.message, /queue is full/);
      refused += 1;
    }),
  );
  while (refused < 80) await new Promise((next) => setTimeout(next, 10));
  for (const one of hoarders) one.socket.terminate();

  // Answers as large as they may be.
  const flooder = await Raw.joined(at, tokens.provider, 8);
  const stdout = base64('y'.repeat(usualLimits.outputBytes));
  const spent = { inside: 1, instantiate: 0, run: 1 };
  void (async () => {
    for (;;) {
      const { assignment } = await flooder.hear('run');
      const outcome = { state: 'done', exitCode: 0, stdout, stderr: '', files: {} };
      flooder.say({ type: 'result', assignment, module, outcome, spent });
    }
  })();
  await Promise.all(Array.from({ length: 50 }, () => client.run({ module })));
  await Promise.all(hoarded);
  for (const one of silent) one.destroy();

  const taken = peak() - before;
  assert.ok(taken < most, `${taken.toFixed(0)} MiB, where ${declared} are declared and ${most} allowed`);
  assert.equal((await client.status()).scheduler, 'any-free');
});
