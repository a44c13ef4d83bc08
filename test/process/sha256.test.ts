/** Our SHA-256 against Node's: with the processor's instructions, where it has them, and without. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { test } from 'node:test';
import { addonPath } from '../../src/addon.js';

const { sha256 } = createRequire(import.meta.url)(
  resolve(dirname(addonPath), 'dispatchbench_testing.node'),
) as { sha256(bytes: Uint8Array): [fast: string, plain: string] };

test('messages of every length up to five blocks, and a long one', () => {
  for (const length of [...Array(321).keys(), 1_000_003]) {
    const message = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);
    const expected = createHash('sha256').update(message).digest('hex');
    assert.deepEqual(sha256(message), [expected, expected], `${length} bytes`);
  }
});
