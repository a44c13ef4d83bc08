/** Containers of Docker as a host: whole runs on both networks, and nothing left of them however they end. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { docker } from '../../src/hosts/docker.js';
import { answeringDaemon, ownDaemon } from '../../src/hosts/docker-daemon.js';
import { Opened } from '../../src/hosts/opened.js';
import { openHost } from '../../src/hosts/registry.js';
import { RunFolder } from '../../src/results/folder.js';
import { measuredAs } from '../../src/trials/sample.js';
import { freshFolder } from '../run/fake-run.js';
import { dispatchbench } from '../support/command.js';
import { footprint, restored } from '../support/footprint.js';
import { endedRunnersLeaveNothing, killedOpenersLeaveNothing } from './killed-runner.js';
import { idle, planIn, ports } from './small-plans.js';

const reason = await docker.unavailable();
const skip = reason ?? (process.getuid?.() === 0 ? false : 'footprints are read as root');
const ours = (await answeringDaemon()) === null;

for (const [experiment, settings] of [
  ['idle-connections', { ...idle, backends: ['epoll'] }],
  ['udp-ports', { ...ports, backends: ['epoll'], ports: [2], rates: [400] }],
] as const) {
  test(`${experiment} on docker, docker:host and local: a row for each`, { skip }, async () => {
    const before = footprint();
    const out = freshFolder();
    const runs = join(out, 'runs');
    const plan = planIn(out, experiment, settings);
    const hosts = 'docker,docker:host,local';
    const { status, stderr } = dispatchbench(
      ...['run', experiment, '--plan', plan, '--host', hosts, '--out', runs],
    );
    assert.equal(status, 0, stderr);
    const folder = RunFolder.open(runs, readdirSync(runs)[0]!);
    const samples = folder.samples();
    assert.deepEqual(Object.keys(folder.info().hosts).sort(), ['docker', 'docker-host', 'local']);
    for (const { host, clientHost, server, error, measurements, cell } of samples) {
      assert.equal(error, null, `${host.name}: ${JSON.stringify(cell)}`);
      assert.ok(Object.keys(measurements).length > 0);
      const [transport, executionClass] = (
        {
          docker: ['veth', 'container'],
          'docker-host': ['loopback', 'container'],
          local: ['loopback', 'native'],
        } as const
      )[host.name as 'docker' | 'docker-host' | 'local'];
      assert.deepEqual([host.transport, host.executionClass], [transport, executionClass]);
      assert.equal(clientHost.executionClass, 'native', 'the client is outside');
      // Process ids in a container start from 1: the server says that it is in one.
      if (executionClass === 'container') assert.ok(server!.pid < 1000, `process ${server!.pid}`);
      if (host.name === 'docker') assert.match(server!.address, /^172\./);
    }
    if (experiment === 'idle-connections')
      assert.ok(
        samples.every((one) => measuredAs(one, 'load').length === 4 || measuredAs(one, 'load').length === 2),
      );
    const { versions } = folder.info().hosts.docker!;
    assert.match(versions.docker ?? '', /^\d+\./);
    await restored(before);
  });
}

endedRunnersLeaveNothing('docker', skip);
killedOpenersLeaveNothing('docker', skip, [400, 900, 1500]);

test('a daemon that answers is used, and neither container nor image stays with it', {
  skip: skip || !ours,
}, async () => {
  const before = footprint();
  await Opened.by(async (opened) => {
    const daemon = await ownDaemon(opened);
    const pid = /proc\/(\d+)\//.exec(daemon.enterNetwork({ command: '', args: [] }).args[0]!)![1];
    process.env.DOCKER_HOST = `unix:///proc/${pid}/root/run/docker.sock`;
    try {
      const roles = await openHost('docker:host');
      assert.match(await daemon.run('ps', '--format', '{{.Image}}'), /^dispatchbench-/);
      await roles.close();
      assert.equal(await daemon.run('ps', '--all', '--quiet'), '');
      assert.equal(await daemon.run('image', 'ls', '--quiet'), '');
    } finally {
      delete process.env.DOCKER_HOST;
      await opened.close();
    }
  });
  await restored(before);
});

test('an unknown network is one sentence', async () => {
  await assert.rejects(openHost('docker:x'), /docker, docker:bridge or docker:host, not 'docker:x'/);
});

test('without Docker the host says what is missing and what to do', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    await assert.rejects(
      openHost('docker'),
      /not available here: there is no program docker: install Docker \(Debian: apt-get install docker\.io\)/,
    );
  } finally {
    process.env.PATH = path;
  }
});
