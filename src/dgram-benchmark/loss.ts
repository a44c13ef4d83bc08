/** Where lost datagrams were lost: the kernel's counters before and after a run, and what they explain. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { DgramLoss } from '../contract/dgram.js';
import type { NetworkCounters } from '../contract/host.js';
import { networkDifference, parseNetworkCounters } from '../hosts/network-counters.js';
import type { EngineOutcome } from './engine.js';

/** One line of /proc/net/udp or udp6. */
export interface UdpSocketLine {
  localPort: number;
  /** bytes waiting to be read, with the kernel's bookkeeping */
  queued: number;
  drops: number;
  inode: string;
}

/** @param text /proc/net/udp, /proc/net/udp6 or both */
export function parseUdpSockets(text: string): UdpSocketLine[] {
  const sockets: UdpSocketLine[] = [];
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const [slot, local, , , queues] = fields;
    if (!/^\d+:$/.test(slot!) || !local || !queues) continue;
    sockets.push({
      localPort: Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16),
      queued: Number.parseInt(queues.split(':')[1]!, 16),
      drops: Number(fields.at(-1)),
      inode: fields[9] ?? '',
    });
  }
  return sockets;
}

/**
 * Datagrams that the kernel dropped at this process' own open sockets, for an engine that cannot ask the sockets.
 * @param ports their local ports
 * @returns null where the kernel does not tell, or of one of them
 */
export function ownSocketDrops(ports: readonly number[]): number | null {
  const text = ['udp', 'udp6'].map((name) => {
    try {
      return readFileSync(`/proc/self/net/${name}`, 'utf8');
    } catch {
      return '';
    }
  });
  const drops = new Map(parseUdpSockets(text.join('\n')).map((socket) => [socket.localPort, socket.drops]));
  let total = 0;
  for (const port of ports) {
    const own = drops.get(port);
    if (own === undefined) return null;
    total += own;
  }
  return total;
}

export interface KernelView {
  /** the server's sockets by port; empty when they are not of this network namespace */
  server: Map<number, { queued: number; drops: number }>;
  system: NetworkCounters | null;
}

/** What this machine's kernel says of the sockets bound to the ports [first, first + ports). */
export async function readKernelView(first: number, ports: number): Promise<KernelView> {
  const [udp, udp6, snmp] = await Promise.all(
    ['udp', 'udp6', 'snmp'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const server: KernelView['server'] = new Map();
  for (const { localPort, queued, drops } of parseUdpSockets(`${udp}\n${udp6}`)) {
    if (localPort < first || localPort >= first + ports) continue;
    const same = server.get(localPort) ?? { queued: 0, drops: 0 };
    server.set(localPort, { queued: same.queued + queued, drops: same.drops + drops });
  }
  return { server, system: snmp ? parseNetworkCounters(snmp) : null };
}

/**
 * Spreads the lost datagrams over what was seen. Counters may show more than was lost (a dropped duplicate is no loss),
 * so each cause takes at most what the ones before it left.
 */
export function attributeLoss(
  { counts, clientDrops }: Pick<EngineOutcome, 'counts' | 'clientDrops'>,
  before: KernelView,
  after: KernelView,
): DgramLoss {
  let left = counts.sent - counts.received;
  const take = (seen: number) => {
    const taken = Math.min(left, Math.max(0, seen));
    left -= taken;
    return taken;
  };
  let serverDrops = 0;
  let unread = 0;
  for (const [port, { queued, drops }] of after.server) {
    serverDrops += drops - (before.server.get(port)?.drops ?? 0);
    unread += queued;
  }
  const causes = {
    unreachable: take(counts.unreachable),
    badReply: take(counts.corrupted + counts.truncated + counts.unattributable),
    clientSocket: take(clientDrops ?? 0),
    serverSocket: take(serverDrops),
    // The kernel tells bytes, not datagrams: what is left, while a server's socket holds something, is taken to be there.
    serverUnread: unread > 0 ? take(left) : 0,
  };
  const difference = before.system && after.system && networkDifference(before.system, after.system);
  return {
    ...causes,
    unexplained: left,
    seen: { clientSockets: clientDrops !== null, serverSockets: after.server.size > 0 },
    system: difference && {
      rcvbufErrors: difference.udpRcvbufErrors,
      sndbufErrors: difference.udpSndbufErrors,
      inErrors: difference.udpInErrors,
    },
  };
}
