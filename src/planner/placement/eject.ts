/**
 * Finding room for units that have no host, by ejecting others: an ejection pool, as Nagata and Bräysy (2009) reduce
 * vehicles with and others reduce bins. A unit that fits nowhere takes the place of those that are easiest to place
 * elsewhere; how often a unit had to wait says how hard it is.
 */
import type { Random } from '../../statistics/random.js';
import { type Filling, nowhere } from './filling.js';
import type { Unit } from './units.js';

/** Moves of units that fit elsewhere, after each ejection: they open room that no single step would. */
const shakes = 8;

interface Ejection {
  host: number;
  units: readonly number[];
  cost: number;
}

/** A generator of numbers below a bound. */
const below = (random: Random, most: number) => Math.floor(random() * most);

/**
 * @param open hosts that may be used
 * @param pool units without a host
 * @param steps units that are tried before it is given up
 * @returns whether every unit has a host; what could not be placed is nowhere
 */
export function makeRoom(
  filling: Filling,
  open: readonly number[],
  pool: number[],
  steps: number,
  random: Random,
): boolean {
  const waited = new Float64Array(filling.of.units.length).fill(1);
  for (let step = 0; pool.length > 0; step++) {
    if (step >= steps) return false;
    const unit = pool.pop()!;
    const host = roomFor(filling, unit, open, random);
    if (host !== nowhere) {
      filling.add(unit, host);
      continue;
    }
    waited[unit]! += 1;
    const out = ejection(filling, unit, open, waited, random);
    if (!out) {
      pool.push(unit);
      return false;
    }
    for (const one of out.units) filling.remove(one);
    filling.add(unit, out.host);
    pool.push(...out.units);
    for (let shake = 0; shake < shakes; shake++) move(filling, open, random);
  }
  return true;
}

/** One of the open hosts where it fits, by chance. */
function roomFor(filling: Filling, unit: number, open: readonly number[], random: Random): number {
  const from = below(random, open.length);
  for (let at = 0; at < open.length; at++) {
    const host = open[(from + at) % open.length]!;
    if (filling.fits(unit, host)) return host;
  }
  return nowhere;
}

/** The one or two units whose place is taken most cheaply, among all open hosts. */
function ejection(
  filling: Filling,
  unit: number,
  open: readonly number[],
  waited: Float64Array,
  random: Random,
): Ejection | null {
  let best: Ejection | null = null;
  let cheapest = Number.POSITIVE_INFINITY;
  let ties = 0;
  const { units } = filling.of;
  const lack = new Float64Array(filling.resources);
  /** Looked at before anything dearer: for most, room is what they do not make. */
  const areEnough = (first: Unit, second: Unit | null) => {
    for (let at = 0; at < lack.length; at++)
      if (lack[at]! > first.takes[at]! + (second === null ? 0 : second.takes[at]!)) return false;
    return true;
  };
  const offer = (host: number, those: readonly number[], cost: number) => {
    if (!filling.fits(unit, host, those)) return false;
    ties = cost === cheapest ? ties + 1 : 1;
    cheapest = cost;
    // Each of the equally cheap ones with the same chance.
    if (ties === 1 || below(random, ties) === 0) best = { host, units: those, cost };
    return true;
  };
  for (const host of open) {
    const there = filling.members[host]!;
    filling.lack(unit, host, lack);
    for (let one = 0; one < there.length; one++) {
      const first = there[one]!;
      const alone = waited[first]!;
      if (alone > cheapest) continue;
      if (areEnough(units[first]!, null) && offer(host, [first], alone)) continue;
      for (let other = 0; other < one; other++) {
        const second = there[other]!;
        const cost = alone + waited[second]!;
        if (cost <= cheapest && areEnough(units[first]!, units[second]!)) offer(host, [first, second], cost);
      }
    }
  }
  return best;
}

/** A unit goes to another host, or two change places, where that fits; drawn, and often nothing. */
function move(filling: Filling, open: readonly number[], random: Random): void {
  const from = open[below(random, open.length)]!;
  const to = open[below(random, open.length)]!;
  const there = filling.members[from]!;
  if (from === to || there.length === 0) return;
  const unit = there[below(random, there.length)]!;
  if (filling.fits(unit, to)) {
    filling.remove(unit);
    filling.add(unit, to);
    return;
  }
  const others = filling.members[to]!;
  if (others.length === 0) return;
  const other = others[below(random, others.length)]!;
  if (!filling.fits(unit, to, [other]) || !filling.fits(other, from, [unit])) return;
  filling.remove(unit);
  filling.remove(other);
  // How far the two are from each other shows only when both are there.
  const fits = filling.fits(unit, to);
  if (fits) filling.add(unit, to);
  if (fits && filling.fits(other, from)) {
    filling.add(other, from);
    return;
  }
  if (fits) filling.remove(unit);
  filling.add(unit, from);
  filling.add(other, to);
}
