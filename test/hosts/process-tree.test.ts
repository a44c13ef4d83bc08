/** CPU time counted outside a program, and how it takes the place of the program's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accounted } from '../../src/hosts/accounted.js';
import { Child } from '../../src/hosts/child.js';
import { treeCpu } from '../../src/hosts/process-tree.js';

const spin =
  'while (process.cpuUsage().user < 300000); console.log(JSON.stringify({ event: "spun" })); process.stdin.resume()';
const spun = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(spin)}], { stdio: 'inherit' })`;

test('what a child of a child uses is in the tree', {
  skip: process.platform === 'linux' ? false : '/proc is Linux',
}, async () => {
  const child = new Child('a parent', { command: process.execPath, args: ['-e', spun] });
  try {
    await child.expect('spun', 20_000);
    const { userUs, systemUs } = treeCpu(child.pid);
    assert.ok(userUs + systemUs >= 250_000, `${userUs} and ${systemUs} us`);
    assert.ok(userUs + systemUs < 5e6, `${userUs} and ${systemUs} us`);
  } finally {
    await child.end(1000);
  }
});

test('CPU time is that since the program was started, and nothing else of a line changes', async () => {
  const own = { userUs: 1, systemUs: 2 };
  const lines: Record<string, unknown> = {
    snapshot: { event: 'snapshot', id: '1', cpu: own },
    hello: { event: 'hello', cpu: 3 },
  };
  const program = {
    name: 'x',
    pid: 1,
    expect: async (event: string) => lines[event],
    send: () => {},
    end: async () => {},
    ended: () => null,
    stderrTail: () => '',
  };
  const carriers = { userUs: 30, systemUs: 300 };
  for (const [as, told] of [
    ['cpu', { cpu: carriers }],
    ['carrierCpu', { cpu: own, carrierCpu: carriers }],
  ] as const) {
    const counts = [100, 130, 170];
    const one = accounted(program, () => ({ userUs: counts[0]!, systemUs: 10 * counts.shift()! }), as);
    assert.deepEqual(await one.expect('hello', 1), lines.hello);
    assert.deepEqual(await one.expect('snapshot', 1), { event: 'snapshot', id: '1', ...told });
  }
});
