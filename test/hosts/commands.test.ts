/** `dispatchbench hosts check|up|shell|down`: what they say, and that nothing stays of what they start. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { removeLeftovers, writeDown } from '../../src/hosts/leftovers.js';
import { identityOf } from '../../src/identity.js';
import { RunFolder } from '../../src/results/folder.js';
import { bin, dispatchbench } from '../support/command.js';
import { footprint, restored } from '../support/footprint.js';
import { noNamespaces } from '../support/namespaces.js';
import { idle, planIn } from './small-plans.js';

const skip = noNamespaces;

// Records of this test are in a folder of its own.
const own = mkdtempSync(join(tmpdir(), 'dispatchbench-test-hosts-'));
const before = process.env.TMPDIR;
after(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(own, { recursive: true, force: true });
});
process.env.TMPDIR = own;

test('check says of each host what it is, and of one that cannot be had why', { skip }, async () => {
  const there = footprint();
  const { status, stdout } = dispatchbench('hosts', 'check', 'local', 'netns', 'nowhere', '--json');
  assert.equal(status, 1);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    rows.map(({ host, client, transport }) => [host, client, transport]),
    [
      ['local', 'inside', 'loopback'],
      ['netns', 'outside', 'veth'],
      ['nowhere', undefined, undefined],
    ],
  );
  assert.ok(rows[0].backends.includes('poll') && rows[0].upMs > 0);
  assert.match(rows[2].reason, /unknown host 'nowhere'/);
  await restored(there);
});

test('a host in a file has its name there, and its client inside where it says so', { skip }, () => {
  const file = join(own, 'hosts.yaml');
  writeFileSync(file, 'hosts:\n  - { name: wire, kind: netns, role: both, resources: { cpus: 1 } }\n');
  const { status, stdout } = dispatchbench('hosts', 'check', '--hosts', file);
  assert.equal(status, 0);
  assert.match(stdout, /^wire: native.*\n.* 1 CPU,.*\n {2}client inside, over loopback$/m);
  const inside = dispatchbench('hosts', 'shell', 'wire', '--hosts', file, '--', 'ip', '-brief', 'address');
  assert.equal(inside.status, 0);
  assert.match(inside.stdout, /198\.18\.0\.1/);
  assert.match(dispatchbench('hosts', 'shell', 'other', '--hosts', file).stderr, /has no host 'other'.*wire/);
});

test('up keeps hosts until it is interrupted and leaves nothing', { skip }, async () => {
  const there = footprint();
  const child = spawn(process.execPath, [bin, 'hosts', 'up', 'netns'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.includes('Ctrl-C ends them')) resolve();
    });
    child.once('close', () => reject(new Error(`it ended: ${said}`)));
  });
  assert.equal(footprint().namespaces, there.namespaces + 2, 'it stands');
  child.kill('SIGINT');
  assert.equal(await ended, 0);
  await restored(there);
});

test('shell passes words on as they are, and the exit code back', () => {
  const words = ['a b', '$HOME', ';', "'"];
  const { status, stdout } = dispatchbench('hosts', 'shell', 'local', '--', 'printf', '%s|', ...words);
  assert.deepEqual([status, stdout], [0, words.map((word) => `${word}|`).join('')]);
  assert.equal(dispatchbench('hosts', 'shell', 'local', '--', 'sh', '-c', 'exit 7').status, 7);
  const node = dispatchbench('hosts', 'shell', 'local', '--', 'node', '-p', 'process.execPath');
  assert.equal(node.stdout.trim(), process.execPath);
});

test('down removes what runners that are gone have left, and touches nothing of living ones', () => {
  const left = join(own, 'left');
  const kept = join(own, 'kept');
  for (const folder of [left, kept]) mkdirSync(folder);
  const { path } = writeDown([{ command: 'rmdir', args: [kept] }]);
  const records = readdirSync(join(path, '..'));
  assert.equal(records.length, 1);
  const gone = { ...identityOf(process.pid), start: '1' };
  const file = join(path, '..', 'gone.json');
  writeFileSync(file, JSON.stringify({ runner: gone, keeper: gone, commands: [['rmdir', left]] }));
  const { status, stdout } = dispatchbench('hosts', 'down', '--json');
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), [{ runner: gone.pid, done: [`rmdir ${left}`], failed: [] }]);
  assert.equal(existsSync(left), false);
  assert.equal(existsSync(kept), true, 'its runner lives: it is this process');
  assert.deepEqual(readdirSync(join(path, '..')), records);
  writeFileSync(file, JSON.stringify({ runner: gone, keeper: null, commands: [['false']] }));
  const failed = removeLeftovers();
  assert.deepEqual(failed, [{ runner: gone.pid, done: [], failed: ['false'] }]);
  assert.ok(existsSync(file), 'kept for another time');
  rmSync(file);
  rmSync(path);
});

const tiny = { ...idle, backends: ['poll'], impls: ['native'], idle: [0] };

test('run goes on without a host that cannot be had, says so in terminal and report, and ends with 3', () => {
  const runs = join(own, 'absent');
  const plan = planIn(own, 'idle-connections', tiny);
  const args = ['run', 'idle-connections', '--plan', plan, '--out', runs, '--host', 'local'];
  const { status, stdout, stderr } = dispatchbench(...args, '--host', 'gvisor:x');
  assert.equal(status, 3, stderr);
  assert.match(stderr, /host gvisor:x is not available here: gVisor has no platform 'x'/);
  assert.match(stdout.replaceAll(/\s+/g, ' '), /gvisor:x is not available here: gVisor has no platform 'x'/);
  const folder = RunFolder.open(runs, readdirSync(runs)[0]!);
  assert.deepEqual(folder.info().absent, [
    { host: 'gvisor:x', reason: "gVisor has no platform 'x': known are systrap, ptrace, kvm" },
  ]);
  assert.deepEqual(
    folder.samples().map(({ host: { name } }) => name),
    ['local'],
  );
  assert.match(readFileSync(join(folder.path, 'report.html'), 'utf8'), /gvisor:x is not available here/);
  const again = dispatchbench('run', 'idle-connections', '--out', runs, '--resume', folder.id, '--quiet');
  assert.equal(again.status, 0, again.stderr);
});

test('run takes hosts by a file, under their own names', { skip }, () => {
  const runs = join(own, 'declared');
  const plan = planIn(own, 'idle-connections', tiny);
  const file = join(own, 'two.yaml');
  writeFileSync(
    file,
    'hosts:\n  - { name: wire, kind: netns }\n  - { name: inside, kind: netns, role: both }\n',
  );
  const args = ['run', 'idle-connections', '--plan', plan, '--out', runs, '--hosts', file];
  const { status, stderr } = dispatchbench(...args);
  assert.equal(status, 0, stderr);
  const samples = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
  assert.deepEqual(samples.map(({ host }) => [host.name, host.transport]).sort(), [
    ['inside', 'loopback'],
    ['wire', 'veth'],
  ]);
  const both = dispatchbench(...args, '--host', 'local');
  assert.equal(both.status, 1);
  assert.match(both.stderr, /--host and --hosts both say where/);
});
