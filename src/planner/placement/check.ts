/**
 * Whether a placement keeps every rule of its problem. It shares nothing with what places: each rule is read from the
 * problem as it was asked.
 */
import { distanceMs, type Placement, type Problem, roundingShare } from './problem.js';

export interface Violation {
  rule: 'placed' | 'only' | 'resource' | 'together' | 'apart' | 'near';
  /** one sentence */
  says: string;
}

/** Every rule that is broken; none: the placement is right. */
export function violations(problem: Problem, placement: Placement): Violation[] {
  const { items, hosts, resources, together, apart, near } = problem;
  const item = (index: number) => items[index]!.name;
  const host = (index: number) => hosts[index]!.name;
  if (placement.length !== items.length)
    return [{ rule: 'placed', says: `${placement.length} of ${items.length} items are placed` }];
  const lost = items.flatMap(({ name }, index): Violation[] =>
    hosts[placement[index]!] ? [] : [{ rule: 'placed', says: `${name} is on no host` }],
  );
  if (lost.length > 0) return lost;
  const found: Violation[] = [];
  for (const [index, { name, only }] of items.entries())
    if (only && !only.includes(placement[index]!))
      found.push({ rule: 'only', says: `${name} may not be on ${host(placement[index]!)}` });
  for (const [at, { name, has }] of hosts.entries()) {
    for (const [resource, called] of resources.entries()) {
      let taken = 0;
      for (const [index, { takes }] of items.entries())
        if (placement[index] === at) taken += takes[resource]!;
      if (taken > has[resource]! * (1 + roundingShare))
        found.push({
          rule: 'resource',
          says: `${name} has ${has[resource]} ${called}, and ${taken} is taken`,
        });
    }
  }
  for (const [one, other] of together)
    if (placement[one] !== placement[other])
      found.push({ rule: 'together', says: `${item(one)} and ${item(other)} are to be together` });
  for (const [one, other] of apart)
    if (placement[one] === placement[other])
      found.push({
        rule: 'apart',
        says: `${item(one)} and ${item(other)} are both on ${host(placement[one]!)}`,
      });
  for (const {
    items: [one, other],
    mostMs,
  } of near) {
    const far = distanceMs(problem, placement[one]!, placement[other]!);
    if (far > mostMs)
      found.push({
        rule: 'near',
        says: `${item(one)} and ${item(other)} are ${far} ms apart, not ${mostMs}`,
      });
  }
  return found;
}

/** Hosts that have an item. */
export const hostsUsed = (placement: Placement): number => new Set(placement).size;

/** The largest share that is taken of any resource of any host. */
export function largestShare({ hosts, items, resources }: Problem, placement: Placement): number {
  let most = 0;
  for (const [at, { has }] of hosts.entries()) {
    for (const resource of resources.keys()) {
      let taken = 0;
      for (const [index, { takes }] of items.entries())
        if (placement[index] === at) taken += takes[resource]!;
      if (taken > 0) most = Math.max(most, taken / has[resource]!);
    }
  }
  return most;
}
