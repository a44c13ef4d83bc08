/** Limits found before connections are opened: descriptors of a process, and ports of a source address. */
import { isIPv4 } from 'node:net';
import { ephemeralPorts } from '../hosts/linux-facts.js';
import { descriptorLimit } from '../process.js';

/** Descriptors that a client needs beside its connections: Node's own, the poller's, the pipes. */
const spareDescriptors = 64;
/**
 * Share of a port range that one source address uses at ease: Linux looks through every second port first, so beyond
 * half of the range each connect() walks over thousands of taken ones (measured: 12 000 connections in 0.2 s, 17 000 in
 * more than 10 s).
 */
const easyPorts = 0.45;
/** Share beyond which earlier connections in TIME_WAIT leave too few. */
const possiblePorts = 0.9;

/** Connections that one process can hold: Node has raised its soft limit to the hard one. */
export function connectionsPerProcess(limit = descriptorLimit()): number {
  return limit.hard - spareDescriptors;
}

/** @throws Error naming limit, need and cure when one process cannot hold so many connections */
export function requireDescriptors(connections: number, limit = descriptorLimit()): void {
  if (connections <= connectionsPerProcess(limit)) return;
  throw new Error(
    `${connections} connections need ${connections + spareDescriptors} descriptors, and this process may open ${limit.hard}: ` +
      `raise the hard limit (ulimit -Hn, or nofile in /etc/security/limits.conf), or use fewer connections`,
  );
}

const isLoopback = (target: string) => isIPv4(target) && target.startsWith('127.');

/** Numeric addresses; `first` skips those that other processes use. */
function loopbackAddresses(count: number, first: number): string[] {
  // 127.0.0.1 is everybody's: begin at 127.0.0.2.
  return Array.from({ length: count }, (_, index) => {
    const number = first + index + 2;
    return `127.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  });
}

/**
 * Source addresses for connections to one target.
 * @param already addresses given to other processes with the same target; -1: this is the only process
 * @param others addresses of this machine that are there to be spread over, where the target is no loopback
 * @returns none when the system's own choice suffices
 * @throws Error naming limit, need and cure when one address's ports do not suffice and there are no others
 */
export function sourceAddresses(
  target: string,
  connections: number,
  already = -1,
  range = ephemeralPorts(),
  others: readonly string[] = [],
): string[] {
  if (!range) return [];
  const ports = range.last - range.first + 1;
  const perAddress = Math.floor(ports * easyPorts);
  if (already < 0 && connections <= perAddress) return [];
  const first = Math.max(already, 0);
  const needed = Math.ceil(connections / perAddress);
  if (isLoopback(target)) return loopbackAddresses(needed, first);
  const spread = others.slice(first, first + needed);
  if (spread.length === needed) return spread;
  if (first === 0 && connections <= ports * possiblePorts) return [];
  throw new Error(
    `${connections} connections to ${target} need more than the ${ports} ports of one source address: ` +
      'widen net.ipv4.ip_local_port_range, or target a 127.0.0.0/8 address, for which sources can be spread',
  );
}

/** What one holder process is asked for. */
export interface HolderShare {
  connections: number;
  sources: string[];
}

/**
 * Spreads idle connections over as few processes as descriptors allow.
 * @param others as `sourceAddresses`
 * @throws Error naming limit, need and cure when the ports of all together do not suffice
 */
export function planHolders(
  target: string,
  connections: number,
  limit = descriptorLimit(),
  range = ephemeralPorts(),
  others: readonly string[] = [],
): HolderShare[] {
  const holders = Math.max(1, Math.ceil(connections / connectionsPerProcess(limit)));
  // Processes that cannot be told apart by their addresses share the ports of one.
  const oneAddress = !isLoopback(target) && others.length === 0;
  if (oneAddress) sourceAddresses(target, connections, -1, range);
  const shares: HolderShare[] = [];
  let addresses = holders === 1 ? -1 : 0;
  for (let index = 0; index < holders; index++) {
    const share =
      Math.floor((connections * (index + 1)) / holders) - Math.floor((connections * index) / holders);
    const sources = oneAddress ? [] : sourceAddresses(target, share, addresses, range, others);
    addresses += sources.length;
    shares.push({ connections: share, sources });
  }
  return shares;
}
