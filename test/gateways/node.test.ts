/** The gateways that run in Node: on node:http, the same with a module, and on our pollers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { holdToContract } from './contract-cases.js';
import { type Command, GatewayProcess, withGateway } from './contract-process.js';
import { builtModules, notBuilt } from './gateway-process.js';
import { modules } from './hand-made-modules.js';
import { ask } from './replies.js';

const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-modules-'));
after(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, bytes: Uint8Array): string {
  const file = join(folder, `${name}.wasm`);
  writeFileSync(file, bytes);
  return file;
}

const nodeProgram = (program: string, ...args: string[]): Command => ({
  command: process.execPath,
  args: [join(packageRoot, `dist/gateways/node/${program}.js`), ...args],
});

holdToContract({
  name: 'node:http',
  command: (...args) => nodeProgram('http', ...args),
  hello: 'hello',
  announces: { name: 'node', mode: 'http', module: false },
  memoryMiB: 64,
});

const prefixer = fileOf('prefixer', modules.prefixer);
holdToContract({
  name: 'node:http with a module',
  command: (...args) => nodeProgram('wasm', '--module', prefixer, ...args),
  hello: 'wasm:hello',
  announces: { name: 'node', mode: 'wasm', module: true },
  memoryMiB: 64,
});

holdToContract({
  name: 'node:http with a module that is exchanged',
  command: (...args) => nodeProgram('hot', '--module', prefixer, ...args),
  hello: 'wasm:hello',
  announces: { name: 'node', mode: 'hot', module: true },
  memoryMiB: 64,
});

// How a set of epoll is told of changes is no matter of the gateway's.
const backends = listBackends().filter(
  ({ name, available }) => available && !name.startsWith('epoll-batched'),
);
for (const [index, { name }] of backends.entries()) {
  holdToContract({
    name: `TypeScript on ${name}`,
    command: (...args) => nodeProgram('dispatch', '--backend', name, ...args),
    hello: 'hello',
    announces: { name: 'node', mode: name, module: false },
    memoryMiB: 64,
    sameProgram: index > 0,
  });
}

const misbehaving: [name: keyof typeof modules, status: number, says: RegExp][] = [
  ['trap', 500, /trapped/],
  ['exit3', 500, /exit code 3/],
  ['silent', 502, /wrote nothing/],
  ['flood', 500, /more than 1 MiB/],
  ['wild', 500, /trapped/],
  ['pointer', 502, /wrote nothing/],
  ['greedy', 500, /exit code 7/],
  ['endless', 504, /longer than 50 ms/],
];

for (const [name, status, says] of misbehaving) {
  test(`a module that misbehaves (${name}): ${status}, and the gateway goes on`, async () => {
    const deadline = name === 'endless' ? '50' : '60000';
    const options = ['--listen', '127.0.0.1:0', '--deadline-ms', deadline, '--memory-mb', '64'];
    const command = nodeProgram('wasm', '--module', fileOf(name, modules[name]), ...options);
    await withGateway(command, async (port) => {
      for (let i = 0; i < 20; i++) {
        const reply = await ask(port, '/');
        assert.equal(reply.status, status);
        assert.match(reply.body.toString(), says);
      }
      assert.equal((await ask(port, '/health')).body.toString(), 'ok');
    });
  });
}

test('every prefixer serves', { skip: notBuilt }, async () => {
  for (const { name, file } of builtModules().filter(({ kind }) => kind === 'prefixer')) {
    await withGateway(nodeProgram('wasm', '--module', file, '--listen', '127.0.0.1:0'), async (port) => {
      for (let i = 0; i < 3; i++) assert.equal((await ask(port, '/')).body.toString(), 'wasm:hello', name);
    });
  }
});

test('a module gets the memory that --memory-mb allows', async () => {
  const options = ['--listen', '127.0.0.1:0', '--memory-mb', '256'];
  const command = nodeProgram('wasm', '--module', fileOf('greedy', modules.greedy), ...options);
  await withGateway(command, async (port) => {
    assert.equal((await ask(port, '/')).body.toString(), 'fed');
  });
});

test('what is no module that can run here: exit code 1 and one sentence', async () => {
  const files = [
    join(folder, 'absent.wasm'),
    fileOf('text', Buffer.from('no module')),
    fileOf('cut', modules.prefixer.subarray(0, 60)),
    fileOf('stranger', modules.stranger),
  ];
  for (const file of files) {
    const gateway = new GatewayProcess(nodeProgram('wasm', '--module', file));
    assert.equal(await gateway.ended(), 1, file);
    assert.equal(gateway.stderr.trim().split('\n').length, 1, gateway.stderr);
    assert.match(gateway.stderr, /cannot be used/);
  }
});
