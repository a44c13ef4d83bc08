/** How often a CPU quota stopped this process and its siblings: cgroup's cpu.stat, version 1 and 2. */
import { dirname, join } from 'node:path';
import type { Texts } from './linux-facts.js';

interface Hierarchy {
  /** where its control groups are seen */
  mount: string;
  /** path of ours in it */
  group: string;
}

/**
 * @param groups /proc/self/cgroup
 * @param mounts /proc/self/mountinfo
 * @returns the hierarchies that may hold a CPU quota
 */
export function quotaHierarchies(groups: string, mounts: string): Hierarchy[] {
  const own = groups.split('\n').flatMap((line) => {
    const [id, controllers, group] = line.split(/:(.*?):/);
    return group === undefined
      ? []
      : [{ version: id === '0' ? 2 : 1, controllers: controllers!.split(','), group }];
  });
  return mounts.split('\n').flatMap((line) => {
    const [fields, options] = line.split(' - ');
    const [type, , settings] = options?.split(' ') ?? [];
    const [root, mount] = fields!.split(' ').slice(3);
    const found = own.find(({ version, controllers }) =>
      type === 'cgroup2'
        ? version === 2
        : type === 'cgroup' && controllers.includes('cpu') && settings!.split(',').includes('cpu'),
    );
    if (!found || !mount) return [];
    // A container sees its own group, or one above it, as the root of the tree.
    const group =
      root !== '/' && found.group.startsWith(root!) ? found.group.slice(root!.length) : found.group;
    return [{ mount, group: join('/', group) }];
  });
}

/** @param read the text of a file, or null. @returns stopped periods of the group and those above it; null: none tells */
export function throttledPeriods(
  hierarchies: readonly Hierarchy[],
  read: (path: string) => string | null,
): number | null {
  const counts = hierarchies.flatMap(({ mount, group }) => {
    const all: number[] = [];
    for (let at = group; ; at = dirname(at)) {
      const count = read(join(mount, at, 'cpu.stat'))?.match(/^nr_throttled (\d+)$/m)?.[1];
      if (count !== undefined) all.push(Number(count));
      if (at === '/') return all;
    }
  });
  return counts.length > 0 ? counts.reduce((sum, count) => sum + count, 0) : null;
}

/** Of the process that the texts are read by. */
export function ownThrottledPeriods({ read }: Texts): number | null {
  const [groups, mounts] = ['/proc/self/cgroup', '/proc/self/mountinfo'].map(read);
  return groups && mounts ? throttledPeriods(quotaHierarchies(groups, mounts), read) : null;
}
