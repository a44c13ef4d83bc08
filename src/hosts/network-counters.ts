/** Overload counters of Linux: /proc/net/netstat and /proc/net/snmp, pairs of lines (names, then values). */
import type { NetworkCounters } from '../contract/host.js';

const sources: Record<keyof NetworkCounters, string> = {
  listenOverflows: 'TcpExt.ListenOverflows',
  listenDrops: 'TcpExt.ListenDrops',
  reqQFullDrop: 'TcpExt.TCPReqQFullDrop',
  reqQFullDoCookies: 'TcpExt.TCPReqQFullDoCookies',
  synRetransmits: 'TcpExt.TCPSynRetrans',
  delayedAcks: 'TcpExt.DelayedACKs',
  udpRcvbufErrors: 'Udp.RcvbufErrors',
  udpSndbufErrors: 'Udp.SndbufErrors',
  udpInErrors: 'Udp.InErrors',
};

const names = Object.keys(sources) as (keyof NetworkCounters)[];

function pick(value: (name: keyof NetworkCounters) => number): NetworkCounters {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as NetworkCounters;
}

/** @param text both files, one after the other; a counter that the kernel does not have reads 0 */
export function parseNetworkCounters(text: string): NetworkCounters {
  const values = new Map<string, number>();
  const lines = text.split('\n');
  for (let row = 0; row + 1 < lines.length; row += 2) {
    const [group, ...columns] = lines[row]!.split(' ');
    const numbers = lines[row + 1]!.split(' ').slice(1);
    columns.forEach((column, index) => {
      const value = Number(numbers[index]);
      // gVisor names counters that it does not keep, with nothing below the name.
      if (Number.isFinite(value)) values.set(`${group!.replace(':', '')}.${column}`, value);
    });
  }
  return pick((name) => values.get(sources[name]) ?? 0);
}

export function networkDifference(before: NetworkCounters, after: NetworkCounters): NetworkCounters {
  return pick((name) => Math.max(0, after[name] - before[name]));
}
