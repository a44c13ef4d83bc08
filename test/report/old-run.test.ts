/** Runs that an older suite wrote: nothing of them is guessed at. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { dispatchbench } from '../support/command.js';

describe('a run of schema version 1', () => {
  let parent: string;
  let folder: string;
  before(() => {
    parent = mkdtempSync(join(tmpdir(), 'dispatchbench-old-run-'));
    folder = join(parent, 'old');
    // Recorded by version 0.1.0: its first sample, without histograms.
    cpSync('test/report/fixtures/version-1', folder, { recursive: true });
  });
  after(() => rmSync(parent, { recursive: true, force: true }));

  const commands = [
    { name: 'report', more: () => [] },
    { name: 'claims', more: () => [] },
    { name: 'open', more: () => [] },
    { name: 'compare', more: () => [folder] },
  ];
  for (const { name, more } of commands) {
    it(`${name} says in one sentence which version wrote it`, () => {
      const { status, stdout, stderr } = dispatchbench(name, folder, ...more());
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.equal(
        stderr,
        `dispatchbench: ${join(folder, 'run.json')} was written by dispatchbench 0.1.0 (schema version 1) and this one reads schema version 2: use the one that wrote it\n`,
      );
    });
  }

  it('history leaves it out and says so', () => {
    const { status, stderr } = dispatchbench('history', '--out', parent);
    assert.equal(status, 1);
    assert.match(stderr, /^left out: old: .* was written by dispatchbench 0\.1\.0 /);
    assert.match(stderr, /holds no readable run/);
  });

  it('is told by its samples where it has lost its record', () => {
    rmSync(join(folder, 'run.json'));
    const { status, stderr } = dispatchbench('report', folder);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^dispatchbench: \S+samples\.ndjson was written by dispatchbench of another version \(schema version 1\) and this one reads schema version 2: use the one that wrote it\n$/,
    );
  });
});
