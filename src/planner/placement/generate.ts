/**
 * Tight problems by seed. Each is cut out of a placement that there is, so that it can be solved, and how: some hosts are
 * filled to more than 85 % of each resource and divided into items; pairs that are to be apart are of two hosts there, those
 * that are to be together of one. Hosts that are left over make the count a question.
 */
import { type Random, randomFrom } from '../../statistics/random.js';
import type { Item, Pair, Placement, Problem } from './problem.js';

export interface Wanted {
  items: number;
  hosts: number;
  resources: 2 | 3;
  seed: number;
}

export interface Generated {
  problem: Problem;
  /** one that keeps all rules; there may be others on fewer hosts */
  known: Placement;
}

/** Sizes of the published benchmark's placements, and the next one. */
export const sizes: readonly Pick<Wanted, 'items' | 'hosts'>[] = [
  { items: 10, hosts: 5 },
  { items: 50, hosts: 20 },
  { items: 100, hosts: 50 },
  { items: 200, hosts: 100 },
];

const names = ['CPU', 'memory', 'bandwidth'];
/** Of every resource of a host: whole numbers, so that a solver's tolerance decides nothing. */
const capacity = 1000;
/** Of a host in the known placement, of each resource. */
const fill = { least: 0.86, most: 0.98 };
/** Hosts of the known placement among all, pairs by item. */
const usedShare = 0.8;
const apartByItem = 0.6;
const togetherByItem = 0.06;

const between = (random: Random, low: number, high: number) => low + (high - low) * random();
const whole = (random: Random, most: number) => Math.floor(random() * most);

/** A whole number cut into parts of at least 1, none of them tiny. */
function cut(total: number, parts: number, random: Random): number[] {
  const weights = Array.from({ length: parts }, () => between(random, 0.35, 1));
  const sum = weights.reduce((all, one) => all + one, 0);
  const cuts = weights.map((weight) => Math.max(1, Math.floor((total * weight) / sum)));
  cuts[0]! += total - cuts.reduce((all, one) => all + one, 0);
  return cuts;
}

export function tight({ items: count, hosts: hostCount, resources, seed }: Wanted): Generated {
  const random = randomFrom(`placement ${count}/${hostCount}/${resources}/${seed}`);
  const used = Math.max(2, Math.round(hostCount * usedShare));
  // Every used host has an item or more; who has more is drawn.
  const counts = new Array<number>(used).fill(1);
  for (let rest = count - used; rest > 0; rest--) counts[whole(random, used)]! += 1;
  const cells = counts.flatMap((parts, host) => {
    const each = Array.from({ length: resources }, () =>
      cut(Math.round(capacity * between(random, fill.least, fill.most)), parts, random),
    );
    return Array.from({ length: parts }, (_, at) => ({ host, takes: each.map((one) => one[at]!) }));
  });
  // In no order that would give the placement away.
  for (let last = cells.length - 1; last > 0; last--) {
    const other = whole(random, last + 1);
    [cells[last], cells[other]] = [cells[other]!, cells[last]!];
  }
  const known = cells.map(({ host }) => host);
  const items: Item[] = cells.map(({ takes }, at) => ({ name: `item ${at + 1}`, takes }));
  const pairs = (wanted: number, same: boolean): Pair[] => {
    const found = new Map<string, Pair>();
    for (let tries = 0; found.size < wanted && tries < 50 * wanted; tries++) {
      const [one, other] = [whole(random, count), whole(random, count)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      if (one !== other && (known[one] === known[other]) === same) found.set(`${one} ${other}`, [one, other]);
    }
    return [...found.values()];
  };
  return {
    known,
    problem: {
      resources: names.slice(0, resources),
      items,
      hosts: Array.from({ length: hostCount }, (_, at) => ({
        name: `host ${at + 1}`,
        has: new Array<number>(resources).fill(capacity),
      })),
      apart: pairs(Math.round(apartByItem * count), false),
      together: pairs(Math.max(1, Math.round(togetherByItem * count)), true),
      near: [],
      latencyMs: [],
    },
  };
}
