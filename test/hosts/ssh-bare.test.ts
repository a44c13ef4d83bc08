/** A machine reached by ssh that has nothing of ours: an sshd on loopback whose programs are a handful of tools. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Roles } from '../../src/hosts/host.js';
import { openHost } from '../../src/hosts/registry.js';
import { RunFolder } from '../../src/results/folder.js';
import { freshFolder } from '../run/fake-run.js';
import { ended, printed } from '../run/processes.js';
import { buildCarried } from '../support/carried.js';
import { bin, dispatchbench } from '../support/command.js';
import { ownCommandLines, ownProcesses } from '../support/own-processes.js';
import { noSshd, startSshd } from '../support/sshd.js';
import { idle, planIn, ports } from './small-plans.js';

const skip = noSshd;

/** All that is called by name there. */
const names = ['sh', 'uname', 'mkdir', 'head', 'tar', 'rm'];
const tools = Object.fromEntries(
  names.map((name) => [name, spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim()]),
);

const folders = () => readdirSync('/tmp').filter((name) => name.startsWith('dispatchbench-bare-'));

before(() => {
  if (!skip) buildCarried();
});

/** With `ssh there` leading to such a machine; afterwards no process of the test and no folder is left. */
async function withMachine(work: () => Promise<void>, there = tools): Promise<void> {
  const before = { processes: ownProcesses().length, folders: folders() };
  const path = process.env.PATH;
  const sshd = await startSshd([], there);
  process.env.PATH = sshd.path;
  try {
    await work();
    const deadline = Date.now() + 15_000;
    // sshd's own sessions end before it does.
    while ((ownProcesses().length > before.processes || folders().length > 0) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(folders(), before.folders);
  } finally {
    process.env.PATH = path;
    await sshd.stop();
  }
  assert.equal(ownProcesses().length, before.processes, 'nothing is left, here and there');
}

async function withHost(work: (roles: Roles) => Promise<void>): Promise<void> {
  const roles = await openHost('ssh-bare:there');
  try {
    await work(roles);
  } finally {
    await roles.close();
  }
}

/** Names of the programs that run because of this test and are not this one. */
const programs = () => ownCommandLines().map(({ words }) => words[0]!);

for (const [experiment, settings] of [
  ['idle-connections', { ...idle, impls: ['native', 'ts', 'baseline'] }],
  ['udp-ports', { ...ports, impls: ['native', 'baseline'] }],
] as const) {
  test(
    `run ${experiment} --host ssh-bare:there measures what needs no Node there, and says what does`,
    { skip },
    () =>
      withMachine(async () => {
        const out = freshFolder();
        const runs = join(out, 'runs');
        const plan = planIn(out, experiment, settings);
        const { status, stderr } = dispatchbench(
          ...['run', experiment, '--plan', plan, '--host', 'ssh-bare:there', '--out', runs],
        );
        const samples = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
        assert.ok(samples.length > 0);
        for (const { cell, host, clientHost, status, error, measurements, server } of samples) {
          if (cell.impl === 'ts') {
            assert.equal(status, 'impossible');
            assert.match(error!, /there is no Node on this host/);
            continue;
          }
          assert.equal(error, null, JSON.stringify(cell));
          assert.equal(host.name, 'ssh-bare-there');
          assert.equal(clientHost.kernel, host.kernel);
          assert.ok(Object.keys(measurements).length > 0);
          assert.deepEqual(Object.keys(server!.versions).includes('node'), false);
        }
        assert.equal(status, experiment === 'idle-connections' ? 3 : 0, stderr);
      }),
  );
}

test('what it is, counts and holds is what every other host tells', { skip }, () =>
  withMachine(() =>
    withHost(async ({ server, client }) => {
      const [local, facts] = [client.facts, server.facts];
      const { kernel, hypervisor, cpuModel, memoryBytes, clockSource, congestionControl, vcpus } = local;
      assert.deepEqual(
        { kernel, hypervisor, cpuModel, memoryBytes, clockSource, congestionControl, vcpus },
        Object.fromEntries(
          Object.entries(facts).filter(([name]) =>
            /^(kernel|hypervisor|cpuModel|memoryBytes|clockSource|congestionControl|vcpus)$/.test(name),
          ),
        ),
      );
      for (const name of ['environment', 'bootId', 'cpus', 'backends', 'nodeBackend'] as const)
        assert.deepEqual(server.look[name], client.look[name], name);
      const [counters, memory, state] = [
        await server.counters(),
        await server.memory(),
        await server.state(),
      ];
      assert.ok(counters.network && counters.cpus!.length > 0);
      assert.equal(counters.waitedUs === null, (await client.counters()).waitedUs === null);
      assert.ok(memory.usedBytes > 0 && memory.kernelBytes! > 0);
      assert.ok(
        state.calibration.spinNs > 0 && state.calibration.memoryWalkNs! > 0 && state.calibration.pingPong,
      );
      assert.ok((await server.memoryCopy()).bytesPerSecond > 0);
      // Two counts in a row do not fall behind each other.
      const again = await server.counters();
      assert.ok(again.cpus!.every(({ idleUs }, at) => idleUs >= counters.cpus![at]!.idleUs));
    }),
  ),
);

test('no Node runs there, and programs get their words as they are', { skip }, () =>
  withMachine(() =>
    withHost(async ({ server }) => {
      assert.equal(programs().filter((name) => name.endsWith('/dispatchbench-bare')).length, 2);
      assert.throws(() => server.command({ script: 'servers/main', args: [] }), /no Node on that host/);
      const words = ['a b', '$(id)', '`id`', ';', "'", '"', '*', '\\', 'ü', '😀', '\t\u0001', ''];
      const code = 'console.log(JSON.stringify({ event: "words", words: process.argv.slice(1) }))';
      const one = server.spawn('a program', {
        command: process.execPath,
        args: ['-e', code, '--', ...words],
      });
      assert.deepEqual(await one.expect('words', 20_000), { event: 'words', words });
      await one.end(1000);
      assert.equal(one.ended(), 'a program ended with code 0');
      assert.ok(one.pid > 0);
      const none = server.spawn('no program', { command: '/nowhere', args: [] });
      await assert.rejects(
        none.expect('x', 20_000),
        /no program could not be started \(\/nowhere: No such file or directory\)/,
      );
      const lines = server.spawn('cat', {
        command: tools.sh!,
        args: ['-c', 'while read -r l; do echo "$l"; done'],
      });
      for (const text of ['{"event":"one"}', '{"event":"two"}']) lines.send(text);
      assert.deepEqual(await lines.expect('two', 20_000), { event: 'two' });
      assert.deepEqual(await lines.expect('one', 20_000), { event: 'one' });
      await lines.end(1000);
    }),
  ),
);

test('a program that does not end by itself is made to', { skip }, () =>
  withMachine(() =>
    withHost(async ({ server }) => {
      const code = 'trap "" TERM; echo "{\\"event\\":\\"up\\"}"; while :; do read -r l || read -t 1 l; done';
      const one = server.spawn('it', { command: '/bin/bash', args: ['-c', code] });
      await one.expect('up', 20_000);
      await one.end(200);
      assert.equal(one.ended(), 'it was killed by SIGKILL');
    }),
  ),
);

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} of the runner leaves nothing, here and there`, { skip }, () =>
    withMachine(async () => {
      const out = freshFolder();
      const long = { ...idle, impls: ['native'], closed: { warmupMs: 20, durationMs: 60_000 } };
      const plan = planIn(out, 'idle-connections', long);
      const args = [
        'run',
        'idle-connections',
        '--plan',
        plan,
        '--host',
        'ssh-bare:there',
        '--out',
        out,
        '--json',
      ];
      const runner = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
      await printed(runner, 'trial-start', 1);
      assert.equal(folders().length, 1);
      const over = ended(runner);
      runner.kill(signal);
      await over;
    }),
  );
}

test('a starter that is killed there shows in every program, and its folder goes', { skip }, () =>
  withMachine(async () => {
    const roles = await openHost('ssh-bare:there');
    const one = roles.server.spawn('it', { command: tools.sh!, args: ['-c', 'read -r l'] });
    const lost = assert.rejects(one.expect('never', 20_000), /it was lost: there /);
    for (const { pid, words } of ownCommandLines())
      if (words[0]!.endsWith('/dispatchbench-bare') && words[1] === 'starter') process.kill(pid, 'SIGKILL');
    await lost;
    await roles.close();
  }),
);

const strange = (output: string) => {
  const path = join(freshFolder(), 'uname');
  writeFileSync(path, `#!/bin/sh\necho ${output}\n`, { mode: 0o755 });
  return { ...tools, uname: path };
};
const refusals: [string, typeof tools, RegExp][] = [
  [
    'a system that we have no programs for',
    strange('Plan9'),
    /not built for Plan9 on Plan9: they are for x86_64-linux/,
  ],
  ['a machine without tar', { ...tools, tar: '/nowhere' }, /not available: there ended with code \d+.*tar/],
  [
    'a machine that says what is no frame',
    strange('"\\"\\""'),
    /not available: there sent what is not a frame/,
  ],
];
for (const [name, there, expected] of refusals) {
  test(`${name} is one sentence`, { skip }, () =>
    withMachine(() => assert.rejects(openHost('ssh-bare:there'), expected), there),
  );
}

test('only a name of a machine is taken', async () => {
  for (const argument of ['', '-oProxyCommand=id', 'a b', 'a;id', '$(id)', 'a:22', '@a'])
    await assert.rejects(openHost(`ssh-bare:${argument}`), /the host 'ssh-bare' needs the name of a machine/);
});
