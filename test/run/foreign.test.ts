/** Other people's servers measured beside ours by the command itself, through the wrapper that speaks for them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runEvent } from '../../src/contract/run.js';
import { missingPeerServer } from '../../src/programs/peers.js';
import { RunFolder } from '../../src/results/folder.js';
import { measuredAs } from '../../src/trials/sample.js';
import { dispatchbench } from '../support/command.js';
import { freshFolder } from './fake-run.js';

const skip = process.platform === 'linux' ? false : 'foreign servers are wrapped on Linux only';
const script = (name: string) =>
  `${process.execPath} ${fileURLToPath(new URL(`../foreign/${name}.js`, import.meta.url))} {port} {address}`;

/** A short run of native poll and of these commands; the report is written as well. */
function measure(protocol: string, commands: readonly string[], idle = 20, impls = ['native']) {
  const out = freshFolder();
  const plan = join(out, 'plan.json');
  const settings = {
    backends: ['poll'],
    impls,
    references: [],
    idle: [idle],
    connections: 4,
    closed: { warmupMs: 20, durationMs: 300 },
    open: { rate: 200, warmupMs: 20, durationMs: 300 },
    rounds: 0,
  };
  writeFileSync(
    plan,
    JSON.stringify({
      name: 'foreign',
      blocks: { min: 1, max: 1 },
      experiments: [{ experiment: 'idle-connections', settings }],
    }),
  );
  const { status, stdout, stderr } = dispatchbench(
    'run',
    'idle-connections',
    ...['--plan', plan, '--protocol', protocol, '--out', join(out, 'runs'), '--json'],
    ...commands.flatMap((command) => ['--server', command]),
  );
  const last = stdout.trim().split('\n').at(-1)!;
  const event = last.startsWith('{') ? runEvent.parse(JSON.parse(last)) : null;
  const samples = event?.event === 'run-end' ? RunFolder.open(out, event.folder).samples() : [];
  return { status, stderr, samples };
}

/** Every cell was measured with its idle connections; on a busy machine a gate may close. */
function assertMeasured({ status, stderr, samples }: ReturnType<typeof measure>, cells: number, idle = 20) {
  assert.equal(status, 0, stderr);
  assert.equal(samples.length, cells);
  for (const sample of samples) {
    assert.ok(sample.status === 'ok' || sample.status === 'invalid', `${sample.error}`);
    for (const [, { load, idle: held }] of measuredAs(sample, 'load')) {
      assert.ok(load.requests > 0);
      assert.equal(held!.standing, idle);
    }
  }
  return samples.filter(({ server }) => server?.subject === 'foreign');
}

for (const [protocol, name] of [
  ['tcp-echo', 'echo-script'],
  ['http', 'http-script'],
] as const)
  test(`a script that serves ${protocol}, beside a server of ours`, { skip }, () => {
    const [foreign, ...more] = assertMeasured(measure(protocol, [script(name)]), 2);
    assert.deepEqual(more, []);
    assert.equal(foreign!.cell.backend, null);
    for (const [, { before, after }] of measuredAs(foreign!, 'load')) {
      assert.ok(after.cpu.userUs + after.cpu.systemUs > before.cpu.userUs + before.cpu.systemUs);
      assert.equal(after.counters, null, 'waits that nobody told');
      assert.equal(after.tree!.processesNow, 1);
    }
  });

test('servers in C on other loops are wrapped, and say what they wait with and by which version', {
  skip: skip || (missingPeerServer('libevent') ?? false),
}, () => {
  const [peer, ...more] = assertMeasured(measure('http', [], 20, ['native', 'libevent']), 2);
  assert.deepEqual(more, []);
  assert.deepEqual([peer!.cell.impl, peer!.cell.backend], ['libevent', 'poll']);
  assert.match(peer!.server!.versions.libevent!, /^2\./);
  for (const [, { after }] of measuredAs(peer!, 'load')) assert.equal(after.tree!.processesNow, 1);
});

test('a server that does not speak the protocol is refused by its name', { skip }, () => {
  const { status, stderr } = measure('tcp-echo', [], 20, ['libevent']);
  assert.notEqual(status, 0);
  assert.match(stderr, /the server on libevent speaks http, not tcp-echo/);
});

const nginx = spawnSync('nginx', ['-v']).error ? 'nginx is not installed' : false;
test('nginx with two workers is one server with three processes', { skip: skip || nginx }, () => {
  const folder = freshFolder();
  mkdirSync(join(folder, 'logs'));
  // The port of the command line is put into a configuration of its own by the shell script a user would write.
  const start = join(folder, 'start.sh');
  writeFileSync(
    start,
    `#!/bin/sh
cat > ${folder}/nginx.conf <<END
daemon off; worker_processes 2; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 128; }
http { access_log off; server { listen $2:$1; location / { return 200 ok; } } }
END
exec nginx -p ${folder} -c ${folder}/nginx.conf
`,
    { mode: 0o755 },
  );
  const [foreign] = assertMeasured(measure('http', [`${start} {port} {address}`]), 2);
  for (const [, { after }] of measuredAs(foreign!, 'load')) assert.equal(after.tree!.processesNow, 3);
});

test('a command that never serves is a failed trial with its own words, and ours are measured', {
  skip,
}, () => {
  const { status, samples } = measure('tcp-echo', [
    `${process.execPath} -e "console.error('no such model'); process.exit(4)" {port}`,
  ]);
  assert.equal(status, 3);
  const failed = samples.filter((sample) => sample.status === 'failed');
  assert.equal(failed.length, 1);
  assert.match(failed[0]!.error!, /no such model/);
  assert.equal(samples.length, 2);
});

test('a command without {port} is refused before anything is started', { skip }, () => {
  const { status, stderr, samples } = measure('tcp-echo', ['node server.js']);
  assert.notEqual(status, 0);
  assert.match(stderr, /\{port\}/);
  assert.deepEqual(samples, []);
});
