/**
 * A placement on as few hosts as it finds: first and best fit decreasing in several orders, then one host after the other is
 * emptied by ejection, until a bound says that no fewer can do. Where it finds none, why.
 */
import { randomFrom } from '../../statistics/random.js';
import { fewestHosts, plainReason } from './bound.js';
import { makeRoom } from './eject.js';
import { exhaustive } from './exhaustive.js';
import { type Filling, nowhere } from './filling.js';
import { decreasing, inOrder, waysToSize } from './first-fit.js';
import { checkProblem, type Placement, type Problem } from './problem.js';
import { placementOf, type Units, unitsOf } from './units.js';

export interface Placed {
  placement: Placement;
  /** hosts that have an item */
  hosts: number;
  /** no placement uses fewer: where it equals `hosts`, this one is as good as any */
  fewest: number;
}

export interface Unplaced {
  placement: null;
  /** one sentence that names the rule */
  reason: string;
  /** there is none; otherwise none was found */
  proven: boolean;
}

export interface Effort {
  /** of what is left to chance */
  seed?: number;
  /** units tried for each host that is to be emptied, by unit of the problem */
  stepsByUnit?: number;
}

/** Steps of trying every placement, for those that nothing else decides. */
const exhaustiveSteps = 200_000;

/** @throws Error in one sentence when the problem is none */
export function place(problem: Problem, { seed = 1, stepsByUnit = 10 }: Effort = {}): Placed | Unplaced {
  checkProblem(problem);
  const all = unitsOf(problem);
  const plain = plainReason(all);
  if (plain !== null) return { placement: null, reason: plain, proven: true };
  const random = randomFrom(seed);
  const steps = stepsByUnit * all.units.length;
  const fillings = waysToSize.flatMap((sizes) => {
    const order = inOrder(all, sizes(all));
    return [false, true].map((best) => decreasing(all, order, best));
  });
  const missing = ({ where }: Filling) => where.filter((host) => host === nowhere).length;
  fillings.sort((a, b) => missing(a) - missing(b) || a.used() - b.used());
  const start = fillings[0]!;
  const lacking = [...start.where.keys()].filter((unit) => start.where[unit] === nowhere);
  const everyHost = [...problem.hosts.keys()];
  if (lacking.length > 0 && !makeRoom(start, everyHost, lacking, 10 * steps, random)) {
    const found = exhaustive(all, problem.hosts.length, exhaustiveSteps);
    if (typeof found === 'string') return unplaced(problem, found === 'none');
    start.restore(new Int32Array(found.length).fill(nowhere));
    start.restore(found);
  }
  const fewest = fewestHosts(all);
  while (start.used() > fewest && emptyOne(start, steps, random));
  return { placement: placementOf(all, start.where), hosts: start.used(), fewest };
}

/** Hosts that are tried in turn, those with the least on them first. */
const candidates = 3;

/** One host fewer, or everything as it was. @returns whether there is one fewer */
function emptyOne(filling: Filling, steps: number, random: () => number): boolean {
  const used = [...filling.members.keys()].filter((host) => filling.members[host]!.length > 0);
  const before = Int32Array.from(filling.where);
  const inTurn = used
    .map((host) => ({ host, share: load(filling, host) }))
    .sort((a, b) => a.share - b.share)
    .slice(0, candidates);
  for (const { host } of inTurn) {
    const pool = [...filling.members[host]!];
    for (const unit of pool) filling.remove(unit);
    const open = used.filter((one) => one !== host);
    if (open.length > 0 && makeRoom(filling, open, pool, steps, random)) return true;
    filling.restore(before);
  }
  return false;
}

/** All resources together. */
function load(filling: Filling, host: number): number {
  let sum = 0;
  for (let at = 0; at < filling.resources; at++) {
    const index = host * filling.resources + at;
    sum += filling.room[index] === 0 ? 0 : filling.taken[index]! / filling.room[index]!;
  }
  return sum;
}

/** Rules that a problem can do without, to find out which of them is in the way. */
const relaxations: readonly (readonly [rule: string, without: (problem: Problem) => Problem])[] = [
  ['what is to be apart', (problem) => ({ ...problem, apart: [] })],
  ['what is to be together', (problem) => ({ ...problem, together: [] })],
  ['what is to be near', (problem) => ({ ...problem, near: [] })],
  [
    'which hosts an item may have',
    (problem) => ({ ...problem, items: problem.items.map((one) => ({ ...one, only: undefined })) }),
  ],
];

function unplaced(problem: Problem, proven: boolean): Unplaced {
  const lighter = [
    ...relaxations,
    ...problem.resources.map((called, at): (typeof relaxations)[number] => [
      `what is taken of ${called}`,
      (those) => ({
        ...those,
        items: those.items.map((one) => ({
          ...one,
          takes: one.takes.map((take, index) => (index === at ? 0 : take)),
        })),
      }),
    ]),
  ];
  const inTheWay = lighter.flatMap(([rule, without]) => (canBePlaced(without(problem)) ? [rule] : []));
  const because =
    inTheWay.length > 0
      ? `without ${inTheWay.join(', or without ')}, there is one`
      : 'leaving out any one kind of rule does not help';
  return {
    placement: null,
    proven,
    reason: `${proven ? 'no placement keeps all rules' : 'no placement was found that keeps all rules, which does not say that there is none'}: ${because}`,
  };
}

function canBePlaced(problem: Problem): boolean {
  const all: Units = unitsOf(problem);
  if (plainReason(all) !== null) return false;
  const filling = decreasing(all, inOrder(all, waysToSize[0]!(all)), true);
  const pool = [...filling.where.keys()].filter((unit) => filling.where[unit] === nowhere);
  return (
    makeRoom(filling, [...problem.hosts.keys()], pool, 60 * all.units.length, randomFrom(1)) ||
    typeof exhaustive(all, problem.hosts.length, exhaustiveSteps / 10) !== 'string'
  );
}
