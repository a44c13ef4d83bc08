/** Items that are to be together are one unit; what holds for units, worked out once for all that search. */
import { distanceMs, type Placement, type Problem } from './problem.js';

export interface Unit {
  /** indexes of its items */
  items: readonly number[];
  takes: Float64Array;
  /** by host: 1 where all of its items may be */
  allowed: Uint8Array;
  /** units that may not be on its host */
  apart: readonly number[];
  near: readonly { unit: number; mostMs: number }[];
}

export interface Units {
  problem: Problem;
  units: readonly Unit[];
  /** of each resource the largest that a host has, to compare resources by */
  largest: Float64Array;
  /** the unit of each item */
  ofItem: Int32Array;
  /** pairs of items that are to be together and apart, or nearer to each other than a host is to itself */
  contradictions: readonly string[];
}

/** The first of each group, found by following. */
function leaders({ items, together }: Problem): number[] {
  const leader = items.map((_, index) => index);
  const first = (index: number): number => {
    let at = index;
    while (leader[at] !== at) at = leader[at] = leader[leader[at]!]!;
    return at;
  };
  for (const [one, other] of together) leader[first(other)] = first(one);
  return items.map((_, index) => first(index));
}

export function unitsOf(problem: Problem): Units {
  const { items, hosts, resources } = problem;
  const leader = leaders(problem);
  const numbers = new Map<number, number>();
  const ofItem = Int32Array.from(leader, (first) => {
    if (!numbers.has(first)) numbers.set(first, numbers.size);
    return numbers.get(first)!;
  });
  const members = Array.from({ length: numbers.size }, (): number[] => []);
  for (const index of items.keys()) members[ofItem[index]!]!.push(index);
  const apart = members.map(() => new Set<number>());
  const contradictions: string[] = [];
  const named = (one: number, other: number) => `${items[one]!.name} and ${items[other]!.name}`;
  for (const [one, other] of problem.apart) {
    const [a, b] = [ofItem[one]!, ofItem[other]!];
    if (a === b) contradictions.push(`${named(one, other)} are to be on one host and on two`);
    else {
      apart[a]!.add(b);
      apart[b]!.add(a);
    }
  }
  const allowed = members.map((those) =>
    Uint8Array.from(hosts, (_, host) =>
      those.every((index) => items[index]!.only?.includes(host) ?? true) ? 1 : 0,
    ),
  );
  const near = members.map((): { unit: number; mostMs: number }[] => []);
  for (const {
    items: [one, other],
    mostMs,
  } of problem.near) {
    const [a, b] = [ofItem[one]!, ofItem[other]!];
    if (a === b) {
      // Of one host: those whose way to themselves is too long are none for them.
      for (const host of hosts.keys()) if (distanceMs(problem, host, host) > mostMs) allowed[a]![host] = 0;
    } else {
      near[a]!.push({ unit: b, mostMs });
      near[b]!.push({ unit: a, mostMs });
    }
  }
  return {
    problem,
    ofItem,
    contradictions,
    largest: Float64Array.from(resources, (_, at) => Math.max(0, ...hosts.map(({ has }) => has[at]!))),
    units: members.map((those, unit) => ({
      items: those,
      takes: Float64Array.from(resources, (_, at) =>
        those.reduce((sum, index) => sum + items[index]!.takes[at]!, 0),
      ),
      allowed: allowed[unit]!,
      apart: [...apart[unit]!],
      near: near[unit]!,
    })),
  };
}

/** @param where by unit */
export const placementOf = ({ ofItem }: Units, where: Int32Array): Placement =>
  Array.from(ofItem, (unit) => where[unit]!);
