/**
 * One process at a time writes a run. Its claim is an empty file whose name says who: pid, when that process started, and
 * the machine, so that a full disk cannot tear it and a claim that a crash left is told from a living one.
 */
import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startOf } from '../identity.js';

const machine = hostname().replaceAll(/[^\w.-]/g, '_');
const ownName = `owner.${process.pid}.${startOf(process.pid)}.${machine}`;

interface Claim {
  name: string;
  pid: number;
  /** of another machine nobody here can tell: it counts as living */
  alive: boolean;
  machine: string;
}

function claims(folder: string): Claim[] {
  return readdirSync(folder).flatMap((name) => {
    const [, pid, start, where] = /^owner\.(\d+)\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (where === undefined) return [];
    const alive = where !== machine || startOf(Number(pid)) === start;
    return [{ name, pid: Number(pid), alive, machine: where }];
  });
}

function refusal(folder: string, what: string, { name, pid, machine: where }: Claim): Error {
  const remedy =
    where === machine
      ? 'wait for it or end it'
      : `end it, or remove ${join(folder, name)} if it is gone already`;
  return new Error(`process ${pid}${where === machine ? '' : ` of ${where}`} ${what}: ${remedy}`);
}

/** Two that claim at the same moment both see the other: each steps back and tries again after a time of its own. */
const attempts = 8;

/**
 * Claims a folder for this process; claims of processes that are gone are removed.
 * @param what such a process does, in words that follow its number
 * @returns gives it back
 * @throws Error in one sentence when somebody else has it
 */
export async function lockFolder(folder: string, what = 'is writing this run'): Promise<() => void> {
  const own = join(folder, ownName);
  const release = () => rmSync(own, { force: true });
  for (let attempt = 1; ; attempt++) {
    try {
      closeSync(openSync(own, 'wx'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new Error(`this process (${process.pid}) ${what} already`);
    }
    const others = claims(folder).filter(({ name }) => name !== ownName);
    const living = others.find(({ alive }) => alive);
    if (!living) {
      for (const { name } of others) rmSync(join(folder, name), { force: true });
      return release;
    }
    release();
    if (attempt === attempts) throw refusal(folder, what, living);
    await pause(10 + 40 * Math.random());
  }
}
