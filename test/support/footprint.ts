/** What there is on this machine that a host may leave behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { interfaces, namespaces } from './namespaces.js';
import { ownProcesses } from './own-processes.js';

const patienceMs = 20_000;

const entries = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : null);

/** Folders of control groups that carry our name, in all hierarchies. */
const controlGroups = () =>
  ['', ...(entries('/sys/fs/cgroup') ?? [])].flatMap((hierarchy) => {
    try {
      return readdirSync(`/sys/fs/cgroup/${hierarchy}`).filter((name) => name.startsWith('dispatchbench'));
    } catch {
      return [];
    }
  });

export const footprint = () => ({
  processes: ownProcesses().length,
  namespaces: namespaces().size,
  interfaces: interfaces(),
  mounts: readFileSync('/proc/self/mounts', 'utf8'),
  // Counters of packets are no rules.
  firewall: `${spawnSync('iptables-save').stdout ?? ''}`.replaceAll(/^#.*$|\[\d+:\d+\]/gm, ''),
  forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
  controlGroups: controlGroups(),
  temporary: readdirSync(tmpdir()).filter((name) => /^(dispatchbench-(root|gvisor|ssh)|runsc)/.test(name)),
  folders: Object.fromEntries(
    ['/etc/docker', '/opt', '/run/docker', '/run/containerd', '/run/netns', '/var/run/runsc'].map(
      (folder) => [folder, entries(folder)],
    ),
  ),
});

/** Waits until all is as it was. @throws AssertionError with the difference when it does not become so */
export async function restored(before: ReturnType<typeof footprint>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (JSON.stringify(footprint()) !== JSON.stringify(before) && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(footprint(), before);
}
