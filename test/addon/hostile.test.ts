/** Objects made to break the addon. Each call runs in a process of its own, which has to end with a JavaScript error. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('./hostile-child.js', import.meta.url));
const run = (...args: string[]) =>
  spawnSync(process.execPath, ['--expose-gc', child, ...args], { encoding: 'utf8' });

/** What is thrown: a code, or the script's own error. */
const expected: Record<string, string> = {
  'udpOpen: a symbol': 'ERR_INVALID_ARG_TYPE',
  'udpOpen: toString throws': 'ERR_INVALID_ARG_TYPE',
  'udpOpen: no prototype': 'ERR_INVALID_ARG_TYPE',
  'udpOpen: an element throws': 'getter of an element',
  'serverRun: a symbol': 'ERR_INVALID_ARG_TYPE',
  'serverRun: no prototype': 'ERR_INVALID_ARG_TYPE',
  'serverRun: an element throws': 'getter of an element',
  'httpParse: an element throws': 'getter of an element',
  'httpParse: an element transfers the bytes': 'ERR_OUT_OF_RANGE',
  'httpParse: a setter of Array.prototype transfers the bytes': 'parsed',
  'loadStart: a field throws': 'getter of host',
  'loadStart: an element of sources throws': 'getter of an element',
  'loadStart: a proxy throws': 'trap',
  'idleStart: an element of sources throws': 'getter of an element',
  'sessionStart: a field throws': 'getter of port',
  'datagramStart: a field throws': 'getter of ports',
  'processSetAffinity: an element throws': 'getter of an element',
  'a thrown value that is no object': 'Symbol(no object)',
  'pollerOpen: a resizable buffer says it is none, and shrinks': 'ERR_DETACHED_BUFFER',
  'ioOpen: a resizable slab says it is none, and shrinks': 'ERR_DETACHED_BUFFER',
  'ioOpen: a property of the ring transfers the slab': 'no script ran',
  'results: a setter of Object.prototype throws': 'no script ran',
  'errors: a setter of Object.prototype throws': 'ERR_INVALID_ARG_TYPE',
  'results: a setter of Array.prototype throws': 'no script ran',
};

test('every case is expected', () => {
  assert.deepEqual(JSON.parse(run().stdout), Object.keys(expected));
});

for (const [name, error] of Object.entries(expected)) {
  test(name, () => {
    const { status, signal, stdout, stderr } = run(name);
    assert.deepEqual(
      { status, signal, said: stdout.trim() },
      { status: 0, signal: null, said: error },
      stderr,
    );
  });
}
