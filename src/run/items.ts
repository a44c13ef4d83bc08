/** Items of a file and hosts that are up, as a problem of placement. */
import { type ItemsFile, itemsFile } from '../contract/items-file.js';
import type { Host, Roles } from '../hosts/host.js';
import type { Problem } from '../planner/placement/problem.js';
import { readWritten } from './written.js';

/** @throws Error in one sentence */
export const readItemsFile = (path: string): ItemsFile => readWritten(path, 'the list of items', itemsFile);

type Known = Pick<Roles, 'name'> & { server: Pick<Host, 'look'> };

/**
 * CPUs and memory of each host. Hosts of one machine have them together, and each its part.
 * @returns by host CPUs and MiB
 */
function capacities(hosts: readonly Known[]): [number, number][] {
  const machineOf = ({ server: { look } }: Known) => look.bootId ?? look;
  return hosts.map((host) => {
    const beside = hosts.filter((other) => machineOf(other) === machineOf(host));
    const { cpus, memoryAvailableBytes } = host.server.look;
    const shares = cpus.map(
      ({ cpu }) => 1 / beside.filter((other) => other.server.look.cpus.some((one) => one.cpu === cpu)).length,
    );
    return [
      shares.reduce((sum, share) => sum + share, 0),
      Math.floor(memoryAvailableBytes / beside.length / (1 << 20)),
    ];
  });
}

/**
 * @param latencyMs between hosts; left out: nobody measured, and nothing has to be near
 * @throws Error in one sentence about a name that there is not
 */
export function problemOf(
  { items, together, apart, near }: ItemsFile,
  hosts: readonly Known[],
  latencyMs: Problem['latencyMs'] = [],
): Problem {
  const among = (all: readonly { name: string }[], what: string) => (name: string) => {
    const at = all.findIndex((one) => one.name === name);
    if (at < 0)
      throw new Error(`there is no ${what} '${name}': known are ${all.map((one) => one.name).join(', ')}`);
    return at;
  };
  const itemAt = among(items, 'item');
  const hostAt = among(hosts, 'host');
  const pairAt = ([one, other]: readonly [string, string]) => [itemAt(one), itemAt(other)] as const;
  const has = capacities(hosts);
  return {
    resources: ['CPUs', 'MiB of memory'],
    items: items.map(({ name, cpus, memoryMiB, hosts: only }) => ({
      name,
      takes: [cpus, memoryMiB],
      only: only?.map(hostAt),
    })),
    hosts: hosts.map(({ name }, at) => ({ name, has: has[at]! })),
    together: together.map(pairAt),
    apart: apart.map(pairAt),
    near: near.map(({ items: both, mostMs }) => ({ items: pairAt(both), mostMs })),
    latencyMs,
  };
}
