/**
 * A placement whose fullest host is as little full as it finds: the longest first (Graham 1969), each to where it makes the
 * fullest host least full, then moves and exchanges as long as they help. `rebalance` begins with what is there and counts
 * what it moves.
 */
import { randomFrom } from '../../statistics/random.js';
import { plainReason, smallestShare } from './bound.js';
import { largestShare } from './check.js';
import { makeRoom } from './eject.js';
import { Filling, nowhere } from './filling.js';
import { inOrder, waysToSize } from './first-fit.js';
import { place, type Unplaced } from './place.js';
import { checkProblem, type Placement, type Problem } from './problem.js';
import { placementOf, type Units, unitsOf } from './units.js';

export interface Balanced {
  placement: Placement;
  /** share that is taken of the fullest resource of any host */
  largest: number;
  /** no placement has a smaller one */
  least: number;
}

/** @throws Error in one sentence when the problem is none */
export function balance(problem: Problem): Balanced | Unplaced {
  checkProblem(problem);
  const all = unitsOf(problem);
  const plain = plainReason(all);
  if (plain !== null) return { placement: null, reason: plain, proven: true };
  const filling = longestFirst(all);
  if (!filling) {
    const found = place(problem);
    if (found.placement === null) return found;
    return improved(all, filled(all, found.placement));
  }
  return improved(all, filling);
}

/** null: what is left fits nowhere */
function longestFirst(all: Units): Filling | null {
  const filling = new Filling(all);
  const left: number[] = [];
  for (const unit of inOrder(all, waysToSize[0]!(all))) {
    const { takes } = all.units[unit]!;
    let chosen = nowhere;
    let least = Number.POSITIVE_INFINITY;
    for (let host = 0; host < filling.hosts; host++) {
      if (!filling.fits(unit, host)) continue;
      const share = filling.share(host, takes);
      if (share < least) [chosen, least] = [host, share];
    }
    if (chosen === nowhere) left.push(unit);
    else filling.add(unit, chosen);
  }
  const open = [...all.problem.hosts.keys()];
  return left.length === 0 || makeRoom(filling, open, left, 100 * all.units.length, randomFrom(1))
    ? filling
    : null;
}

function filled(all: Units, placement: Placement): Filling {
  const filling = new Filling(all);
  for (const [unit, { items }] of all.units.entries()) filling.add(unit, placement[items[0]!]!);
  return filling;
}

function improved(all: Units, filling: Filling): Balanced {
  const least = smallestShare(all);
  while (step(filling, least));
  const placement = placementOf(all, filling.where);
  return { placement, largest: largestShare(all.problem, placement), least };
}

export interface Rebalanced extends Balanced {
  /** share of the fullest before */
  before: number;
  /** items that are on another host than they were */
  moved: readonly { item: number; from: number; to: number }[];
}

/**
 * From a placement that keeps the rules to one whose fullest host is less full, by steps that each help.
 * @param mostMoves items that may change their host
 */
export function rebalance(
  problem: Problem,
  current: Placement,
  mostMoves = Number.POSITIVE_INFINITY,
): Rebalanced {
  checkProblem(problem);
  const all = unitsOf(problem);
  const filling = filled(all, current);
  const least = smallestShare(all);
  const moved = () =>
    placementOf(all, filling.where).flatMap((to, item) =>
      to === current[item] ? [] : [{ item, from: current[item]!, to }],
    );
  for (
    let before = Int32Array.from(filling.where);
    step(filling, least);
    before = Int32Array.from(filling.where)
  ) {
    if (moved().length <= mostMoves) continue;
    filling.restore(before);
    break;
  }
  const placement = placementOf(all, filling.where);
  return {
    placement,
    largest: largestShare(problem, placement),
    least,
    before: largestShare(problem, current),
    moved: moved(),
  };
}

/** Differences below this are rounding. */
const nothing = 1e-12;

/**
 * The move or exchange of one unit of the fullest host that leaves the fuller of the two hosts least full.
 * @returns false: none helps, or the bound is reached
 */
function step(filling: Filling, least: number): boolean {
  const shares = filling.members.map((_, host) => filling.share(host));
  const fullest = shares.indexOf(Math.max(...shares));
  const now = shares[fullest]!;
  if (now <= least + nothing) return false;
  let best = now - nothing;
  let change: (() => void) | null = null;
  const { units } = filling.of;
  for (const unit of filling.members[fullest]!) {
    const { takes } = units[unit]!;
    for (let host = 0; host < filling.hosts; host++) {
      if (host === fullest) continue;
      if (filling.fits(unit, host)) {
        const after = Math.max(filling.share(host, takes), filling.share(fullest, undefined, takes));
        if (after < best) {
          best = after;
          change = () => {
            filling.remove(unit);
            filling.add(unit, host);
          };
        }
      }
      for (const other of filling.members[host]!) {
        const theirs = units[other]!.takes;
        const after = Math.max(filling.share(host, takes, theirs), filling.share(fullest, theirs, takes));
        if (after >= best || !exchangeable(filling, unit, other)) continue;
        best = after;
        change = () => exchange(filling, unit, other);
      }
    }
  }
  change?.();
  return change !== null;
}

function exchange(filling: Filling, one: number, other: number): void {
  const [of, to] = [filling.where[one]!, filling.where[other]!];
  filling.remove(one);
  filling.remove(other);
  filling.add(one, to);
  filling.add(other, of);
}

/** Tried and taken back, because how far two are from each other shows only when both are there. */
function exchangeable(filling: Filling, one: number, other: number): boolean {
  const [of, to] = [filling.where[one]!, filling.where[other]!];
  if (!filling.fits(one, to, [other]) || !filling.fits(other, of, [one])) return false;
  if (!filling.of.units[one]!.near.some(({ unit }) => unit === other)) return true;
  filling.remove(one);
  filling.remove(other);
  filling.add(one, to);
  const fits = filling.fits(other, of);
  filling.remove(one);
  filling.add(one, of);
  filling.add(other, to);
  return fits;
}
