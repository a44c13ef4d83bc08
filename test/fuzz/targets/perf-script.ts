/** What perf prints: read or refused in words, and what was read before damage stays. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/addon.js';
import { frameText } from '../../../src/flame/frame.js';
import { parsePerfScript } from '../../../src/flame/perf-script.js';
import { formatFolded, parseFolded, type Stack } from '../../../src/flame/stacks.js';
import type { Target } from '../engine.js';

const recorded = readFileSync(join(packageRoot, 'test/flame/fixtures/libuv-echo.perf.txt'), 'utf8');
const blocks = recorded.split('\n\n');
const good = `${blocks.slice(0, 2).join('\n\n')}\n\n`;
const keyOf = ({ frames }: Stack) => frames.map(frameText).join(';');
const before = parsePerfScript(good).stacks;

export const target: Target = {
  seeds: blocks.slice(0, 6).map((block) => Buffer.from(`${block}\n\n`)),
  words: [
    '[unknown]',
    '(',
    ')',
    ' cycles: ',
    ' 1/1 ',
    '[kernel.kallsyms]',
    '/perf-1.map',
    'JS:*f a.js:1:2',
    'uv_run',
    ';',
    '\n\t',
  ],
  longest: 8000,
  stepsPerByte: 200,
  judge(input) {
    const text = input.toString('utf8');
    const { stacks, samples } = parsePerfScript(text);
    assert.equal(
      stacks.reduce((all, { weight }) => all + weight, 0),
      samples,
    );
    assert.ok(parsePerfScript(good + text).samples >= before.length);
    const after = new Map(parsePerfScript(good + text).stacks.map((stack) => [keyOf(stack), stack.weight]));
    for (const stack of before) assert.ok((after.get(keyOf(stack)) ?? 0) >= stack.weight, 'a stack is lost');
    assert.equal(parseFolded(formatFolded(stacks)).length, stacks.length);
  },
};
