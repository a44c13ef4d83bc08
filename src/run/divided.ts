/** The cells of a run divided among its hosts: each is measured on one of them, and what is compared on the same. */
import type { Division } from '../contract/run.js';
import { levelsKey } from '../contract/sample.js';
import { type Divided, divide, type Part } from '../planner/sweep.js';
import type { TrialSpec } from '../trials/registry.js';
import type { PlannedCell } from './plan.js';

/**
 * What starting programs and looking at the machine takes beside what a trial is asked for; of a trial alone on a host that is
 * there. Only its ratio to the rest counts, since what is divided is time.
 */
const aroundMs = 2500;
/** Idle connections that a server takes in a second. */
const idlePerMs = 20;

/** What a trial will take, from what it is asked: no more than a guess, and the same for the same trial. */
export function expectedMs(trial: TrialSpec): number {
  let ms = aroundMs;
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, one] of Object.entries(value)) {
      if (typeof one !== 'number') walk(one);
      else if (key === 'warmupMs' || key === 'durationMs') ms += one;
      else if (key === 'idle' || key === 'standing') ms += one / idlePerMs;
    }
  };
  walk(trial);
  return ms;
}

/** What of a cell is not compared within the report: it agrees in all that are. */
function partOf({ experiment, levels }: PlannedCell): string {
  const compared = ['backend', 'engine', experiment.axis];
  const rest = Object.entries(levels).filter(([factor]) => !compared.includes(factor));
  return `${experiment.id} ${levelsKey(Object.fromEntries(rest))}`.trim();
}

export interface HostCells<Cell extends PlannedCell> {
  name: string;
  lane: number;
  possible: readonly Cell[];
  refused: readonly { cell: Cell; why: string }[];
}

/** What is measured, in parts; one that no host can have has no hosts. */
export function partsOf<Cell extends PlannedCell>(hosts: readonly HostCells<Cell>[]): Part[] {
  const names = [
    ...new Set(
      hosts.flatMap(({ possible, refused }) => [...possible, ...refused.map(({ cell }) => cell)]).map(partOf),
    ),
  ];
  return names.map((name) => {
    const counts = hosts.map(({ possible }) => possible.filter((cell) => partOf(cell) === name).length);
    const most = Math.max(...counts);
    // A host that lacks some of the cells would leave them out of the comparison.
    const able = most === 0 ? [] : [...counts.keys()].filter((host) => counts[host] === most);
    const cells = hosts[able[0] ?? 0]!.possible.filter((cell) => partOf(cell) === name);
    return { name, hosts: able, ms: cells.reduce((sum, { trial }) => sum + expectedMs(trial), 0) };
  });
}

export interface DividedCells<Cell> extends Divided {
  parts: readonly Part[];
  possible: Cell[];
  refused: { cell: Cell; why: string }[];
}

/**
 * @param budgetMs that there is for a block; null: as long as it takes
 * @throws Error in one sentence when it does not fit
 */
export function dividedCells<Cell extends PlannedCell>(
  hosts: readonly HostCells<Cell>[],
  division: Division,
  budgetMs: number | null,
): DividedCells<Cell> {
  const all = partsOf(hosts);
  // What no host can have is told as impossible, by the first of them, and not placed.
  const parts = all.filter(({ hosts: able }) => able.length > 0);
  const lost = new Set(all.filter(({ hosts: able }) => able.length === 0).map(({ name }) => name));
  const found = divide(parts, hosts, division, budgetMs);
  if ('placement' in found) throw new Error(`the cells cannot be divided among the hosts: ${found.reason}`);
  const hostOf = new Map(parts.map(({ name }, at) => [name, found.where[at]!]));
  const isHere = (cell: Cell, host: number) =>
    (lost.has(partOf(cell)) ? 0 : hostOf.get(partOf(cell))) === host;
  return {
    ...found,
    parts,
    possible: hosts.flatMap(({ possible }, host) => possible.filter((cell) => isHere(cell, host))),
    refused: hosts.flatMap(({ refused }, host) => refused.filter(({ cell }) => isHere(cell, host))),
  };
}
