/** Solvers that prove what is optimal, installed when first asked for: HiGHS by npm, and CP-SAT by pip where there is a Python. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../src/addon.js';
import { cacheFolder } from '../src/cache.js';
import { install } from '../src/on-demand.js';
import { type Goal, integerProgram, solutionOf } from '../src/planner/placement/integer-program.js';
import type { Placement, Problem } from '../src/planner/placement/problem.js';
import { unitsOf } from '../src/planner/placement/units.js';

export interface Solved {
  /** null: none was found in the time */
  placement: Placement | null;
  /** no placement is better, by the solver's own proof; null: it proved none */
  bound: number | null;
  proven: boolean;
  /** of CPU time, all threads together: who shares the machine is not to decide */
  seconds: number;
}

export interface Solver {
  name: string;
  solve(problem: Problem, goal: Goal, limitSeconds: number): Solved;
}

interface HighsModule {
  solve(
    program: string,
    options: Record<string, unknown>,
  ): { Status: string; ObjectiveValue: number; Columns: Record<string, { Primal?: number }> };
}

/** @throws Error in one sentence when npm cannot bring it */
export async function highs(): Promise<Solver> {
  const modules = install({ name: 'highs', packages: ['highs@1.15.3'] }, (line) => console.error(line));
  const load = createRequire(join(modules, 'highs', 'package.json'))('highs') as (
    settings: object,
  ) => Promise<HighsModule>;
  let said: string[] = [];
  const print = (line: string) => said.push(line);
  const module = await load({ print, printErr: print });
  return {
    name: 'HiGHS',
    solve(problem, goal, limitSeconds) {
      const all = unitsOf(problem);
      const program = integerProgram(all, goal);
      said = [];
      const began = process.cpuUsage();
      const { Status, Columns } = module.solve(program, { time_limit: limitSeconds, output_flag: true });
      const { user, system } = process.cpuUsage(began);
      const seconds = (user + system) / 1e6;
      const proven = Status === 'Optimal';
      const told = said
        .map((line) => /Dual bound\s+([\d.e+-]+)/.exec(line)?.[1])
        .find((one) => one !== undefined);
      const found = Object.keys(Columns).length > 0 && (proven || /limit/i.test(Status));
      const placement = found ? solutionOf(all, (name) => Columns[name]?.Primal) : null;
      return {
        placement: placement?.every((host) => host >= 0) ? placement : null,
        // It says '-inf' as long as it has none.
        bound: Number.isFinite(Number(told)) ? Number(told) : null,
        proven,
        seconds,
      };
    },
  };
}

const ortools = 'ortools==9.15.6755';

/** OR-tools are installed when first asked for, into a folder of their own. @returns why not, in one sentence */
export function cpSat(python: string): Solver | string {
  const folder = join(cacheFolder('on-demand'), ortools);
  const env = { ...process.env, PYTHONPATH: folder };
  const isThere = () =>
    spawnSync(python, ['-c', 'from ortools.sat.python import cp_model'], { env }).status === 0;
  if (!isThere()) {
    console.error(`installing ${ortools} into ${folder} ...`);
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--target',
      folder,
      ortools,
    ];
    const done = spawnSync(python, pip, { encoding: 'utf8' });
    if (done.status !== 0 || !isThere()) {
      const said = done.error?.message ?? done.stderr.trim().split('\n').at(-1) ?? '';
      return `CP-SAT is not available here: ${python} has no ortools, and pip did not bring it: ${said}`;
    }
  }
  return {
    name: 'CP-SAT',
    solve(problem, goal, limitSeconds) {
      const input = JSON.stringify({ ...problem, goal, limitSeconds });
      const script = join(packageRoot, 'bench/cp-sat.py');
      const done = spawnSync(python, [script], { env, input, encoding: 'utf8', maxBuffer: 1 << 26 });
      if (done.status !== 0) throw new Error(`CP-SAT ended with: ${done.stderr.trim().split('\n').at(-1)}`);
      return JSON.parse(done.stdout) as Solved;
    },
  };
}
