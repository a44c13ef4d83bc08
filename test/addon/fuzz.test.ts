/** Hostile values at every function of the addon, see fuzz-child.ts: no call may end the process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('./fuzz-child.js', import.meta.url));
const calls = 3000;

for (const seed of [1, 2, 1 + Math.floor(Math.random() * 1e9)]) {
  test(`${calls} hostile calls, seed ${seed}`, () => {
    const run = spawnSync(process.execPath, ['--expose-gc', child, `${seed}`, `${calls}`], {
      encoding: 'utf8',
    });
    assert.deepEqual(
      { status: run.status, signal: run.signal, calls: run.stdout.trim() },
      { status: 0, signal: null, calls: `${calls}` },
      `again: node --expose-gc dist/test/addon/fuzz-child.js ${seed} ${calls}\n${run.stderr}`,
    );
  });
}
