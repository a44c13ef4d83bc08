/** The thesis's server, HTTP on libevent's evhttp, answers as our servers do, by the mechanism that it was told. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { programPath } from '../../src/addon.js';

const program = programPath('dispatchbench-evhttp');
const skip = existsSync(program)
  ? false
  : 'libevent is not installed (Debian, Ubuntu: apt install libevent-dev)';

for (const backend of ['select', 'poll', ...(process.platform === 'linux' ? ['epoll'] : [])]) {
  test(`it serves on ${backend}, and ends when it is told`, { skip }, async () => {
    const child = spawn(program, ['--backend', backend], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    try {
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      const said = JSON.parse(line);
      assert.deepEqual([said.event, said.backend], ['listening', backend]);
      for (let request = 0; request < 3; request++) {
        const reply = await fetch(`http://127.0.0.1:${said.port}/${request}`);
        assert.equal(reply.status, 200);
        assert.equal(await reply.text(), 'dispatchbench\n');
        assert.equal(reply.headers.get('content-type'), 'text/plain');
      }
    } finally {
      child.kill('SIGTERM');
    }
    assert.deepEqual(await ended, [0, null]);
  });
}

test('what it cannot do it says in one sentence', { skip }, () => {
  for (const [args, says] of [
    [[], /--backend is missing/],
    [['--backend', 'kpoll'], /libevent has no method 'kpoll' here: it has .*poll/],
    [['--backend', 'poll', '--port', '70000'], /--port must be a number/],
  ] as const) {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, says);
  }
});
