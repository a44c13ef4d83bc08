/** What the memory of a machine holds, from the texts of Linux. */
import type { MemoryUse } from '../contract/host.js';

/** Bytes by name, of lines such as 'Slab:  1234 kB'. */
function sizes(meminfo: string): Map<string, number> {
  const rows = meminfo.matchAll(/^(\w+):\s+(\d+) kB$/gm);
  return new Map([...rows].map(([, name, kibibytes]) => [name!, 1024 * Number(kibibytes)]));
}

const total = (found: ReadonlyMap<string, number>, names: readonly string[]) =>
  names.reduce((sum, name) => sum + (found.get(name) ?? 0), 0);

/**
 * @param meminfo /proc/meminfo
 * @param sockstat /proc/net/sockstat
 * @returns null when the first tells nothing
 */
export function parseMemoryUse(meminfo: string, sockstat: string): MemoryUse | null {
  const found = sizes(meminfo);
  const all = found.get('MemTotal');
  if (all === undefined) return null;
  const pages = /^TCP: .*\bmem (\d+)/m.exec(sockstat)?.[1];
  return {
    usedBytes: Math.max(0, all - total(found, ['MemFree', 'Buffers', 'Cached'])),
    // gVisor, which is no kernel of this kind, has no such row.
    kernelBytes: found.has('Slab') ? total(found, ['Slab', 'VmallocUsed', 'PageTables', 'Percpu']) : null,
    tcpBufferPages: pages === undefined ? null : Number(pages),
  };
}
