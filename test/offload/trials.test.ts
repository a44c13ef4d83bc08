/** Trials that measure offloading, on real programs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingBrowser, usualBrowser } from '../../src/offload/browser.js';
import { withMemoryLimit } from '../../src/offload/core/module.js';
import { missingWorkload, moduleOf, noop, salesman, workloadOf } from '../../src/offload/workload.js';
import type { OffloadSpec } from '../../src/programs/offload.js';
import { kindOf, type MetricId, metric } from '../../src/trials/registry.js';
import { carriedOut, circumstances } from '../gateways/carried-out.js';
import { brokerFor, folderFor, missingCarrier, providerFor, text } from './running.js';

const ways: [OffloadSpec['way'], OffloadSpec['task'], OffloadSpec['transport']?][] = [
  ['browser', 'noop'],
  ['browser', 'noop', 'webtransport'],
  ['process', 'noop'],
  ['wasi-pool', 'tsp-8'],
  ['native', 'tsp-8'],
  ['process', 'edges'],
  ['wasi-pool', 'edges'],
  ['native', 'edges'],
];
for (const [way, task, transport] of ways) {
  const skip =
    (way === 'browser' ? missingBrowser(usualBrowser()) : null) ??
    (transport === 'webtransport' ? missingCarrier() : null) ??
    missingWorkload(task, way === 'native') ??
    false;
  test(`${task} by ${[way, transport].filter(Boolean).join(' and ')} is measured, and its steps come to the whole`, {
    skip,
  }, async () => {
    const length = { warmupMs: 100, durationMs: 300 };
    const measurements = await carriedOut({
      kind: 'offload',
      way,
      task,
      transport,
      providers: 1,
      workers: 2,
      inFlight: 4,
      ...length,
    });
    const { offload } = measurements;
    assert.ok(offload?.kind === 'offload' && offload.offload.tasks > 0);
    assert.deepEqual(kindOf(offload).gates('offload', offload, null), []);
    const figure = (id: MetricId) => metric(id).of({ measurements, ...circumstances });
    assert.ok(figure('offload-rate')! > 0);
    assert.equal(figure('offload-run') === null, way === 'wasi-pool' || way === 'native');
    const trace = figure('offload-trace');
    assert.ok(trace === null || Math.abs(trace - 1) < 0.05, `${trace}`);
  });
}

test('edges of an image are the same by a provider and by the program of this machine', {
  skip: missingWorkload('edges', false) ?? missingWorkload('edges', true) ?? false,
}, async (t) => {
  const here = await brokerFor(t);
  await providerFor(t, here);
  const workload = workloadOf('edges');
  const module = await here.client.upload(moduleOf(workload));
  const [[name, image]] = Object.entries(workload.files) as [[string, Buffer]];
  const files = { [name]: await here.client.upload(image) };
  const { outcome } = await here.client.run({ module, args: [name], files });
  assert.ok(outcome.state === 'done' && outcome.exitCode === 0);
  const folder = folderFor(t);
  writeFileSync(join(folder, name), image);
  const found = execFileSync(workload.tool!.program, [name], { cwd: folder });
  assert.equal(found.length, image.length);
  // Neither black nor a copy.
  assert.ok(new Set(found).size > 10 && !found.equals(image));
  assert.equal(outcome.stdout, found.toString('base64'));
  const { outcome: none } = await here.client.run({ module, args: ['nowhere'], files });
  assert.ok(none.state === 'done' && none.exitCode === 2 && /cannot be read/.test(text(none.stderr)));
});

test('the task that does nothing is a module that may be run', () => {
  assert.doesNotThrow(() => withMemoryLimit(noop, 1));
});

const skip = missingWorkload('tsp-8', false) ?? missingWorkload('tsp-8', true) ?? false;
test('the travelling salesman says the same wherever it runs, and misbehaves as asked', {
  skip,
}, async (t) => {
  const here = await brokerFor(t);
  await providerFor(t, here);
  const module = await here.client.upload(readFileSync(salesman.module));
  const run = async (word: string, limits = {}) =>
    (await here.client.run({ module, args: [word], limits })).outcome;
  const done = await run('6');
  assert.ok(done.state === 'done' && done.exitCode === 0);
  assert.match(text(done.stdout), /^\d+\.\d{3} \[[0-5, ]+\]\n$/);
  const none = await run('no');
  assert.ok(none.state === 'done' && none.exitCode === 2 && /write tsp N/.test(text(none.stderr)));
  const reason = async (...of: Parameters<typeof run>) => {
    const outcome = await run(...of);
    return outcome.state === 'failed' ? outcome.reason : '';
  };
  const failed = await run('fail');
  assert.ok(failed.state === 'failed');
  assert.match(failed.reason, /unreachable/);
  // What it said of its end before it.
  assert.match(text(failed.stderr ?? ''), /panicked/);
  assert.match(await reason('loop', { ms: 100 }), /longer than the 100 ms/);
  assert.match(await reason('flood'), /more than the 1048576 bytes/);
  assert.match(await reason('grow', { memoryMiB: 8 }), /unreachable/);
});
