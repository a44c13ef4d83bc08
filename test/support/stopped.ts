/** Stops a process by SIGSTOP, for certain: the signal is only on its way when kill returns. Linux. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const stateOf = (path: string) => {
  try {
    return /\) (\w)/.exec(readFileSync(path, 'latin1'))?.[1];
  } catch {
    return undefined; // the thread has ended
  }
};

/** @returns when none of its threads runs any more */
export async function stopped(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const folder = `/proc/${pid}/task`;
  const still = () =>
    readdirSync(folder).every((thread) => ['T', undefined].includes(stateOf(`${folder}/${thread}/stat`)));
  while (!still()) await pause(1);
}
