/**
 * Instructions that one event takes, counted by callgrind (of valgrind) in the program that measures the cost of a dispatch:
 * the same number in every run. Of the program alone: what the kernel does is not among them.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cost, cost, factsOfMode } from '../contract/cost.js';
import { validated } from '../contract/validated.js';
import { commandOf } from '../hosts/program.js';
import { type CostSpec, costProgram, missingPeer } from '../programs/cost.js';

/**
 * What callgrind is told to count: native/cost has functions of their own for this. A name in `toggles` turns the counting over
 * at its entry and its end, so that what is untimed in a round is left out; before the measured rounds all is forgotten.
 */
const toggles = ['*cost::measured_round<*', '*cost::Untimed<*>::operator()<*'];
const forgotten = '*cost::measured_from_here*';

/** Under valgrind a program runs some fifty times slower; nobody waits longer. */
const longestMs = 600_000;

/** Why there is no count here, and how to get one; undefined: there is. */
export function withoutInstructions(): string | undefined {
  return spawnSync('valgrind', ['--version']).error
    ? 'instructions are counted by callgrind, and valgrind is not installed here: install it with the package manager (Debian: apt install valgrind)'
    : undefined;
}

/** @throws Error in one sentence when they cannot be counted */
export async function countInstructions(
  spec: Omit<CostSpec, 'length' | 'control'>,
  rounds = 200,
): Promise<{ line: Cost; perEvent: number }> {
  const missing = missingPeer(spec.impl) ?? withoutInstructions();
  if (missing !== undefined) throw new Error(missing);
  if (spec.impl === 'ts')
    throw new Error(
      'of TypeScript no two runs take as many instructions, because V8 compiles while they last: take --impl native',
    );
  if (factsOfMode(spec.mode).second)
    throw new Error(
      `in --mode ${spec.mode} two threads wait for each other, so that no two runs take as many instructions: choose another mode`,
    );
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
  try {
    const { command, args } = commandOf(costProgram({ ...spec, length: { rounds, warmupRounds: 3 } }));
    const out = join(folder, 'callgrind');
    const tool = ['-q', '--tool=callgrind', `--callgrind-out-file=${out}`, `--zero-before=${forgotten}`];
    tool.push(...toggles.map((name) => `--toggle-collect=${name}`));
    const { stdout } = await promisify(execFile)('valgrind', [...tool, command, ...args], {
      timeout: longestMs,
    }).catch(({ stderr }: { stderr?: string }) => {
      throw new Error(stderr?.trim() || 'the program did not end under valgrind');
    });
    const line = validated(cost, JSON.parse(stdout), 'what the program measured');
    const total = Number(/^(?:summary|totals): (\d+)/m.exec(readFileSync(out, 'utf8'))?.[1] ?? 0);
    if (total === 0)
      throw new Error(
        'the program was built without its symbols, so that callgrind finds no round in it: use a build of a checkout',
      );
    return { line, perEvent: total / line.events };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
