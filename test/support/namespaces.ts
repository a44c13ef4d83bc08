/** Network namespaces, where this machine lets tests make some, and what is left of them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { ownProcesses } from './own-processes.js';

/** false, or why tests that make namespaces are skipped */
export const noNamespaces: false | string =
  process.platform !== 'linux'
    ? "network namespaces are Linux's"
    : spawnSync('unshare', ['--net', 'true']).status === 0
      ? false
      : 'no network namespace can be made here: run as root';

const namespaceOf = (pid: string) => readlinkSync(`/proc/${pid}/ns/net`);

/** This process' network namespace, and those that processes it started are in. */
export function namespaces(): Set<string> {
  const found = new Set([namespaceOf('self')]);
  for (const pid of ownProcesses()) {
    try {
      found.add(namespaceOf(pid));
    } catch {
      // It has just ended.
    }
  }
  return found;
}

/** Interfaces of this namespace. */
export const interfaces = (): string[] => readdirSync('/sys/class/net').sort();

/** Waits until no process is in a namespace that was not there before. @returns those that are left after 10 s */
export async function leftOver(before: ReadonlySet<string>): Promise<string[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const left = [...namespaces()].filter((one) => !before.has(one));
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Carries `work` out and checks that no process in a namespace of its own and no interface is left of it. */
export async function leavingNothing<T>(work: () => Promise<T>): Promise<T> {
  const before = { namespaces: namespaces(), interfaces: interfaces() };
  const result = await work();
  assert.deepEqual(await leftOver(before.namespaces), []);
  assert.deepEqual(interfaces(), before.interfaces);
  return result;
}

/** Waits until a child works in two namespaces that were not there before. @throws Error when it ends before */
export async function worksInTwo(child: ChildProcess, before: ReadonlySet<string>): Promise<void> {
  while ([...namespaces()].filter((one) => !before.has(one)).length < 2) {
    if (child.exitCode !== null)
      throw new Error(`it ended with code ${child.exitCode} and used no namespace`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
