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

const draws = new Map<string, Uint32Array>();

/**
 * Means of `count` resamples. Which values each takes is drawn once per length and `stream` and used again: a report
 * makes thousands of intervals over equally many trials. Groups that must be independent take different streams.
 */
export function resampledMeans(values: readonly number[], count: number, stream = 1): Float64Array {
  const n = values.length;
  const key = `${n} ${count} ${stream}`;
  let drawn = draws.get(key);
  if (!drawn) {
    const random = randomFrom(stream);
    drawn = new Uint32Array(n * count).map(() => Math.floor(random() * n));
    draws.set(key, drawn);
  }
  const source = Float64Array.from(values);
  const means = new Float64Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += source[drawn[at++]!]!;
    means[i] = sum / n;
  }
  return means;
}
