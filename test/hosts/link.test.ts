/** Links between two namespaces for real: what they do to packets, what they say of it, and what is left of them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { programPath } from '../../src/addon.js';
import { openHost } from '../../src/hosts/registry.js';
import { RunFolder } from '../../src/results/folder.js';
import { measured, type Sample } from '../../src/trials/sample.js';
import { freshFolder } from '../run/fake-run.js';
import { printed, running } from '../run/processes.js';
import { bin, dispatchbench } from '../support/command.js';
import { footprint, restored } from '../support/footprint.js';
import { noNamespaces } from '../support/namespaces.js';
import { idle, planIn, ports } from './small-plans.js';

const skip = noNamespaces || (existsSync('/dev/net/tun') ? false : 'there is no /dev/net/tun');
const relay = programPath('dispatchbench-link');

const datagrams = { ...ports, backends: ['epoll'], impls: ['native'], ports: [4], warmupMs: 0 };

function run(experiment: string, settings: object, link: string): Sample[] {
  const out = freshFolder();
  const runs = join(out, 'runs');
  const { status, stderr } = dispatchbench(
    ...['run', experiment, '--plan', planIn(out, experiment, settings), '--host', 'netns', '--link', link],
    ...['--out', runs],
  );
  assert.equal(status, 0, stderr);
  const [folder] = readdirSync(runs);
  assert.match(readFileSync(join(runs, folder!, 'report.html'), 'utf8'), /Link to the server/);
  return RunFolder.open(runs, folder!).samples();
}

test('nothing crosses a relay sooner than asked, and it says by how much later', { skip }, async () => {
  const before = footprint();
  const settings = { ...datagrams, rates: [500], durationMs: 400 };
  const [sample] = run('udp-ports', settings, 'up:delay=12ms down:delay=8ms means=relay');
  const { host, clientHost, link } = sample!;
  assert.equal(host.name, 'netns-up-12ms-down-8ms-relay');
  assert.deepEqual([host.transport, host.link!.means, host.link!.up.delayNs], ['tun', 'relay', 12e6]);
  assert.deepEqual(clientHost.link, host.link);
  const { datagrams: books } = measured(sample!, 'open', 'datagrams')!;
  assert.ok(books.received > 100);
  assert.ok(books.latencyUncorrected.min >= 20e6, `the fastest took ${books.latencyUncorrected.min} ns`);
  for (const way of [link!.up, link!.down]) {
    assert.deepEqual([way.packets, way.passed, way.dropped], [books.sent, books.sent, 0]);
    // A datagram of 64 bytes behind the headers of UDP and IP.
    assert.equal(way.bytes, way.packets * 92);
    assert.ok(way.lateness!.p50Ns <= way.lateness!.p99Ns && way.lateness!.p99Ns <= way.lateness!.maxNs);
  }
  await restored(before);
});

test('what the ledger of datagrams misses is what the relay says that it lost', { skip }, () => {
  const settings = { ...datagrams, rates: [2000], durationMs: 1000 };
  const [sample] = run('udp-ports', settings, 'loss=10% seed=3');
  const { datagrams: books } = measured(sample!, 'open', 'datagrams')!;
  const { up, down } = sample!.link!;
  assert.ok(up.lost! > 0 && down.lost! > 0);
  assert.equal(up.packets, books.sent);
  assert.equal(down.packets, up.passed);
  assert.equal(books.lost, up.dropped + down.dropped);
  assert.deepEqual(
    sample!.gates.filter(({ id, invalidates }) => invalidates && /schedule|errors|limit/.test(id)),
    [],
    'what a link loses is no fault of server or client',
  );
});

test('a relay passes no more bytes than its rate has time for, and drops what finds no room', {
  skip,
}, () => {
  const bits = 2e6;
  const settings = { ...datagrams, rates: [6000], durationMs: 1000 };
  const [sample] = run('udp-ports', settings, `up:rate=2mbit up:limit=20 means=relay`);
  const { up } = sample!.link!;
  const { series } = measured(sample!, 'open', 'datagrams')!.datagrams;
  assert.equal(up.dropped, up.overflowed);
  assert.ok(up.overflowed! > 0);
  assert.ok(sample!.gates.some(({ id, invalidates }) => id === 'link-queue' && !invalidates));
  const [firstSecond] = series;
  assert.ok(firstSecond!.received * 92 * 8 <= bits * 1.001 + 92 * 8, `${firstSecond!.received} in a second`);
});

test('connections run over a relay, and its CPU time is nobody else’s', { skip }, () => {
  const settings = { ...idle, backends: ['epoll'], impls: ['native'], idle: [5] };
  const [sample] = run('idle-connections', settings, 'delay=2ms means=relay');
  assert.equal(sample!.error, null);
  const closed = measured(sample!, 'closed', 'load')!;
  assert.ok(closed.load.replies > 0);
  assert.ok(closed.load.latency.min >= 4e6);
  assert.deepEqual(closed.link!.cpus, sample!.host.link!.cpus);
  assert.ok(closed.link!.cpuUs > 0);
  assert.ok(!sample!.gates.some(({ id }) => ['nobodys-limit', 'delayed-ack'].includes(id)));
});

const long = {
  ...idle,
  backends: ['epoll'],
  impls: ['native'],
  closed: { warmupMs: 20, durationMs: 60_000 },
};

function startRun() {
  const out = freshFolder();
  const plan = planIn(out, 'idle-connections', long);
  const args = [
    'run',
    'idle-connections',
    '--plan',
    plan,
    '--host',
    'netns',
    '--link',
    'delay=1ms means=relay',
  ];
  return {
    out,
    runner: spawn(process.execPath, [bin, ...args, '--out', join(out, 'runs'), '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  };
}

test('kill -9 of the runner leaves no relay, namespace or device', { skip }, async () => {
  const before = footprint();
  const { runner } = startRun();
  await printed(runner, 'trial-start', 1);
  assert.equal(running([relay]).length, 1);
  runner.kill('SIGKILL');
  await restored(before);
  assert.deepEqual(running([relay]), []);
});

test('a relay that is killed fails the trial with the reason, and the run ends', { skip }, async () => {
  const before = footprint();
  const { runner, out } = startRun();
  const ended = new Promise<number | null>((resolve) => runner.once('close', resolve));
  await printed(runner, 'trial-start', 1);
  runner.stdout!.resume();
  process.kill(Number(running([relay])[0]!.split(':')[0]), 'SIGKILL');
  assert.notEqual(await ended, 0);
  const runs = join(out, 'runs');
  const samples = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
  assert.ok(samples.length > 0);
  for (const { status, error } of samples) {
    assert.equal(status, 'failed');
    assert.match(error!, /the link's relay was killed by SIGKILL/);
  }
  await restored(before);
});

/** A folder with a program tc that does what the script says. */
function tcThat(script: string): string {
  const folder = join(freshFolder(), 'bin');
  mkdirSync(folder);
  writeFileSync(join(folder, 'tc'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

async function withPath<T>(first: string, work: () => Promise<T>): Promise<T> {
  const path = process.env.PATH;
  process.env.PATH = `${first}:${path}`;
  try {
    return await work();
  } finally {
    process.env.PATH = path;
  }
}

const refusing = "echo 'Error: Specified qdisc kind is unknown.' >&2; exit 2";

test('where the kernel takes a netem, it is given the link, on the side that sends', { skip }, async () => {
  const before = footprint();
  const folder = tcThat(
    'echo "$@" >> "$(dirname "$0")/asked"\n' +
      'case "$1" in -statistics) n=$(wc -l < "$(dirname "$0")/asked"); ' +
      'echo "[{\\"kind\\":\\"netem\\",\\"bytes\\":$((n * 100)),\\"packets\\":$n,\\"drops\\":2,\\"qlen\\":0}]";; esac',
  );
  const report = await withPath(folder, async () => {
    const roles = await openHost('netns:up:delay=20ms loss=1% down:rate=100mbit');
    try {
      const { link, transport } = roles.server.facts;
      assert.deepEqual([link!.means, link!.seed, link!.cpus, transport], ['netem', null, [], 'veth']);
      return await roles.link!.report();
    } finally {
      await roles.close();
    }
  });
  const asked = readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
  const added = asked.filter((line) => /qdisc add dev db/.test(line));
  assert.deepEqual(
    added.map((line) => line.replace(/db\d+/, 'db')),
    [
      'qdisc add dev dbc root netem limit 100000 delay 20000us loss 1%',
      'qdisc add dev dbs root netem limit 1000 delay 0us loss 1% rate 100000000bit',
    ],
  );
  assert.deepEqual([report.up.passed, report.up.passedBytes, report.up.dropped], [2, 200, 0]);
  assert.deepEqual([report.up.lost, report.up.lateness], [null, null]);
  await restored(before);
});

test('where there is no netem, the relay takes its place', { skip }, async () => {
  const link = await withPath(tcThat(refusing), async () => {
    const roles = await openHost('netns:delay=1ms');
    await roles.close();
    return roles.server.facts.link!;
  });
  assert.deepEqual([link.means, link.seed], ['relay', 1]);
});

test('where there is neither netem nor TUN, that is said, with what to do', { skip }, () => {
  const args = ['run', 'udp-ports', '--host', 'netns', '--link', 'delay=1ms', '--out', freshFolder()];
  const hidden = ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /dev/net && exec "$@"', 'sh'];
  const child = spawn('unshare', [...hidden, process.execPath, bin, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${tcThat(refusing)}:${process.env.PATH}` },
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise<void>((resolve, reject) => {
    child.once('close', (code) => {
      try {
        assert.equal(code, 1, said);
        assert.match(
          said,
          /not available here: a link needs tc netem \(Error: Specified qdisc kind is unknown\.\) or a relay \(there is no \/dev\/net\/tun: load the kernel module tun\)/,
        );
        resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
});
