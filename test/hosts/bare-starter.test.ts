/** The native starter alone: what it says, and what it makes of what no runner of ours sends. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { programPath } from '../../src/addon.js';
import { starterReport } from '../../src/contract/starter.js';

const program = programPath('dispatchbench-bare');

function told(input: string) {
  const { status, stdout, stderr } = spawnSync(program, ['starter'], {
    input,
    encoding: 'utf8',
    timeout: 30_000,
  });
  const lines = stdout.split('\n').filter(Boolean);
  return { status, stderr, frames: lines.map((line) => starterReport.parse(JSON.parse(line))) };
}

const start = (id: number, command: string, ...args: string[]) =>
  JSON.stringify({ type: 'start', id, command, args });

test('a runner that says nothing gets to know where the programs lie, and the end is its own', () => {
  const { status, frames } = told('');
  assert.equal(status, 0);
  const [ready, ...others] = frames;
  assert.deepEqual(others, []);
  assert.ok(ready?.type === 'ready' && ready.node === '' && program.startsWith(`${ready.native}/`));
});

test('programs that run when the runner goes are ended and told of', () => {
  const shell = 'echo started; read -r line; echo over >&2';
  const { status, frames } = told(`${start(1, '/bin/sh', '-c', shell)}\n`);
  assert.equal(status, 0);
  const of = (type: string) => frames.filter((frame) => frame.type === type);
  assert.equal(of('started').length, 1);
  assert.deepEqual(of('err'), [{ type: 'err', id: 1, text: 'over' }]);
  assert.deepEqual(of('ended'), [{ type: 'ended', id: 1, how: 'ended with code 0' }]);
});

const strange: [string, string][] = [
  ['no JSON', 'hello\n'],
  ['no object', '[]\n'],
  ['an object without a type', '{"id":1}\n'],
  ['half a frame', '{"type":"start","id":1,"comma'],
  ['a number that is none', '{"type":"start","id":1e5,"command":"/bin/true","args":[]}\n'],
  ['a negative number', '{"type":"end","id":-1,"graceMs":1}\n'],
  ['a number without end', `{"type":"end","id":${'9'.repeat(400)},"graceMs":1}\n`],
  ['a control character', '{"type":"line","id":1,"text":"\u0001"}\n'],
  ['a broken escape', '{"type":"line","id":1,"text":"\\u12"}\n'],
  ['half a pair of surrogates', '{"type":"line","id":1,"text":"\\ud800\\u0041"}\n'],
  ['objects within', '{"type":"line","id":{"a":1}}\n'],
  ['a frame without end', 'x'.repeat(5 << 20)],
  ['more behind the object', '{"type":"line","id":1,"text":""} {}\n'],
];
for (const [name, input] of strange) {
  test(`${name} ends it with one sentence`, () => {
    const { status, stderr, frames } = told(input);
    assert.equal(status, 1);
    assert.equal(stderr, 'dispatchbench-bare: the runner sent what is no frame\n');
    assert.deepEqual(
      frames.map(({ type }) => type),
      ['ready'],
    );
  });
}

test('frames about programs that are not there, and of types to come, change nothing', () => {
  const frames = [
    '{"type":"line","id":7,"text":"x"}',
    '{"type":"end","id":7,"graceMs":1}',
    '{"type":"dance","id":7,"steps":["a","b"],"tempo":3}',
    '',
  ];
  const { status, frames: said } = told(`${frames.join('\n')}\n`);
  assert.deepEqual([status, said.length], [0, 1]);
});

test('the observer answers a question that it does not know, or with sizes that are none, and goes on', () => {
  const questions = ['dance', 'spin', 'spin 99999999999', 'copy 1', 'paired 1 2', 'ping'];
  const { status, stdout } = spawnSync(program, ['observer'], {
    input: `${questions.join('\n')}\n`,
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event);
  assert.deepEqual(events, [...Array<string>(5).fill('unknown'), 'pong']);
});

test('it says what it can be', () => {
  for (const args of [[], ['dance'], ['starter', 'observer']]) {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    assert.deepEqual(
      [status, stderr],
      [1, 'dispatchbench-bare: say what it is to be: starter or observer\n'],
    );
  }
});
