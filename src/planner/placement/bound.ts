/** What no placement can do better than, and why there can be none: each by an argument that a reader can follow. */
import { hostsByMeasure, measuresOf } from './dual-feasible.js';
import { distanceMs, roundingShare } from './problem.js';
import type { Unit, Units } from './units.js';

const exceeds = (taken: number, had: number) => taken > had * (1 + roundingShare);

function named({ problem }: Units, { items }: Unit): string {
  const [first, ...others] = items.map((index) => problem.items[index]!.name);
  return others.length === 0 ? first! : `${first} with ${others.join(' and ')}, which are to be together`;
}

/** Hosts that have as much of everything, by how much that is. */
function sizesOf({ problem: { hosts } }: Units): { has: readonly number[]; hosts: number[] }[] {
  const sizes = new Map<string, { has: readonly number[]; hosts: number[] }>();
  for (const [host, { has }] of hosts.entries()) {
    const key = has.join(' ');
    const known = sizes.get(key);
    if (known) known.hosts.push(host);
    else sizes.set(key, { has, hosts: [host] });
  }
  return [...sizes.values()];
}

/** Whether no host can have both. */
function excludes(sizes: ReturnType<typeof sizesOf>, one: Unit, other: Unit, number: number): boolean {
  if (one.apart.includes(number)) return true;
  for (const { has, hosts } of sizes) {
    let at = 0;
    while (at < has.length && !exceeds(one.takes[at]! + other.takes[at]!, has[at]!)) at++;
    if (at === has.length && hosts.some((host) => one.allowed[host] === 1 && other.allowed[host] === 1))
      return false;
  }
  return true;
}

/** Asked for by whoever says why, and by whoever says how few. */
const known = new WeakMap<Units, number[]>();

/** Units of which no two can be on one host: each needs its own. Found greedily, so there may be larger sets. */
function eachAlone(all: Units): number[] {
  const before = known.get(all);
  if (before) return before;
  const { units } = all;
  const sizes = sizesOf(all);
  const excluded = units.map((one) =>
    Uint8Array.from(units, (other, number) => (one !== other && excludes(sizes, one, other, number) ? 1 : 0)),
  );
  const degree = excluded.map((row) => row.reduce((sum, is) => sum + is, 0));
  const order = [...units.keys()].sort((a, b) => degree[b]! - degree[a]!);
  let best: number[] = [];
  // A set from each of the most exclusive ones: a fixed effort.
  for (const start of order.slice(0, 20)) {
    const set = [start];
    for (const next of order) {
      const row = excluded[next]!;
      if (set.every((one) => row[one] === 1)) set.push(next);
    }
    if (set.length > best.length) best = set;
  }
  known.set(all, best);
  return best;
}

/** Fewest hosts whose resources add up to what is taken, the largest first. Infinity: all do not */
function byVolume({ problem: { hosts, resources }, units }: Units): number {
  return Math.max(
    0,
    ...resources.map((_, at) => {
      const taken = units.reduce((sum, { takes }) => sum + takes[at]!, 0);
      const sizes = hosts.map(({ has }) => has[at]!).sort((a, b) => b - a);
      let had = 0;
      const enough = sizes.findIndex((size) => {
        had += size;
        return !exceeds(taken, had);
      });
      return taken === 0 ? 0 : enough < 0 ? Number.POSITIVE_INFINITY : enough + 1;
    }),
  );
}

/** As if every host had as much of each resource as any has. */
function bySize({ units, largest }: Units): number {
  const shares = units.map(({ takes }) =>
    Array.from(takes, (take, at) => (take === 0 ? 0 : take / largest[at]!)),
  );
  return Math.max(
    0,
    ...measuresOf(largest.length).map((weights) =>
      hostsByMeasure(shares.map((each) => each.reduce((sum, share, at) => sum + share * weights[at]!, 0))),
    ),
  );
}

/** No placement uses fewer hosts. */
export const fewestHosts = (all: Units): number =>
  Math.max(all.units.length > 0 ? 1 : 0, byVolume(all), eachAlone(all).length, bySize(all));

/** Why there is no placement, in one sentence that names the rule; null: none of these arguments says so. */
export function plainReason(all: Units): string | null {
  const { problem, units, contradictions } = all;
  const { hosts, resources, near } = problem;
  if (contradictions.length > 0) return contradictions[0]!;
  for (const unit of units) {
    const { takes, allowed } = unit;
    if (allowed.every((is) => is === 0)) return `no host may have ${named(all, unit)}`;
    const roomy = hosts.some(
      ({ has }, host) => allowed[host] === 1 && has.every((most, at) => !exceeds(takes[at]!, most)),
    );
    if (roomy) continue;
    const short = resources.findIndex((_, at) =>
      hosts.every(({ has }, host) => allowed[host] === 0 || exceeds(takes[at]!, has[at]!)),
    );
    return short < 0
      ? `no host that may have ${named(all, unit)} has enough of everything`
      : `no host that may have ${named(all, unit)} has ${takes[short]} ${resources[short]}`;
  }
  for (const [at, called] of resources.entries()) {
    const taken = units.reduce((sum, { takes }) => sum + takes[at]!, 0);
    const had = hosts.reduce((sum, { has }) => sum + has[at]!, 0);
    if (exceeds(taken, had)) return `all items take ${taken} ${called}, and all hosts have ${had}`;
  }
  for (const {
    items: [one, other],
    mostMs,
  } of near) {
    const [a, b] = [units[all.ofItem[one]!]!, units[all.ofItem[other]!]!];
    const reached = hosts.some(
      (_, from) =>
        a.allowed[from] === 1 &&
        hosts.some((_, to) => b.allowed[to] === 1 && distanceMs(problem, from, to) <= mostMs),
    );
    if (!reached)
      return `no two hosts that may have ${problem.items[one]!.name} and ${problem.items[other]!.name} are within ${mostMs} ms`;
  }
  const alone = eachAlone(all);
  if (alone.length > hosts.length) {
    const some = alone.slice(0, 3).map((unit) => named(all, units[unit]!));
    return `${alone.length} items (${some.join('; ')}${alone.length > 3 ? '; ...' : ''}) need a host each, because they are to be apart or do not fit beside each other, and there ${hosts.length === 1 ? 'is 1 host' : `are ${hosts.length} hosts`}`;
  }
  return null;
}

/** No placement has a smaller largest share: what all take of what all have, and what one takes where it has most room. */
export function smallestShare({ problem: { hosts, resources }, units }: Units): number {
  const spread = resources.map((_, at) => {
    const had = hosts.reduce((sum, { has }) => sum + has[at]!, 0);
    const taken = units.reduce((sum, { takes }) => sum + takes[at]!, 0);
    return taken === 0 ? 0 : taken / had;
  });
  const single = units.map(({ takes, allowed }) =>
    Math.min(
      ...hosts.flatMap(({ has }, host) =>
        allowed[host] === 1
          ? [Math.max(...has.map((most, at) => (takes[at] === 0 ? 0 : takes[at]! / most)))]
          : [],
      ),
    ),
  );
  return Math.max(0, ...spread, ...single);
}
