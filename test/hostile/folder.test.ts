/** A run's folder where the disk is full, a line is damaged, or two write at once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunFolder } from '../../src/results/folder.js';
import { lockFolder } from '../../src/results/lock.js';
import { fakeRun, freshFolder, tinyPlan } from '../run/fake-run.js';
import { ended, printed } from '../run/processes.js';

const fixture = fileURLToPath(new URL('../run/fake-run.js', import.meta.url));
const claimsIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('owner.'));

test('a trial that the disk does not take is written again, over what was left of it', async () => {
  let folder!: RunFolder;
  let failures = 0;
  const outcome = await fakeRun({
    writePausesMs: [1, 1],
    openFolder() {
      folder = RunFolder.create(freshFolder(), 'tiny');
      const append = folder.append.bind(folder);
      folder.append = (sample) => {
        if (failures++ % 2 === 0) {
          appendFileSync(join(folder.path, 'samples.ndjson'), JSON.stringify(sample).slice(0, 50));
          throw new Error('samples.ndjson could not be written: no space is left (ENOSPC)');
        }
        append(sample);
      };
      return folder;
    },
  });
  assert.equal(folder.samples().length, 8);
  assert.deepEqual(folder.read().refused, []);
  const said = outcome.events.filter(({ event }) => event === 'notice');
  assert.equal(said.length, 8);
  assert.match(JSON.stringify(said[0]), /ENOSPC.*the finished trial .* waits in memory/);
});

test('a trial that the disk never takes is named, and all before it is kept', async () => {
  let folder!: RunFolder;
  const openFolder = () => {
    folder = RunFolder.create(freshFolder(), 'tiny');
    const append = folder.append.bind(folder);
    let taken = 0;
    folder.append = (sample) => {
      if (++taken > 2) throw new Error('samples.ndjson could not be written: no space is left (ENOSPC)');
      append(sample);
    };
    return folder;
  };
  await assert.rejects(
    fakeRun({ openFolder }),
    /ENOSPC.*the finished trial idle-connections .* of block 1 is lost, all before it is kept: .*--resume/,
  );
  assert.equal(folder.samples().length, 2);
  assert.deepEqual(claimsIn(folder.path), []);
});

test('a damaged line in the middle: the rest is kept, its trial is measured again', async () => {
  const { folder } = await fakeRun();
  const path = join(folder.path, 'samples.ndjson');
  const lines = readFileSync(path, 'utf8').split('\n');
  lines[3] = `${lines[3]!.slice(0, 100)}\u0000`;
  writeFileSync(path, lines.join('\n'));
  const resumed = await fakeRun({
    openFolder: () => RunFolder.open(dirname(folder.path), folder.id),
    resume: true,
  });
  assert.equal(folder.samples().length, 8);
  assert.equal(folder.read().refused[0]!.line, 4);
  assert.match(JSON.stringify(resumed.events), /line 4 of samples\.ndjson is left out \(it is not JSON\)/);
});

for (const name of ['samples.ndjson', 'histograms']) {
  test(`a run whose ${name} is a link is not gone on with`, async () => {
    const { folder } = await fakeRun({ plan: tinyPlan({ blocks: { min: 1, max: 1 } }) });
    const copy = RunFolder.create(freshFolder(), 'linked');
    copy.writeInfo(folder.info());
    rmSync(join(copy.path, name), { recursive: true });
    symlinkSync(join(folder.path, name), join(copy.path, name));
    await assert.rejects(
      fakeRun({ openFolder: () => copy, resume: true, plan: folder.info().plan }),
      /is a link, so the run would be written elsewhere: remove it/,
    );
  });
}

test('a second process is refused a run that is going on, by the first one\u2019s id', async () => {
  const out = freshFolder();
  const first = spawn(process.execPath, [fixture, out], { stdio: ['ignore', 'pipe', 'inherit'] });
  await printed(first, 'trial-start', 1);
  const [name] = readdirSync(out) as [string];
  await assert.rejects(
    fakeRun({ openFolder: () => RunFolder.open(out, name), resume: true }),
    new RegExp(`process ${first.pid} is writing this run: wait for it or end it`),
  );
  first.kill('SIGKILL');
  await ended(first);
  assert.equal(claimsIn(join(out, name)).length, 1, 'the claim of the dead is left');
  const release = await lockFolder(join(out, name));
  assert.deepEqual(claimsIn(join(out, name)).length, 1, 'and taken over');
  release();
  assert.deepEqual(claimsIn(join(out, name)), []);
});

test('of two that resume at once one goes on, and no trial is there twice', async () => {
  const out = freshFolder();
  const first = spawn(process.execPath, [fixture, out], { stdio: ['ignore', 'pipe', 'inherit'] });
  await printed(first, 'trial-start', 2);
  first.kill('SIGKILL');
  await ended(first);
  const [name] = readdirSync(out) as [string];
  const codes = await Promise.all(
    [1, 2].map(() => ended(spawn(process.execPath, [fixture, out, name], { stdio: 'ignore' }))),
  );
  assert.ok(codes.filter((code) => code === 0).length <= 1, `${codes}`);
  const { samples, refused } = RunFolder.open(out, name).read();
  assert.deepEqual(refused, []);
  assert.equal(samples.length, codes.includes(0) ? 8 : 1);
});

const machine = hostname().replaceAll(/[^\w.-]/g, '_');
const claims: { name: string; file: string; says: RegExp | null }[] = [
  { name: 'of a pid that nobody has', file: `owner.99999999.5.${machine}`, says: null },
  { name: 'of a pid that another program has now', file: `owner.${process.ppid}.1.${machine}`, says: null },
  {
    name: 'of another machine',
    file: 'owner.1.5.elsewhere',
    says: /process 1 of elsewhere .* remove \S+owner/,
  },
];
for (const { name, file, says } of claims) {
  test(`a claim ${name} ${says ? 'stands' : 'is taken over'}`, async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, file), '');
    if (says) await assert.rejects(lockFolder(folder), says);
    else (await lockFolder(folder))();
    assert.equal(existsSync(join(folder, file)), says !== null);
  });
}
