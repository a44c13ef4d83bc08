/** CPU time of a process and all below it, from Linux's /proc. */
import { readdirSync } from 'node:fs';
import { readFact } from './linux-facts.js';

/** What /proc counts in: USER_HZ is 100 whatever the kernel's own tick. */
const tickUs = 10_000;

export interface CpuUse {
  userUs: number;
  systemUs: number;
}

/** Fields 4 and 14 to 17 of proc(5), behind a name that may hold spaces; null when the process has just ended. */
function processOf(pid: string) {
  const stat = readFact(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15) as [
    number,
    number,
    number,
    number,
  ];
  return {
    pid: Number(pid),
    parent: fields[1]!,
    userUs: (user + childrenUser) * tickUs,
    systemUs: (system + childrenSystem) * tickUs,
  };
}

/** Children that have ended count as soon as they were waited for. */
export function treeCpu(root: number): CpuUse {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => processOf(pid) ?? []);
  const tree = new Set([root]);
  for (let size = 0; size < tree.size; ) {
    size = tree.size;
    for (const { pid, parent } of all) if (tree.has(parent)) tree.add(pid);
  }
  const members = all.filter(({ pid }) => tree.has(pid));
  const sum = (of: keyof CpuUse) => members.reduce((total, one) => total + one[of], 0);
  return { userUs: sum('userUs'), systemUs: sum('systemUs') };
}
