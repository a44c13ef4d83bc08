/**
 * Starts a command many times, holds all of them, and says what they take: its arguments are a JSON array of the command,
 * whose first line of output says that it stands, and how many. Line `instances` of src/contract/gateway.ts. It ends when its stdin
 * does, and all of them with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { InstancesLine } from '../src/contract/gateway.js';
import { printLine, readControl } from '../src/control.js';
import { runProgram } from '../src/program.js';

const command = z.array(z.string()).min(1);
/** So many are started at a time. */
const together = 4;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has just ended
  }
};
const kilobytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);

function memory(pids: readonly number[]): InstancesLine['before'] {
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0) * 1024;
  return {
    pssBytes: sum((pid) => kilobytes(read(`/proc/${pid}/smaps_rollup`), 'Pss')),
    reservedBytes: sum((pid) => kilobytes(read(`/proc/${pid}/status`), 'VmSize')),
  };
}

await runProgram('hold-instances', async () => {
  const [text = '', many = ''] = process.argv.slice(2);
  const [program = '', ...args] = command.parse(JSON.parse(text));
  const count = z.coerce.number().int().min(1).max(1024).parse(many);
  const children: ChildProcess[] = [];
  let ending = false;
  const stopped = async () => {
    ending = true;
    const all = children.filter((child) => child.exitCode === null && child.signalCode === null);
    const ended = all.map((child) => once(child, 'exit'));
    for (const child of all) child.kill('SIGTERM');
    await Promise.all(ended);
  };
  const end = () => stopped().then(() => process.exit(0));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
  readControl(() => {}, end);

  const start = async () => {
    if (ending) return;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const lines = createInterface({ input: child.stdout });
    await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code]) => {
        if (!ending) throw new Error(`${program} ended with exit code ${code} before it stood`);
      }),
    ]);
  };
  const looked = () => memory(children.map(({ pid }) => pid!));
  // The first one pays for what all share.
  await start();
  const before = looked();
  for (let left = count; left > 0; left -= together)
    await Promise.all(Array.from({ length: Math.min(together, left) }, start));
  if (ending) return;
  const line: InstancesLine = { event: 'instances', mode: 'process', count, before, after: looked() };
  // Nobody who comes next is to find one of them.
  await stopped();
  printLine(line);
});
