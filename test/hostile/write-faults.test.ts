/**
 * Every write of a run fails once, or from there on, with ENOSPC or EIO, short, or short and then with ENOSPC; then the
 * run is gone on with. Positions are taken evenly from all of them: HOSTILE_WRITES says how many (all: 0).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/addon.js';
import { writeFrom } from '../../src/files.js';
import { RunFolder } from '../../src/results/folder.js';
import { freshFolder } from '../run/fake-run.js';
import { tried } from '../support/tally.js';

const writer = fileURLToPath(new URL('write-run.js', import.meta.url));
const trials = 6;

/** Writes and syncs of such a run: of each trial two files, of run.json two versions. */
const writes = 42;

const faults = ['ENOSPC', 'EIO', 'short', 'full'].flatMap((kind) =>
  ['', '1'].flatMap((sticky) => Array.from({ length: writes }, (_, at) => ({ kind, sticky, at: at + 1 }))),
);
const asked = Number(process.env.HOSTILE_WRITES ?? 15) || faults.length;
const step = faults.length / Math.min(asked, faults.length);
const chosen = Array.from(
  { length: Math.min(asked, faults.length) },
  (_, i) => faults[Math.floor(i * step)]!,
);

function compiled(): string | null {
  const library = join(freshFolder(), 'write_faults.so');
  const source = join(packageRoot, 'native/testing/write_faults.c');
  const done = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  });
  return done.status === 0 ? library : null;
}

const possible = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

test(`no finished trial is lost, and none is there twice, in ${chosen.length} of ${faults.length} positions`, {
  skip: possible ? false : 'needs Linux and a C compiler',
}, () => {
  const library = compiled();
  assert.ok(library, 'the shim does not compile');
  let met = 0;
  for (const { kind, sticky, at } of chosen) {
    const parent = freshFolder();
    const write = (env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, [writer, parent, `${trials}`], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      });
    const first = write({
      LD_PRELOAD: library,
      FAULT_FOLDER: parent,
      FAULT_AT: `${at}`,
      FAULT_KIND: kind,
      FAULT_STICKY: sticky,
    });
    const what = `${kind}${sticky ? ' from' : ' at'} write ${at}: ${first.stderr}`;
    assert.doesNotMatch(first.stderr, /\n\s+at /, what);
    if (first.status !== 0) met++;
    if (kind === 'short') assert.equal(first.status, 0, what);
    const promised = first.stdout.split('\n').filter(Boolean).map(Number);
    const begun = () => readdirSync(parent).find((name) => existsSync(join(parent, name, 'run.json')));
    const lines = begun() ? readFileSync(join(parent, begun()!, 'samples.ndjson'), 'utf8') : '';
    assert.match(lines, /^$|\n$/, `${what}: half a line is left`);
    const kept = begun()
      ? RunFolder.open(parent, begun()!)
          .samples()
          .map(({ sequence }) => sequence)
      : [];
    for (const sequence of promised) assert.ok(kept.includes(sequence), `${what}: ${sequence} is lost`);
    const again = write({});
    assert.equal(again.status, 0, `${what}, then ${again.stderr}`);
    const { samples, refused } = RunFolder.open(parent, begun()!).read();
    assert.deepEqual(refused, [], what);
    assert.deepEqual(samples.map(({ sequence }) => sequence).sort(), [0, 1, 2, 3, 4, 5], what);
    const folder = join(parent, begun()!);
    const left = readdirSync(folder).filter((name) => /\.part$|^owner\./.test(name));
    assert.deepEqual(left, [], `${what}: nothing is left over`);
    tried('positions of writes that fail');
  }
  assert.ok(met >= chosen.length / 4, `only ${met} faults were met: the shim does not reach the writes`);
});

test('what a full disk took of a line is taken back, and what was left of an earlier one is cut off', {
  skip: possible ? false : 'needs Linux and a C compiler',
}, () => {
  const folder = freshFolder();
  const path = join(folder, 'lines');
  const files = new URL('../../src/files.js', import.meta.url).href;
  // The first line is one write and one sync: the third call is the second line's write.
  const script = `import { writeFrom } from '${files}';
    const end = writeFrom(process.argv[1], 0, 'first\\n');
    try { writeFrom(process.argv[1], end, 'second\\n'); } catch ({ code }) { console.log(code); }`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], {
    encoding: 'utf8',
    env: { ...process.env, LD_PRELOAD: compiled()!, FAULT_FOLDER: folder, FAULT_AT: '3', FAULT_KIND: 'full' },
  });
  assert.equal(stdout, 'ENOSPC\n');
  assert.equal(readFileSync(path, 'utf8'), 'first\n');
  appendFileSync(path, 'half of a longer line');
  writeFrom(path, 6, 'x\n');
  assert.equal(readFileSync(path, 'utf8'), 'first\nx\n');
});

test('repair cuts half a line off the file itself: a run may have nothing left to write over it', () => {
  const folder = RunFolder.create(freshFolder(), 'run');
  const samples = join(folder.path, 'samples.ndjson');
  appendFileSync(samples, '{}\n{"schemaVersion":');
  assert.equal(folder.repair(), 17);
  assert.equal(readFileSync(samples, 'utf8'), '{}\n');
});
