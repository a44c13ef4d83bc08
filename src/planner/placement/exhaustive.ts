/** Every placement, one after the other: the truth about small problems, within a number of steps. */
import { Filling } from './filling.js';
import { inOrder, waysToSize } from './first-fit.js';
import type { Units } from './units.js';

/**
 * @param most hosts that may be used
 * @param steps after which it is given up
 * @returns by unit its host; 'none': there is no such placement; 'unknown': the steps did not suffice
 */
export function exhaustive(all: Units, most: number, steps: number): Int32Array | 'none' | 'unknown' {
  const filling = new Filling(all);
  const order = inOrder(all, waysToSize[0]!(all));
  const { hosts, near } = all.problem;
  // Hosts that nothing tells apart: of the empty ones one is tried.
  const alike = hosts.map(({ has }, host) =>
    near.length > 0
      ? host
      : hosts.findIndex(
          (other, index) =>
            other.has.every((amount, at) => amount === has[at]) &&
            all.units.every(({ allowed }) => allowed[index] === allowed[host]),
        ),
  );
  let left = steps;
  const place = (index: number, used: number): boolean => {
    if (index === order.length) return true;
    const unit = order[index]!;
    const tried = new Set<number>();
    for (const host of hosts.keys()) {
      const empty = filling.members[host]!.length === 0;
      if (empty && (used === most || tried.has(alike[host]!))) continue;
      if (empty) tried.add(alike[host]!);
      if (!filling.fits(unit, host)) continue;
      if (left-- <= 0) return false;
      filling.add(unit, host);
      if (place(index + 1, used + (empty ? 1 : 0))) return true;
      filling.remove(unit);
      if (left <= 0) return false;
    }
    return false;
  };
  if (place(0, 0)) return Int32Array.from(filling.where);
  return left <= 0 ? 'unknown' : 'none';
}
