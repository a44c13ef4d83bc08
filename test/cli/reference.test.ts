/** Help, manual and reference: each command has examples that can be typed, and what is made of them is current. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { parseArgsStringToArgv } from 'string-argv';
import { packageRoot } from '../../src/addon.js';
import { programWith } from '../../src/cli/program.js';
import { type Entry, entryOf } from '../../src/cli/reference.js';
import { dgramCommand, dgramExamples } from '../../src/dgram-benchmark/arguments.js';

const program: CommandUnknownOpts = await programWith(() => true);

/** Whatever is parsed does nothing, and a fault is thrown. */
function disarm(command: CommandUnknownOpts): void {
  command.exitOverride().configureOutput({ writeErr() {}, outputError() {} });
  if (command.commands.length === 0) command.action(() => {});
  for (const below of command.commands) disarm(below);
}
const entry = entryOf(program);
disarm(program);

const all = (of: Entry): Entry[] => [of, ...of.below.flatMap(all)];

/** Words of an example; what a shell does with its output is not ours. */
const words = (line: string) => parseArgsStringToArgv(line.replace(/ > \S+$/, ''));

describe('every command', () => {
  for (const { path, examples } of entry.below.flatMap(all))
    it(`${path} has two examples, which parse`, async () => {
      assert.ok(examples.length >= 2);
      for (const [line] of examples) await program.parseAsync(words(line), { from: 'user' });
    });

  it('is parsed here indeed: a wrong option is refused', async () => {
    await assert.rejects(
      program.parseAsync(['claims', 'latest', '--nope'], { from: 'user' }),
      /unknown option/,
    );
    await assert.rejects(program.parseAsync(['predict'], { from: 'user' }), /required option/);
  });

  it('dgram-benchmark has examples, which parse', () => {
    assert.ok(dgramExamples.length >= 2);
    for (const [line] of dgramExamples) dgramCommand().exitOverride().parse(words(line), { from: 'user' });
  });

  it('says which options are required, and no default that goes without saying', () => {
    const options = all(entry).flatMap((one) => one.options);
    assert.ok(options.some(({ term, about }) => term === '--idle <n>' && about.endsWith('(required)')));
    assert.ok(options.every(({ about }) => !about.includes('default: false')));
  });
});

it('reference and manual are current, and the same in any home', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(packageRoot, 'scripts/reference.mjs'), '--check'],
    {
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: '/elsewhere', CHROMIUM: '/elsewhere/browser' },
    },
  );
  assert.equal(status, 0, stderr);
});

it('troff reads the manual without a warning', {
  skip: spawnSync('groff', ['--version']).error ? 'there is no groff here' : false,
}, () => {
  for (const name of ['dispatchbench', 'dgram-benchmark']) {
    const { stdout, stderr } = spawnSync(
      'groff',
      ['-man', '-ww', '-Tutf8', join(packageRoot, `man/${name}.1`)],
      {
        encoding: 'utf8',
      },
    );
    assert.equal(stderr, '');
    // Bold is a letter twice.
    assert.match(stdout.replaceAll(/(.)[\b]\1/g, '$1'), /^EXIT STATUS$/m);
  }
});
