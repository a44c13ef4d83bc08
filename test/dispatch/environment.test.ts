/** The addon in several environments of one process: independent, and nothing is left behind when one ends. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { layout } from '../../src/dispatch/layout.js';
import { native } from '../../src/dispatch/native.js';
import { Interest, openPoller } from '../../src/dispatch/poller.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { Descriptors, send } from '../support/descriptors.js';

const noProc = { skip: process.platform === 'linux' ? false : 'counts descriptors in /proc' };

/** What each descriptor of this process is, by kind: `anon_inode:[eventpoll]`, `socket`, ... */
function descriptors(): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const kind = readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[\d+\]$/, '');
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    } catch {
      // the descriptor that read the directory
    }
  }
  return kinds;
}

async function inWorker(task: string, terminate = false): Promise<string[]> {
  const worker = new Worker(new URL('./worker-child.js', import.meta.url), {
    workerData: { task },
    trackUnmanagedFds: false,
  });
  const exit = new Promise((done) => worker.once('exit', done));
  const answer = await new Promise<string[]>((done, fail) =>
    worker.once('message', done).once('error', fail),
  );
  if (terminate) await worker.terminate();
  await exit;
  return answer;
}

test('a Worker that ends with open pollers leaves no descriptor', noProc, async () => {
  const available = listBackends().filter((probe) => probe.available);
  await inWorker('echo-and-leave'); // the first Worker leaves descriptors of Node's own
  const before = descriptors();
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(
      await inWorker('echo-and-leave', i === 1),
      available.map(({ name }) => name),
    );
  }
  assert.deepEqual(descriptors(), before);
});

test('a Worker that waits without end can be terminated', { timeout: 60_000 }, async () => {
  await inWorker('wait-for-ever', true);
});

test('Workers turn at the same time, each on its own pollers', async () => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => inWorker('echo-and-leave')));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.ok((answers[0] as string[]).includes('poll'));
});

test('a closed poller leaves no descriptor and its registered descriptors open', noProc, () => {
  const mine = new Descriptors();
  const [a, b] = mine.socketPair();
  const before = descriptors();
  for (const { name, available } of listBackends()) {
    if (!available) continue;
    const poller = openPoller({ backend: name });
    poller.add(a, Interest.both);
    poller.close();
    send(b);
  }
  assert.deepEqual(descriptors(), before);
  mine.closeAll();
});

test('probing leaves no descriptor', noProc, () => {
  const before = descriptors();
  for (let i = 0; i < 10; i++) listBackends();
  assert.deepEqual(descriptors(), before);
});

test('the layout of the addon is the one TypeScript was written for', () => {
  assert.deepEqual(native.layout(), layout);
});
