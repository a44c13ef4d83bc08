/** Congestion controls of this machine's sockets. */
import { readFileSync } from 'node:fs';

/** Those that can be had at once, as the system names them; none where it does not tell. */
export function congestionControls(): string[] {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim().split(/\s+/);
  } catch {
    return [];
  }
}
