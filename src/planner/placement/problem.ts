/**
 * What is to be placed where. An item is whatever takes resources of one host: cells of a sweep that stay together, a guest,
 * a load client. Items, hosts and resources are known by their index; names are for messages.
 */

export type Pair = readonly [number, number];

export interface Item {
  name: string;
  /** of each resource of the problem, in its order */
  takes: readonly number[];
  /** hosts that may have it; left out: all */
  only?: readonly number[] | undefined;
}

export interface PlacementHost {
  name: string;
  /** of each resource, likewise */
  has: readonly number[];
}

/** Two items whose hosts are at most so far from each other. */
export interface Near {
  items: Pair;
  mostMs: number;
}

export interface Problem {
  /** names, for messages */
  resources: readonly string[];
  items: readonly Item[];
  hosts: readonly PlacementHost[];
  /** on one host: what talks to each other, or is compared */
  together: readonly Pair[];
  /** on two hosts: noisy neighbours */
  apart: readonly Pair[];
  near: readonly Near[];
  /** round trip from host (row) to host, milliseconds; null: not reached. Asked only where items are to be near */
  latencyMs: readonly (readonly (number | null)[])[];
}

/** By item, its host. */
export type Placement = readonly number[];

/** The longer of both ways; Infinity where one does not reach. */
export function distanceMs({ latencyMs }: Pick<Problem, 'latencyMs'>, one: number, other: number): number {
  const [there, back] = [latencyMs[one]?.[other] ?? null, latencyMs[other]?.[one] ?? null];
  return there === null || back === null ? Number.POSITIVE_INFINITY : Math.max(there, back);
}

/** What a sum of floating-point numbers may be beyond what it stands for. */
export const roundingShare = 1e-9;

/** @throws Error in one sentence when it is no problem: an index that there is not, a number that is none */
export function checkProblem({ resources, items, hosts, together, apart, near, latencyMs }: Problem): void {
  const wrong = (says: string) => new Error(`the placement cannot be asked: ${says}`);
  for (const [what, name, amounts] of [
    ...items.map(({ name, takes }) => ['item', name, takes] as const),
    ...hosts.map(({ name, has }) => ['host', name, has] as const),
  ]) {
    if (amounts.length !== resources.length)
      throw wrong(`${what} ${name} has ${amounts.length} amounts of ${resources.length} resources`);
    const bad = amounts.findIndex((amount) => !(Number.isFinite(amount) && amount >= 0));
    if (bad >= 0) throw wrong(`${what} ${name} has ${amounts[bad]} of ${resources[bad]}`);
  }
  const known = (index: number, all: readonly unknown[]) => Number.isInteger(index) && index in all;
  for (const [one, other] of [...together, ...apart, ...near.map((each) => each.items)])
    if (!known(one, items) || !known(other, items)) throw wrong(`there is no pair ${one}, ${other} of items`);
  for (const { name, only = [] } of items)
    for (const host of only)
      if (!known(host, hosts)) throw wrong(`item ${name} names host ${host}, which there is not`);
  if (
    near.length > 0 &&
    (latencyMs.length !== hosts.length || latencyMs.some((row) => row.length !== hosts.length))
  )
    throw wrong('items are to be near, and the latency between hosts is not that of all of them');
}
