/** Profiles of servers in a network namespace: profilers attach to them as to any process of this machine. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { flameRecord } from '../../src/contract/flame.js';
import { requireReachable } from '../../src/flame/flame.js';
import { perfMapPath, probePerf } from '../../src/flame/perf.js';
import { openLocal } from '../../src/hosts/local.js';
import { ended } from '../run/processes.js';
import { bin, dispatchbench } from '../support/command.js';
import { leavingNothing, namespaces, noNamespaces, worksInTwo } from '../support/namespaces.js';

const support = probePerf();
const skip = noNamespaces || (typeof support === 'string' && support);
if (skip) console.log(`flame on netns skipped: ${skip}`);

const flame = ['flame', '--host', 'netns', '--backend', 'epoll', '--connections', '20', '--json'];

function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'flame-host-'));
  return work(folder).finally(() => rmSync(folder, { recursive: true }));
}

for (const impl of ['native', 'ts'])
  test(`flame --host netns of a ${impl} server`, { skip }, () =>
    leavingNothing(() =>
      inFolder(async (folder) => {
        const { status, stdout, stderr } = dispatchbench(
          ...[...flame, '--impl', impl, '--idle', '30', '--duration', '500ms', '--out', folder],
        );
        assert.equal(status, 0, stderr);
        const { host, profiles, page } = flameRecord.parse(JSON.parse(stdout));
        const [{ server, samples, requests }] = profiles as [(typeof profiles)[0]];
        assert.deepEqual([host.name, host.transport, server?.address], ['netns', 'veth', '198.18.0.1']);
        assert.ok(samples > 0 && requests.profiled > 0 && requests.unprofiled > 0);
        assert.ok(existsSync(join(folder, page)));
        assert.ok(!existsSync(perfMapPath(server!.pid)), 'the map in /tmp is gone');
      }),
    ),
  );

test('flame --host netns: Ctrl-C in a window ends it, its server and its recording', { skip }, () =>
  leavingNothing(() =>
    inFolder(async (folder) => {
      const before = namespaces();
      const args = [...flame, '--impl', 'native', '--duration', '5m', '--out', folder];
      const child = spawn(process.execPath, [bin, ...args], { stdio: 'ignore' });
      const code = ended(child);
      await worksInTwo(child, before);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      child.kill('SIGINT');
      assert.equal(await code, 130);
    }),
  ),
);

test('another machine cannot be profiled, in one sentence', async () => {
  const { server, close } = await openLocal();
  await close();
  const far = Object.create(server, { look: { value: { ...server.look, bootId: 'another' } } });
  assert.throws(() => requireReachable(far), /profiles are not available on host 'local'/);
  requireReachable(server);
});
