/** What perf prints, mutated by lines and bytes: the parser reads it or refuses it in words, and counts what it read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { parsePerfScript } from '../../src/flame/perf-script.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';

const recorded = readFileSync(join(packageRoot, 'test/flame/fixtures/libuv-echo.perf.txt'), 'utf8').slice(
  0,
  8000,
);
const hostileWords = [
  '',
  '\0',
  ';',
  '\u001b[31m',
  '__proto__',
  '9'.repeat(400),
  '(',
  ')',
  '[unknown]',
  '-1',
  'NaN',
];

const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1));
const pick = <T>(random: Random, from: readonly T[]): T => from[upTo(random, from.length - 1)]!;

function mutated(random: Random): string {
  const lines = recorded.split('\n');
  for (let changes = upTo(random, 12); changes >= 0; changes--) {
    const at = upTo(random, lines.length - 1);
    const line = lines[at] ?? '';
    const cut = upTo(random, line.length);
    const change = pick<() => string[]>(random, [
      () => [],
      () => [line, line],
      () => [line.slice(0, cut)],
      () => [line.slice(0, cut) + pick(random, hostileWords) + line.slice(cut)],
      () => [line.split(' ').reverse().join(' ')],
      () => ['', line, ''],
      () => [lines[upTo(random, lines.length - 1)] ?? ''],
    ]);
    lines.splice(at, 1, ...change());
  }
  return lines.join(pick(random, ['\n', '\n', '\r\n']));
}

const seed = 1 + Math.floor(Math.random() * 1e9);
test(`2000 mutations of a recorded text, seed ${seed}`, () => {
  const random = randomFrom(seed);
  for (let i = 0; i < 2000; i++) {
    const text = mutated(random);
    try {
      parsePerfScript(text);
    } catch (error) {
      const { name, message } = error as Error;
      assert.equal(name, 'Error', `mutation ${i} of seed ${seed}: ${message}`);
    }
  }
});
