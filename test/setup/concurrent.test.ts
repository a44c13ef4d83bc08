/** Several that set one checkout up at once: one works, the others wait for it. The compiler of this checkout is a stand-in. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { packageRoot } from '../../src/addon.js';

const compiler = `
  const { appendFileSync, mkdirSync, rmdirSync } = require('node:fs');
  mkdirSync('at-work');
  setTimeout(() => {
    rmdirSync('at-work');
    appendFileSync('compilations', 'x');
  }, 300);
`;

/** A checkout in which only TypeScript is to be compiled. */
function checkout(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-setup-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['setup.mjs', 'setup-lock.mjs', 'compiler-cache.mjs'])
    cpSync(join(packageRoot, 'scripts', name), join(folder, 'scripts', name));
  mkdirSync(join(folder, 'node_modules/typescript/bin'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/typescript/bin/tsc'), compiler);
  const ofNothing = createHash('sha256').digest('hex');
  for (const stamp of [
    'node_modules/.dispatchbench-stamp',
    'build/.dispatchbench-stamp',
    'dist/.echarts-stamp',
    'dist/.offload-page-stamp',
  ]) {
    mkdirSync(join(folder, stamp, '..'), { recursive: true });
    writeFileSync(join(folder, stamp), ofNothing);
  }
  return folder;
}

/** @returns what it said on stderr, once it ended well */
async function setUp(folder: string): Promise<string> {
  const child = spawn(process.execPath, [join(folder, 'scripts/setup.mjs')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, said);
  return said;
}

const claimsIn = (folder: string) =>
  readdirSync(join(folder, 'build')).filter((name) => name.startsWith('.setup.'));

test('of three that set a checkout up at once one compiles, and the others wait for it', async (t) => {
  const folder = checkout(t);
  const all = await Promise.all([1, 2, 3].map(() => setUp(folder)));
  assert.equal(readFileSync(join(folder, 'compilations'), 'utf8'), 'x');
  assert.equal(all.filter((said) => /^Compiling TypeScript \.\.\. done/m.test(said)).length, 1);
  assert.ok(all.some((said) => /waiting for process \d+, which does the same/.test(said)));
  assert.deepEqual(claimsIn(folder), []);
});

for (const [of, name] of [
  ['a process that is gone', '.setup.99999999.5'],
  ['one whose pid another program has now', `.setup.${process.pid}.1`],
] as const) {
  test(`the claim of ${of} is taken over`, async (t) => {
    const folder = checkout(t);
    writeFileSync(join(folder, 'build', name), '');
    assert.doesNotMatch(await setUp(folder), /waiting/);
    assert.equal(readFileSync(join(folder, 'compilations'), 'utf8'), 'x');
    assert.deepEqual(claimsIn(folder), []);
  });
}
