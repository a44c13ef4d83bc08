/** Our programs for a machine like this one, as they are carried to others. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { machine } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/addon.js';

/** Links them, once: what they are made of is kept by digest. */
export function buildCarried(): void {
  const script = join(packageRoot, 'scripts/cross.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, `${machine()}-linux`], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}
