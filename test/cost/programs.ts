/** Runs the programs that measure the cost of a dispatch, for their tests. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cost, cost } from '../../src/contract/cost.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { commandOf } from '../../src/hosts/program.js';
import { type CostSpec, costProgram } from '../../src/programs/cost.js';

export const costCommand = (spec: CostSpec) => commandOf(costProgram(spec));

export type Kind = Pick<CostSpec, 'impl' | 'backend'>;

export const available = listBackends().filter((probe) => probe.available);
/** Ours, and the bare mechanisms. */
export const kinds: readonly Kind[] = [
  ...available.map(({ name }) => ({ impl: 'native', backend: name }) as const),
  ...available
    .filter(({ name }) => ['select', 'poll', 'epoll', 'kqueue'].includes(name))
    .map(({ name }) => ({ impl: 'baseline', backend: name }) as const),
];
export const nameOf = ({ impl, backend }: Kind) => `${impl} on ${backend}`;

export function run(command: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return { status, lines: stdout.split('\n').filter((line) => line !== ''), stderr };
}

export function measure(spec: CostSpec): Cost {
  const { command, args } = costCommand(spec);
  const { status, lines, stderr } = run(command, args);
  assert.equal(status, 0, stderr);
  assert.equal(lines.length, 1);
  return cost.parse(JSON.parse(lines[0]!));
}

export const withoutStrace =
  spawnSync('strace', ['-V']).error === undefined ? false : 'strace is not installed';

const tracedCalls = [
  ...['select', 'pselect6', 'poll', 'ppoll', 'epoll_wait', 'epoll_pwait', 'epoll_pwait2', 'epoll_ctl'],
  'io_uring_enter',
  ...['sendto', 'recvfrom', 'accept4'],
];

/** The same under strace. `calls`: how many of its lines are so; `waits`: calls that wait for pairs. */
export function traced(spec: CostSpec): { line: Cost; calls: (pattern: RegExp) => number; waits: number } {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
  try {
    const { command, args } = costCommand(spec);
    const trace = join(folder, 'trace');
    const set = tracedCalls.map((name) => `?${name}`).join(',');
    const { status, lines, stderr } = run('strace', ['-o', trace, '-e', `trace=${set}`, command, ...args]);
    assert.equal(status, 0, stderr);
    // Entering a ring after the last byte lets go of the pairs.
    const all = readFileSync(trace, 'utf8').split('\n');
    const last = all.findLastIndex((one) => one.startsWith('recvfrom('));
    const text = all.filter((one, at) => at < last || !one.startsWith('io_uring_enter('));
    const calls = (pattern: RegExp) => text.filter((one) => pattern.test(one)).length;
    return {
      line: cost.parse(JSON.parse(lines[0]!)),
      calls,
      // Not waits for a pair: whether epoll_pwait2 exists is asked of no set, and now and then whether to stop.
      waits: calls(
        spec.backend.startsWith('epoll')
          ? /^epoll_p?wait2?\((?!-1)/
          : /^(p?select6?|p?poll|io_uring_enter)\((?!-1|\[\{fd=\d+, events=POLLIN\}\], 1, 0)/,
      ),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
