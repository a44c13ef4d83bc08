/**
 * A bound on hosts by dual feasible functions (Lueker 1983; Fekete and Schepers 2001): whatever items fit on one host, their sizes
 * sum up to 1 at most, and such a function keeps that true while it makes large items larger. So what all items come to under
 * any of them is a number of hosts that no placement is below.
 */

/** What rounding may add to a size. */
const rounding = 1e-9;

/** Items larger than 1 - e take a host of their own, those smaller than e take nothing. */
const sharpened = (e: number, size: number) => (size > 1 - e + rounding ? 1 : size < e - rounding ? 0 : size);

/** Sizes in whole numbers of e, rounded so that halves stay halves. */
function counted(e: number, size: number): number {
  const most = Math.floor(1 / e + rounding);
  if (size > 0.5 + rounding) return 1 - Math.floor((1 - size) / e + rounding) / most;
  return size > 0.5 - rounding ? 0.5 : Math.floor(size / e + rounding) / most;
}

/** @param sizes shares of a host, of one measure that no host has more than 1 of */
export function hostsByMeasure(sizes: readonly number[]): number {
  const sum = (of: (size: number) => number) => sizes.reduce((all, size) => all + of(size), 0);
  // Nothing changes between the sizes that there are.
  const edges = new Set(
    sizes.map((size) => Math.min(size, 1 - size)).filter((e) => e > rounding && e <= 0.5),
  );
  let most = sum((size) => size);
  for (const e of edges)
    most = Math.max(
      most,
      sum((size) => sharpened(e, size)),
      sum((size) => counted(e, size)),
    );
  return Math.ceil(most - rounding * sizes.length);
}

/** Shares of several resources that add up to 1: each resource alone, and two of them together. */
export function measuresOf(resources: number): number[][] {
  const alone = Array.from({ length: resources }, (_, at) =>
    Array.from({ length: resources }, (_one, other) => (other === at ? 1 : 0)),
  );
  const pairs = alone.flatMap((one, at) =>
    alone.slice(at + 1).map((other) => one.map((share, index) => (share + other[index]!) / 2)),
  );
  return [...alone, ...pairs];
}
