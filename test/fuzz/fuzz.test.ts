/** Every target of the fuzzer for a while, and the fuzzer itself: it finds what is there to be found. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Coverage } from './coverage.js';
import { Finding, fuzz } from './engine.js';
import { targets } from './targets.js';

const main = fileURLToPath(new URL('main.js', import.meta.url));
const seed = 1 + Math.floor(Math.random() * 1e9);

for (const { name } of targets) {
  test(`${name}: no finding in 500 inputs (seed ${seed})`, () => {
    const args = [main, name, '--inputs', '500', '--seed', `${seed}`];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /: \d{3,} inputs, \d+ kept, \d+ blocks reached/);
  });
}

const faults: [name: 'throws' | 'hangs' | 'neverAnswers' | 'slow', says: RegExp][] = [
  ['throws', /planted/],
  ['hangs', /timed out after 300ms/],
  ['neverAnswers', /no end after 300 ms/],
  ['slow', /\d+ steps for \d+ bytes, more than \d+/],
];
for (const [name, says] of faults) {
  test(`a planted reader that ${name} is found`, async () => {
    const coverage = new Coverage(['/fuzz/planted.js']);
    const { [name]: target } = await import('./planted.js');
    const search = { seed: 3, known: [], until: (inputs: number) => inputs > 100_000 };
    const longestMs = name === 'hangs' || name === 'neverAnswers' ? 300 : 60_000;
    await assert.rejects(fuzz(target, coverage, { ...search, longestMs }), (error) => {
      assert.ok(error instanceof Finding);
      assert.match(error.message, says);
      return true;
    });
  });
}
