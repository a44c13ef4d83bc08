/** A machine reached by ssh as a host: an sshd on loopback stands in for it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHost } from '../../src/hosts/registry.js';
import { sshCommand } from '../../src/hosts/ssh-connection.js';
import { RunFolder } from '../../src/results/folder.js';
import { freshFolder } from '../run/fake-run.js';
import { ended, printed } from '../run/processes.js';
import { bin, dispatchbench } from '../support/command.js';
import { ownCommandLines, ownProcesses } from '../support/own-processes.js';
import { noSshd, type Sshd, startSshd } from '../support/sshd.js';
import { idle, planIn } from './small-plans.js';

const skip = noSshd;

/** With `ssh there` leading to an sshd; afterwards all processes of the test but itself have to be gone. */
async function withSshd(work: (sshd: Sshd) => Promise<void>, ...there: string[]): Promise<void> {
  const before = ownProcesses().length;
  const path = process.env.PATH;
  const sshd = await startSshd(...(there.length > 0 ? [there] : []));
  process.env.PATH = sshd.path;
  try {
    await work(sshd);
  } finally {
    process.env.PATH = path;
    await sshd.stop();
  }
  const deadline = Date.now() + 15_000;
  while (ownProcesses().length > before && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(ownProcesses().length, before, 'nothing is left, here and there');
}

test('run idle-connections --host ssh:there measures every cell', { skip }, () =>
  withSshd(async () => {
    const out = freshFolder();
    const runs = join(out, 'runs');
    const plan = planIn(out, 'idle-connections', idle);
    const { status, stderr } = dispatchbench(
      ...['run', 'idle-connections', '--plan', plan, '--host', 'ssh:there,local', '--out', runs],
    );
    assert.equal(status, 0, stderr);
    const samples = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
    assert.equal(samples.length, 16);
    for (const { host, error, measurements } of samples) {
      assert.equal(error, null);
      assert.deepEqual([host.executionClass, host.transport], ['native', 'loopback']);
      assert.ok(Object.keys(measurements).length > 0);
    }
    assert.deepEqual([...new Set(samples.map(({ host }) => host.name))].sort(), ['local', 'ssh-there']);
  }),
);

test('the programs there get their words as they are, whatever a shell would make of them', { skip }, () =>
  withSshd(async () => {
    const roles = await openHost('ssh:there');
    try {
      const words = ['a b', '$(id)', '`id`', ';', "'", '"', '*', '\\', 'ü', ''];
      const code = 'console.log(JSON.stringify({ event: "words", words: process.argv.slice(1) }))';
      const one = roles.server.spawn('a program', {
        command: process.execPath,
        args: ['-e', code, '--', ...words],
      });
      assert.deepEqual(await one.expect('words', 20_000), { event: 'words', words });
      await one.end(1000);
      assert.equal(one.ended(), 'a program ended with code 0');
      assert.ok(one.pid > 0);
      const none = roles.server.spawn('no program', { command: '/nowhere', args: [] });
      await assert.rejects(
        none.expect('x', 20_000),
        /no program could not be started \(spawn \/nowhere ENOENT\)/,
      );
    } finally {
      await roles.close();
    }
  }),
);

test('a program that does not end by itself is made to', { skip }, () =>
  withSshd(async () => {
    const roles = await openHost('ssh:there');
    const code =
      'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("{\\"event\\":\\"up\\"}")';
    const one = roles.server.spawn('it', { command: process.execPath, args: ['-e', code] });
    await one.expect('up', 20_000);
    await one.end(200);
    assert.equal(one.ended(), 'it was killed by SIGKILL');
    await roles.close();
  }),
);

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} of the runner leaves nothing, here and there`, { skip }, () =>
    withSshd(async () => {
      const out = freshFolder();
      const plan = planIn(out, 'idle-connections', { ...idle, closed: { warmupMs: 20, durationMs: 60_000 } });
      const args = ['run', 'idle-connections', '--plan', plan, '--host', 'ssh:there', '--out', out, '--json'];
      const runner = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
      await printed(runner, 'trial-start', 1);
      const over = ended(runner);
      runner.kill(signal);
      await over;
    }),
  );
}

test('a connection that breaks shows in every program, with the reason', { skip }, () =>
  withSshd(async () => {
    const roles = await openHost('ssh:there');
    const one = roles.server.spawn('it', {
      command: process.execPath,
      args: ['-e', 'process.stdin.resume()'],
    });
    const lost = assert.rejects(one.expect('never', 20_000), /it was lost: there /);
    for (const { pid, words } of ownCommandLines())
      if (words.at(-2) === 'starter' && words[0] === '/usr/bin/ssh') process.kill(pid, 'SIGKILL');
    await lost;
    await roles.close();
  }),
);

test('a machine without dispatchbench is one sentence with what it said', { skip }, () =>
  withSshd(
    () =>
      assert.rejects(
        openHost('ssh:there'),
        /not available: there ended with code \d+.*; is it reached by 'ssh there/,
      ),
    '/nowhere/dispatchbench',
  ),
);

test('only a name of a machine is taken, and the words for its shell are ours', async () => {
  for (const argument of ['', '-oProxyCommand=id', 'a b', 'a;id', '$(id)', 'a:22', '@a'])
    await assert.rejects(openHost(`ssh:${argument}`), /the host 'ssh' needs the name of a machine/);
  await assert.rejects(openHost('ssh'), /ssh:\[USER@\]HOST/);
  const { args } = sshCommand('me@there', 'dispatchbench', 'starter');
  assert.deepEqual(args.slice(-4), ['--', 'me@there', 'dispatchbench', 'starter']);
});
