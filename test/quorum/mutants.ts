/** The compiled protocols with one rule broken: what the invariants have to notice. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/addon.js';
import type { pbftSchedule } from '../../src/quorum/simulation/pbft-schedule.js';
import type { raftSchedule } from '../../src/quorum/simulation/raft-schedule.js';
import type { Violation } from '../../src/quorum/simulation/violation.js';

export interface Mutant {
  name: string;
  /** below dist/src/quorum */
  file: string;
  /** compiled text that stands there once, and what takes its place */
  from: string;
  to: string;
  /** invariants any of which may be the first to show it */
  caughtBy: readonly string[];
  /** a schedule that was seen to show it: a rare one need not be looked for each time */
  tryFirst?: number;
}

export interface Simulations {
  raftSchedule: typeof raftSchedule;
  pbftSchedule: typeof pbftSchedule;
}

/** Runs `work` with the simulations on a copy of the protocols that has this fault. */
export async function withMutant(mutant: Mutant, work: (simulations: Simulations) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-mutant-'));
  try {
    const compiled = join(packageRoot, 'dist/src');
    cpSync(join(compiled, 'quorum'), join(folder, 'quorum'), { recursive: true });
    mkdirSync(join(folder, 'statistics'));
    cpSync(join(compiled, 'statistics/random.js'), join(folder, 'statistics/random.js'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const path = join(folder, 'quorum', mutant.file);
    const text = readFileSync(path, 'utf8');
    assert.equal(text.split(mutant.from).length, 2, `'${mutant.from}' stands once in ${mutant.file}`);
    writeFileSync(
      path,
      text.replace(mutant.from, () => mutant.to),
    );
    const load = (name: string) => import(pathToFileURL(join(folder, 'quorum/simulation', name)).href);
    work({ ...(await load('raft-schedule.js')), ...(await load('pbft-schedule.js')) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs schedules until one shows the fault. @returns which invariant did, and in which; null: none of them */
export function firstViolation(
  run: (seed: string) => unknown,
  schedules: number,
  first = 0,
): { invariant: string; schedule: number } | null {
  for (const i of [first, ...Array(schedules).keys()]) {
    try {
      run(`mutant:${i}`);
    } catch (error) {
      // A mutant has a class Violation of its own.
      const { invariant } = error as Violation;
      if (typeof invariant !== 'string') throw error;
      return { invariant, schedule: i };
    }
  }
  return null;
}
