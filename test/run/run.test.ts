/** Whole runs of fake programs: order, faults, interruption, resumption. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { levelsKey } from '../../src/contract/sample.js';
import { RunFolder } from '../../src/results/folder.js';
import { measured } from '../../src/trials/sample.js';
import { fakeRun, freshFolder, tinyPlan, withDescriptors } from './fake-run.js';
import { ended, nobodyLeft, printed } from './processes.js';

const fixture = fileURLToPath(new URL('fake-run.js', import.meta.url));
const program = fileURLToPath(new URL('fake-program.js', import.meta.url));
const backendsOf = (folder: RunFolder, status: string) =>
  new Set(
    folder
      .samples()
      .filter((one) => one.status === status)
      .map((one) => one.cell.backend),
  );

test('a run measures every cell once per block and records what it did', async () => {
  const { folder, reason, trials, events } = await fakeRun();
  assert.equal(reason, 'blocks');
  assert.deepEqual(trials, { ok: 8, invalid: 0, failed: 0, impossible: 0 });
  const samples = folder.samples();
  for (const block of [0, 1]) {
    const cells = samples.filter((one) => one.block === block).map((one) => levelsKey(one.cell));
    assert.equal(new Set(cells).size, 4, `block ${block} holds every cell`);
  }
  assert.deepEqual(
    samples.map((one) => one.sequence),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  const idle = samples.find((one) => one.cell.idle === 3)!;
  assert.deepEqual(Object.keys(idle.measurements), ['closed', 'open']);
  for (const name of ['closed', 'open'])
    assert.deepEqual(measured(idle, name, 'load')!.idle, {
      asked: 3,
      standing: 3,
      seenByServer: 3,
      reconnects: 0,
    });
  const info = folder.info();
  assert.equal(info.stopReason, 'blocks');
  assert.equal(info.plan.seed, 7);
  assert.deepEqual(Object.keys(info.hosts), ['local']);
  assert.ok(samples.every(({ host }) => host.name === 'local'));
  assert.match(
    readFileSync(join(folder.path, 'histograms', '000000.hlog'), 'utf8'),
    /^Tag=closed\.latency,/m,
  );
  assert.equal(events.filter(({ event }) => event === 'trial-end').length, 8);
});

test('the order depends on the seed alone', async () => {
  const order = async (seed: number) => {
    const { folder } = await fakeRun({ plan: tinyPlan({ seed, blocks: { min: 1, max: 1 } }) });
    return folder.samples().map((one) => levelsKey(one.cell));
  };
  assert.deepEqual(await order(3), await order(3));
});

const faults: { fault: string; status: string; says: RegExp }[] = [
  { fault: 'dies', status: 'failed', says: /server ended with code 7 .*a deliberate end/ },
  { fault: 'killed', status: 'failed', says: /^server was killed by SIGKILL/ },
  {
    fault: 'other-backend',
    status: 'failed',
    says: /refused to measure: backend 'poll' was asked, 'kqueue' runs/,
  },
  { fault: 'errors', status: 'invalid', says: /1 mismatch/ },
];
for (const { fault, status, says } of faults) {
  test(`fault '${fault}': the trial is ${status} and the run goes on`, async () => {
    const plan = tinyPlan({ blocks: { min: 1, max: 1 } }, { idle: [0, 2] });
    const { folder } = await fakeRun({ plan, host: { fault } });
    assert.deepEqual(backendsOf(folder, status), new Set(['poll']));
    assert.deepEqual(backendsOf(folder, 'ok'), new Set(['epoll']));
    const bad = folder.samples().filter((one) => one.status === status);
    assert.equal(bad.length, 2);
    for (const one of bad) assert.match([one.error, ...one.gates.map(({ message }) => message)].join(), says);
  });
}

test('a program that cannot be started is a failed trial that says so', async () => {
  const host = { server: { command: '/nonexistent/server', args: [] } };
  const { folder, trials } = await fakeRun({ plan: tinyPlan({ blocks: { min: 1, max: 1 } }), host });
  assert.equal(trials.failed, 4);
  assert.match(folder.samples()[0]!.error!, /server could not be started .*ENOENT/);
});

test('cells that the machine cannot run are recorded with the reason, the others are measured', async () => {
  const host = { look: await withDescriptors(150) };
  const plan = tinyPlan({ blocks: { min: 1, max: 1 } }, { idle: [0, 1000] });
  const { folder, trials, events } = await fakeRun({ plan, host });
  assert.deepEqual(trials, { ok: 2, invalid: 0, failed: 0, impossible: 2 });
  for (const one of folder.samples().filter(({ status }) => status === 'impossible')) {
    assert.match(one.error!, /1001 connections need 1101 open descriptors .* hard limit is 150: raise it/);
    assert.deepEqual(one.measurements, {});
  }
  const first = events[0]!;
  assert.ok(first.event === 'notice' && /hard limit is 150/.test(first.message), 'said before anything runs');
});

test('more connections than one process can have are spread over several, where the plan says so', async () => {
  const host = { look: await withDescriptors(110) };
  const settings = { idle: [0, 15], connections: 2, spread: true };
  const plan = tinyPlan({ blocks: { min: 1, max: 1 } }, settings);
  const { folder, trials } = await fakeRun({ plan, host });
  assert.deepEqual(trials, { ok: 4, invalid: 0, failed: 0, impossible: 0 });
  for (const sample of folder.samples()) {
    const { cell, serverProcesses } = sample;
    assert.equal(serverProcesses, cell.idle === 0 ? 1 : 2);
    if (cell.idle === 0) continue;
    const { idle, before } = measured(sample, 'closed', 'load')!;
    assert.deepEqual(idle, { asked: 15, standing: 15, seenByServer: 15, reconnects: 0 });
    assert.equal(before.connections, 17);
  }
});

test('a run of which nothing is possible is refused and leaves no folder', async () => {
  const out = freshFolder();
  const host = { look: await withDescriptors(50) };
  await assert.rejects(fakeRun({ out, host }), /nothing of this plan can run here: 1 connections need 101/);
  assert.deepEqual(readdirSync(out), []);
});

test('a results folder that cannot be written to is one sentence', () => {
  const file = join(freshFolder(), 'file');
  writeFileSync(file, '');
  assert.throws(
    () => RunFolder.create(file, 'tiny'),
    /the results folder .* cannot be written to \(ENOTDIR\)/,
  );
});

test('kill -9 of the runner loses at most the trial in flight, and no child outlives it', async () => {
  const out = freshFolder();
  const child = spawn(process.execPath, [fixture, out], { stdio: ['ignore', 'pipe', 'inherit'] });
  await printed(child, 'trial-start', 4);
  child.kill('SIGKILL');
  await nobodyLeft(program);
  const [name] = readdirSync(out);
  const folder = RunFolder.open(out, name!);
  const kept = folder.samples();
  assert.equal(kept.length, 3);

  appendFileSync(join(folder.path, 'samples.ndjson'), '{"schemaVersion":2,"exper');
  const again = spawn(process.execPath, [fixture, out, name!], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  again.stdout!.on('data', (part) => {
    text += part;
  });
  assert.equal(await ended(again), 0);
  assert.match(text, /half-written: 25 bytes were cut off/);
  const all = folder.samples();
  assert.equal(all.length, 8);
  assert.deepEqual(all.slice(0, 3), kept);
  for (const block of [0, 1]) {
    assert.equal(new Set(all.filter((one) => one.block === block).map((one) => levelsKey(one.cell))).size, 4);
  }
  assert.equal(folder.info().resumed.length, 1);
});

test('Ctrl-C keeps finished trials, ends the children and says interrupted', async () => {
  const out = freshFolder();
  const child = spawn(process.execPath, [fixture, out], { stdio: ['ignore', 'pipe', 'inherit'] });
  await printed(child, 'trial-start', 3);
  child.kill('SIGINT');
  assert.equal(await ended(child), 130);
  await nobodyLeft(program);
  const folder = RunFolder.open(out, readdirSync(out)[0]!);
  assert.equal(folder.samples().length, 2);
  assert.equal(folder.info().stopReason, 'interrupted');
  assert.ok(existsSync(join(folder.path, 'run.json')));
});
