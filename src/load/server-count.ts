/** How many connections a server on this machine holds, by the kernel's count of the server's end. */
import { readFact } from '../hosts/linux-facts.js';

/**
 * Established connections on the local port `port` that the server has accepted, from the kernel's socket tables (IPv4
 * and IPv6). A connection still in the listen queue belongs to no descriptor yet: its inode is 0, and it does not count.
 * @returns null when the system has no such table
 */
export function acceptedConnections(port: number, tables = socketTables()): number | null {
  if (tables === null) return null;
  const localPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const established = '01';
  // The kernel walks a table that changes meanwhile, so a row can come twice.
  const accepted = new Set<string>();
  for (const row of tables.split('\n')) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...
    const columns = row.trim().split(/\s+/, 10);
    if (columns[1]?.endsWith(localPort) && columns[3] === established && columns[9] !== '0') {
      accepted.add(columns[2]!);
    }
  }
  return accepted.size;
}

function socketTables(): string | null {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map(readFact).filter((text) => text !== null);
  return tables.length > 0 ? tables.join('\n') : null;
}
