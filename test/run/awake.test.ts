/** Programs started with their CPUs kept awake: a thread of the idle policy on each, in their session, gone with them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { awake } from '../../src/contract/awake.js';
import { hello } from '../../src/contract/server.js';
import { Child } from '../../src/hosts/child.js';
import { allowedCpus } from '../../src/hosts/linux-facts.js';
import { type Command, commandOf } from '../../src/hosts/program.js';
import { keepAwake } from '../../src/process.js';
import { awakeProgram } from '../../src/programs/awake.js';
import { serverProgram } from '../../src/programs/server.js';

const skip = process.platform === 'linux' ? false : 'this system has no idle policy for a thread';
/** sched(7) */
const idlePolicy = 5;
const node = (script: string): Command => ({ command: process.execPath, args: ['-e', script] });
/** Any command, with these CPUs kept awake. */
function awakeCommand(cpus: number[], { command, args }: Command): Command {
  const wrapper = commandOf({ ...awakeProgram(cpus, { native: 'x', args: [] }), runs: undefined } as never);
  return { command: wrapper.command, args: [...wrapper.args, command, ...args] };
}

/** Fields of proc_pid_stat(5) from the third on. */
const stat = (path: string) =>
  readFileSync(`${path}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .map(Number);
const sessionOf = (pid: number) => stat(`/proc/${pid}`)[3];

/** Policy, nice value and last CPU of each thread. */
function threads(pid: number) {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const fields = stat(`/proc/${pid}/task/${thread}`);
    return { nice: fields[16], cpu: fields[36]!, policy: fields[38] };
  });
}

test('every CPU has its thread, which gives way to all of its session', { skip }, async (t) => {
  const cpus = allowedCpus()!;
  const spec = { protocol: 'udp-echo', impl: 'native', backend: 'poll', control: true } as const;
  const child = new Child('server', commandOf(awakeProgram(cpus, serverProgram(spec))));
  t.after(() => child.end(5000));
  assert.deepEqual(awake.parse(await child.expect('awake', 10_000)), { cpus, reason: null });
  const server = hello.parse(await child.expect('hello', 10_000));
  const fillers = threads(child.pid).filter(({ policy }) => policy === idlePolicy);
  assert.deepEqual(
    fillers.toSorted((a, b) => a.cpu - b.cpu),
    cpus.map((cpu) => ({ nice: 19, cpu, policy: idlePolicy })),
  );
  assert.notEqual(server.pid, child.pid);
  assert.equal(sessionOf(server.pid), sessionOf(child.pid));
  // The control channel is the server's own: it answers, and its end ends both.
  child.send('snapshot 7');
  assert.equal(((await child.expect('snapshot', 10_000)) as { id: string }).id, '7');
  await child.end(5000);
  for (const pid of [child.pid, server.pid]) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('a CPU that does not exist is said, and the command runs all the same', { skip }, async (t) => {
  const child = new Child('command', awakeCommand([1023], node('console.log(\'{"event":"ran"}\')')));
  t.after(() => child.end(5000));
  const { cpus, reason } = awake.parse(await child.expect('awake', 10_000));
  assert.deepEqual(cpus, []);
  assert.match(reason ?? '', /^EINVAL: .*keep CPUs awake/);
  await child.expect('ran', 10_000);
});

test('the exit code is the command’s, and a command that cannot be started is said', () => {
  const run = (command: { command: string; args: string[] }) => {
    const wrapped = awakeCommand([0], command);
    return spawnSync(wrapped.command, wrapped.args, { encoding: 'utf8' });
  };
  assert.equal(run(node('process.exit(7)')).status, 7);
  const { status, stderr } = run({ command: '/nowhere/at/all', args: ['--help'] });
  assert.equal(status, 1);
  assert.match(stderr, /^awake: .*nowhere.* ENOENT/);
});

for (const wrong of [undefined, null, 'all', [], [-1], [1.5e9], ['0'], [Number.NaN]]) {
  test(`keepAwake(${JSON.stringify(wrong)}) is refused`, () => {
    assert.throws(() => keepAwake(wrong as number[]), { code: /^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/ });
  });
}
