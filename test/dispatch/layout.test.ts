/** An addon that does not fit this package is refused before it is used, in one clear sentence. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addonPath } from '../../src/addon.js';
import { backendNames } from '../../src/contract/names.js';
import { disagreement, layout } from '../../src/dispatch/layout.js';
import { native } from '../../src/dispatch/native.js';

test('the addon of this build agrees', () => {
  assert.equal(disagreement(native.layout()), null);
  assert.deepEqual(
    native.backends().map(({ name }) => name),
    backendNames,
  );
});

const swapped = (names: readonly string[]) => [names[1]!, names[0]!, ...names.slice(2)];
const others: [name: string, addon: Record<string, unknown>, says: RegExp][] = [
  ['a word more', { ...layout, eventWords: 5 }, /^eventWords: the addon has 5; the package has 4$/],
  [
    'a counter less',
    { ...layout, counters: layout.counters.slice(1) },
    /^counters: the addon has emptyWaits, .*; the package has waits, emptyWaits, /,
  ],
  [
    'counters in another order',
    { ...layout, counters: swapped(layout.counters) },
    /^counters: the addon has emptyWaits, waits, saturatedWaits/,
  ],
  [
    'capabilities in another order',
    { ...layout, capabilities: swapped(layout.capabilities) },
    /^capabilities: the addon has waitComplexity, trigger, /,
  ],
  [
    'an option with another default',
    { ...layout, serverOptions: layout.serverOptions.map((one) => one.replace('4096', '511')) },
    /^serverOptions: the addon has .*backlog 1\.\.65535 511.*; the package has .*backlog 1\.\.65535 4096/,
  ],
  ['a list that is missing', { ...layout, counters: undefined }, /^counters: the addon has nothing; /],
  ['a list that is unknown here', { ...layout, moods: ['good'] }, /^moods: the addon has good; the package/],
];

for (const [name, addon, says] of others) {
  test(`disagreement: ${name}`, () => assert.match(disagreement(addon)!, says));
}

test('loading an addon with counters in another order fails in one sentence', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const other = join(folder, 'other.cjs');
  const counters = JSON.stringify(swapped(layout.counters));
  writeFileSync(
    other,
    `const addon = require(${JSON.stringify(addonPath)});
     module.exports = { ...addon, layout: () => ({ ...addon.layout(), counters: ${counters} }) };`,
  );
  const module = fileURLToPath(new URL('../../src/dispatch/native.js', import.meta.url));
  const program = `import(${JSON.stringify(module)}).catch(({ message }) => console.log(message))`;
  const { stdout } = spawnSync(process.execPath, ['-e', program], {
    encoding: 'utf8',
    env: { ...process.env, DISPATCHBENCH_ADDON: other },
  });
  assert.match(
    stdout,
    /^the native addon is of another version than this package \(counters: .*\): run 'npm run setup' to build it\n$/,
  );
});
