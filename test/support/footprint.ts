/** What there is on this machine that a host may leave behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { interfaces, namespaces } from './namespaces.js';
import { ownProcesses } from './own-processes.js';

const patienceMs = 20_000;

const entries = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : null);

/** Of a wrapper that lives and is none of this test file's: a file that runs beside it measures somebody's server. */
function isOthers(group: string, own: readonly string[]): boolean {
  const pid = /^dispatchbench-foreign-(\d+)$/.exec(group)?.[1];
  if (pid === undefined || own.includes(pid)) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]!.endsWith('/dispatchbench-foreign');
  } catch {
    return false;
  }
}

/** Folders of control groups that carry our name, in all hierarchies. */
const controlGroups = (own: readonly string[]) =>
  ['', ...(entries('/sys/fs/cgroup') ?? [])].flatMap((hierarchy) => {
    try {
      return readdirSync(`/sys/fs/cgroup/${hierarchy}`).filter(
        (name) => name.startsWith('dispatchbench') && !isOthers(name, own),
      );
    } catch {
      return [];
    }
  });

const footprintBeside = (own: readonly string[]) => ({
  processes: own.length,
  namespaces: namespaces().size,
  interfaces: interfaces(),
  mounts: readFileSync('/proc/self/mounts', 'utf8'),
  // Counters of packets are no rules.
  firewall: `${spawnSync('iptables-save').stdout ?? ''}`.replaceAll(/^#.*$|\[\d+:\d+\]/gm, ''),
  forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
  controlGroups: controlGroups(own),
  temporary: readdirSync(tmpdir()).filter((name) => /^(dispatchbench-(root|gvisor|ssh)|runsc)/.test(name)),
  folders: Object.fromEntries(
    ['/etc/docker', '/opt', '/run/docker', '/run/containerd', '/run/netns', '/var/run/runsc'].map(
      (folder) => [folder, entries(folder)],
    ),
  ),
});

export const footprint = () => footprintBeside(ownProcesses());

/** Waits until all is as it was. @throws AssertionError with the difference when it does not become so */
export async function restored(before: ReturnType<typeof footprint>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (JSON.stringify(footprint()) !== JSON.stringify(before) && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(footprint(), before);
}
