/** A run's folder, alone in a temporary folder of runs, from synthetic samples. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Sample } from '../../src/trials/sample.js';
import { runInfo } from './samples.js';

export function runFolder(
  t: Pick<TestContext, 'after'>,
  samples: readonly object[],
  { tail = '', info = runInfo() } = {},
): string {
  const parent = mkdtempSync(join(tmpdir(), 'dispatchbench-runs-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, 'run');
  mkdirSync(folder);
  writeSamples(folder, samples as Sample[], tail);
  writeFileSync(join(folder, 'run.json'), JSON.stringify(info));
  return folder;
}

export function writeSamples(folder: string, samples: readonly object[], tail = ''): void {
  writeFileSync(
    join(folder, 'samples.ndjson'),
    samples.map((sample) => `${JSON.stringify(sample)}\n`).join('') + tail,
  );
}
