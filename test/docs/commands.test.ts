/** What the documentation tells people to type, typed: in order, in a folder of its own, without a shell. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import parseArguments from 'string-argv';
import { freshFolder } from '../run/fake-run.js';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const guides = ['tutorial.md', ...readdirSync(join(checkout, 'docs/how-to')).map((name) => `how-to/${name}`)];

/** Those that are about systems that tests do not have. */
const elsewhere = ['how-to/freebsd.md'];

/** What a reader would have installed. */
const commands: Record<string, string[]> = {
  dispatchbench: [process.execPath, join(checkout, 'bin/dispatchbench.js')],
  'dgram-benchmark': [process.execPath, join(checkout, 'bin/dgram-benchmark.js')],
  node: [process.execPath],
};

interface Block {
  language: string;
  lines: string[];
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, body]) => ({
    language: language!,
    lines: body!.trimEnd().split('\n'),
  }));
}

/** @throws AssertionError when a line begins with what a reader does not have */
function commandOf(line: string): [string, ...string[]] {
  const [name, ...args] = parseArguments(line);
  const known = commands[name!];
  assert.ok(known, `'${name}' is no command of a reader`);
  return [...known, ...args] as [string, ...string[]];
}

async function inBackground(line: string, cwd: string): Promise<ChildProcess> {
  const [command, ...args] = commandOf(line);
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  // Not everything says when it serves.
  await Promise.race([once(child.stdout!, 'data'), pause(1500)]);
  assert.equal(child.exitCode, null, `${line}: ended at once`);
  return child;
}

for (const name of guides) {
  const blocks = blocksOf(readFileSync(join(checkout, 'docs', name), 'utf8'));
  const typed = blocks.filter(({ language }) => language === 'sh').flatMap(({ lines }) => lines);
  if (elsewhere.includes(name)) {
    test(`docs/${name} has nothing that could be typed here`, () => assert.deepEqual(typed, []));
    continue;
  }
  test(`every command of docs/${name} does what it says`, async () => {
    const cwd = freshFolder();
    mkdirSync(join(cwd, 'node_modules'));
    symlinkSync(checkout, join(cwd, 'node_modules/dispatchbench'));
    const running: ChildProcess[] = [];
    assert.ok(typed.length > 0);
    try {
      for (const { language, lines } of blocks) {
        if (language === 'js') {
          const file = /^\/\/ ([\w-]+\.m?js)$/.exec(lines[0]!)?.[1];
          assert.ok(file, 'the first line of a program says where it is saved');
          writeFileSync(join(cwd, file), lines.join('\n'));
        }
        if (language !== 'sh') continue;
        for (const line of lines) {
          if (line.endsWith(' &')) {
            running.push(await inBackground(line.slice(0, -2), cwd));
            continue;
          }
          const [command, ...args] = commandOf(line);
          const { status, stdout, stderr } = spawnSync(command, args, {
            cwd,
            encoding: 'utf8',
            timeout: 120_000,
          });
          assert.equal(status, 0, `${line}\n${stdout}${stderr}`);
          assert.notEqual((stdout + stderr).trim(), '', `${line}: says nothing`);
        }
      }
    } finally {
      for (const child of running) {
        const over = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
        child.kill();
        await over;
      }
    }
  });
}
