// One process at a time brings a checkout up to date. A claim is an empty file whose name says who: its pid and when that
// process started, so that the claim of one that was killed is told from that of one that works, though another has its pid.
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const claim = /^\.setup\.(\d+)\.(\d+)$/;

/** Clock ticks after boot, '0' where the system does not tell; null: there is no such process. */
function startOf(pid) {
  try {
    process.kill(pid, 0);
  } catch ({ code }) {
    if (code !== 'EPERM') return null;
  }
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')[19];
  } catch {
    return '0';
  }
}

/** Claims of others that work; those of the dead are removed, which nobody can claim again. */
function others(folder, own) {
  return readdirSync(folder).flatMap((name) => {
    const [, pid, start] = claim.exec(name) ?? [];
    if (pid === undefined || name === own) return [];
    if (startOf(pid) === start) return [{ name, pid }];
    rmSync(join(folder, name), { force: true });
    return [];
  });
}

/**
 * Waits until nobody else has the folder, and claims it until this process ends.
 * @param waiting called once, with the pid of who has it and the file that says so
 */
export async function lockSetup(folder, waiting) {
  mkdirSync(folder, { recursive: true });
  const own = `.setup.${process.pid}.${startOf(process.pid)}`;
  const release = () => rmSync(join(folder, own), { force: true });
  process.once('exit', release);
  for (let told = false; ; ) {
    let [other] = others(folder, own);
    if (!other) {
      closeSync(openSync(join(folder, own), 'w'));
      [other] = others(folder, own);
      if (!other) return;
      // Two that claim at the same moment both see the other: each steps back for a time of its own.
      release();
    }
    if (!told) waiting(other.pid, join(folder, other.name));
    told = true;
    await pause(50 + 100 * Math.random());
  }
}
