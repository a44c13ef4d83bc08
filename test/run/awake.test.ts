/** The program that keeps CPUs awake: a thread of the idle policy on each, gone with its control channel. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { awake } from '../../src/contract/awake.js';
import { Child } from '../../src/hosts/child.js';
import { LocalHost } from '../../src/hosts/local.js';
import { keepAwake } from '../../src/process.js';
import { awakeCommand } from '../../src/programs/awake.js';

const skip = process.platform === 'linux' ? false : 'this system has no idle policy for a thread';
/** sched(7) */
const idlePolicy = 5;

/** Policy, nice value and last CPU of each thread, from proc_pid_stat(5). */
function threads(pid: number) {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return { nice: Number(fields[16]), cpu: Number(fields[36]), policy: Number(fields[38]) };
  });
}

test('every CPU has its thread, which yields to all others', { skip }, async (t) => {
  const cpus = new LocalHost().cpus();
  const child = new Child('awake', awakeCommand({ cpus }));
  t.after(() => child.end(5000));
  assert.deepEqual(awake.parse(await child.expect('awake', 10_000)), { cpus, reason: null });
  const fillers = threads(child.pid).filter(({ policy }) => policy === idlePolicy);
  assert.deepEqual(
    fillers.toSorted((a, b) => a.cpu - b.cpu),
    cpus.map((cpu) => ({ nice: 19, cpu, policy: idlePolicy })),
  );
  await child.end(5000);
  assert.throws(() => process.kill(child.pid, 0), { code: 'ESRCH' });
});

test('a CPU that does not exist is said, and nothing is kept awake', { skip }, async (t) => {
  const child = new Child('awake', awakeCommand({ cpus: [1023] }));
  t.after(() => child.end(5000));
  const { cpus, reason } = awake.parse(await child.expect('awake', 10_000));
  assert.deepEqual(cpus, []);
  assert.match(reason ?? '', /keep CPUs awake: .*EINVAL|Invalid argument/);
});

for (const wrong of [undefined, null, 'all', [], [-1], [1.5e9], ['0'], [Number.NaN]]) {
  test(`keepAwake(${JSON.stringify(wrong)}) is refused`, () => {
    assert.throws(() => keepAwake(wrong as number[]), { code: /^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/ });
  });
}
