/** Processes that this test file has started, and those that they have; other test files run beside it. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** They carry it in their environment, which stays with them when their parent is gone. */
const name = 'DISPATCHBENCH_TEST';
const value = randomUUID();
process.env[name] = value;

/** Their ids. None where the system has no /proc. */
export function ownProcesses(): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${name}=${value}`);
      } catch {
        return false;
      }
    });
}

/** Their command lines; of those that have just ended there is none. */
export const ownCommandLines = (): { pid: number; words: string[] }[] =>
  ownProcesses().flatMap((pid) => {
    try {
      return [{ pid: Number(pid), words: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') }];
    } catch {
      return [];
    }
  });
