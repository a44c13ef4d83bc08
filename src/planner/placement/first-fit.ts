/**
 * First fit and best fit, decreasing (Johnson 1973; for several resources Panigrahy et al., "Heuristics for Vector Bin
 * Packing", 2011): the largest unit first, onto a host that is used already where it fits, else onto the next one.
 */
import { Filling, nowhere } from './filling.js';
import type { Units } from './units.js';

/** By unit how large it is; the larger come first. */
export type Sizes = Float64Array;

const shares = ({ units, largest }: Units) =>
  units.map(({ takes }) => Array.from(takes, (take, at) => (take === 0 ? 0 : take / largest[at]!)));

/** Resources that are asked for more count for more. */
function scarcity(all: Units): Float64Array {
  const { problem, units } = all;
  return Float64Array.from(problem.resources, (_, at) => {
    const had = problem.hosts.reduce((sum, { has }) => sum + has[at]!, 0);
    return had === 0 ? 0 : units.reduce((sum, { takes }) => sum + takes[at]!, 0) / had;
  });
}

/** The ways to say how large something of several resources is; each is best on some problems. */
export const waysToSize: readonly ((all: Units) => Sizes)[] = [
  (all) => Float64Array.from(shares(all), (each) => Math.max(...each)),
  (all) => {
    const weights = scarcity(all);
    return Float64Array.from(shares(all), (each) =>
      each.reduce((sum, share, at) => sum + share * weights[at]!, 0),
    );
  },
  (all) => Float64Array.from(shares(all), (each) => each.reduce((sum, share) => sum + share ** 2, 0)),
];

/** Units with fewer hosts to choose from come first, then the larger ones. */
export function inOrder({ units }: Units, sizes: Sizes): number[] {
  const choices = units.map(({ allowed }) => allowed.reduce((sum, is) => sum + is, 0));
  return [...units.keys()].sort((a, b) => choices[a]! - choices[b]! || sizes[b]! - sizes[a]!);
}

/** Hosts in the order in which they are begun: the largest first. */
export function hostOrder({ problem: { hosts, resources }, largest }: Units): number[] {
  const size = hosts.map(({ has }) =>
    resources.reduce((sum, _, at) => sum + (largest[at] === 0 ? 0 : has[at]! / largest[at]!), 0),
  );
  return [...hosts.keys()].sort((a, b) => size[b]! - size[a]!);
}

/** What is left of a host where the unit goes, weighted by what the unit asks for: the least left is the best fit. */
function left(filling: Filling, unit: number, host: number): number {
  const { units, largest } = filling.of;
  const { takes } = units[unit]!;
  let sum = 0;
  for (let at = 0; at < filling.resources; at++) {
    const index = host * filling.resources + at;
    const free = (filling.room[index]! - filling.taken[index]! - takes[at]!) / (largest[at]! || 1);
    sum += free * free;
  }
  return sum;
}

/**
 * @param best the used host with the least left; otherwise the first
 * @returns the filling, with what fits nowhere left out
 */
export function decreasing(all: Units, order: readonly number[], best: boolean): Filling {
  const filling = new Filling(all);
  const hosts = hostOrder(all);
  for (const unit of order) {
    let chosen = nowhere;
    let least = Number.POSITIVE_INFINITY;
    for (const host of hosts) {
      const empty = filling.members[host]!.length === 0;
      if (empty && chosen !== nowhere) break;
      if (!filling.fits(unit, host)) continue;
      const rest = best && !empty ? left(filling, unit, host) : 0;
      if (chosen === nowhere || rest < least) [chosen, least] = [host, rest];
      if (!best || empty) break;
    }
    if (chosen !== nowhere) filling.add(unit, chosen);
  }
  return filling;
}
