/** Which process a pid means: the number alone is given to others when it is gone. */
import { readFileSync } from 'node:fs';

/** Clock ticks after boot at which a process started; '0' where the system does not tell, null when it is gone. */
export function startOf(pid: number): string | null {
  try {
    // The program's name is in parentheses and may hold anything; the 20th field after it is the start.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    try {
      process.kill(pid, 0);
      return '0';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM' ? '0' : null;
    }
  }
}

/** A process by its pid and when it started. */
export interface ProcessIdentity {
  pid: number;
  /** as `startOf` says */
  start: string;
}

export const identityOf = (pid: number): ProcessIdentity => ({ pid, start: startOf(pid) ?? '0' });

export const isAlive = ({ pid, start }: ProcessIdentity): boolean => startOf(pid) === start;
