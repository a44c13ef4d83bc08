/** The published JSON Schemas are those of the code. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';

test('schemas/*.json are current', () => {
  const script = resolve(packageRoot, 'scripts/schemas.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
