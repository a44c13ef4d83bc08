/**
 * Starts a command many times, holds all of them, and says what they take: its arguments are a HeldSpec as JSON, and how many.
 * Line `instances` of src/contract/gateway.ts. It ends when its stdin does, and all of them with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { heldSpec, type InstancesLine } from '../src/contract/gateway.js';
import { printLine, readControl } from '../src/control.js';
import { runProgram } from '../src/program.js';

/** So many are started at a time. */
const together = 4;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has just ended
  }
};
const linked = (path: string): string | null => {
  try {
    return readlinkSync(path);
  } catch {
    return null; // likewise
  }
};
const kilobytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);

/** Asks all that was started as one command to end. */
function endAll(leader: number): void {
  try {
    process.kill(-leader, 'SIGTERM');
  } catch {
    // It has just ended.
  }
}

/** The parent of every process that runs, from its proc(5) stat: behind a name that may hold spaces. */
const parents = (): Map<number, number> =>
  new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => {
        const stat = read(`/proc/${name}/stat`);
        return [Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])];
      }),
  );

/** Those, and all below them. */
function trees(roots: readonly number[], parentOf: ReadonlyMap<number, number>): Set<number> {
  const found = new Set(roots);
  for (let size = -1; size < found.size; ) {
    size = found.size;
    for (const [pid, parent] of parentOf) if (found.has(parent)) found.add(pid);
  }
  return found;
}

/** All that are in a namespace of processes, or in one below it, without what this process has started. */
function inside(namespace: string): number[] {
  const [wanted, parentOf] = [linked(namespace), parents()];
  const roots = [...parentOf.keys()].filter((pid) => linked(`/proc/${pid}/ns/pid`) === wanted);
  const own = trees([process.pid], parentOf);
  return [...trees(roots, parentOf)].filter((pid) => !own.has(pid));
}

function memory(pids: readonly number[]): InstancesLine['before'] {
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0) * 1024;
  return {
    pssBytes: sum((pid) => kilobytes(read(`/proc/${pid}/smaps_rollup`), 'Pss')),
    reservedBytes: sum((pid) => kilobytes(read(`/proc/${pid}/status`), 'VmSize')),
  };
}

await runProgram('hold-instances', async () => {
  const [text = '', many = ''] = process.argv.slice(2);
  const { command, within } = heldSpec.parse(JSON.parse(text));
  const [program = '', ...args] = command;
  const count = z.coerce.number().int().min(1).max(1024).parse(many);
  const running = new Map<ChildProcess, Promise<unknown>>();
  let ending = false;
  const stopped = async () => {
    ending = true;
    // What was started may be no more than the parent of what runs: nobody is left who would write when that has ended.
    await Promise.all(
      [...running].map(([child, ended]) => {
        endAll(child.pid!);
        return ended;
      }),
    );
  };
  const end = () => stopped().then(() => process.exit(0));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
  readControl(() => {}, end);

  const start = async () => {
    if (ending) return;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const ended = once(child, 'close').then(([code]) => {
      running.delete(child);
      return code;
    });
    if (child.pid !== undefined) running.set(child, ended);
    const lines = createInterface({ input: child.stdout });
    await Promise.race([
      once(lines, 'line'),
      ended.then((code) => {
        if (!ending) throw new Error(`${program} ended with exit code ${code} before it stood`);
      }),
    ]);
  };
  const looked = () => memory(within === undefined ? [...running].map(([{ pid }]) => pid!) : inside(within));
  // The first one pays for what all share.
  await start();
  const before = looked();
  for (let left = count; left > 0; left -= together)
    await Promise.all(Array.from({ length: Math.min(together, left) }, start));
  if (ending) return;
  const mode = within === undefined ? 'process' : 'container';
  const line: InstancesLine = { event: 'instances', mode, count, before, after: looked() };
  if (running.size <= count) throw new Error(`only ${running.size} of ${count + 1} still stand`);
  // Nobody who comes next is to find one of them.
  await stopped();
  printLine(line);
});
