/**
 * Seeded randomness: everything that resamples takes its generator from here, so a report built twice from the same
 * samples is the same to the byte.
 */

/** Next uniform number in [0, 1). */
export type Random = () => number;

/** FNV-1a over UTF-16 units: turns a name into a seed. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush, four operations a number. */
export function randomFrom(seed: number | string): Random {
  const start = typeof seed === 'string' ? seedOf(seed) : seed >>> 0;
  let a = start;
  let b = start ^ 0x9e3779b9;
  let c = Math.imul(start, 0x85ebca6b);
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

/** `values` drawn with replacement, as many as there are. */
export function resample(values: readonly number[], random: Random): number[] {
  return values.map(() => values[Math.floor(random() * values.length)]!);
}

/** `all` in a random order, by Fisher and Yates. */
export function shuffled<One>(all: readonly One[], random: Random): One[] {
  const order = [...all];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
