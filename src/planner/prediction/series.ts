/**
 * Made-up series of bandwidth by seed, each with what one who knows how it is made would say before every value. How far that
 * is off is noise that nobody predicts: the floor that errors are judged by.
 */
import type { LinkCourse } from '../../contract/link.js';
import { type Random, randomFrom } from '../../statistics/random.js';

export interface Series {
  id: string;
  values: number[];
  /** by value, what was to be expected of it; null: nobody knows, the series was recorded */
  expected: number[] | null;
}

/** Standard normal, by Box and Muller. */
const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const base = 1000;

interface Maker {
  id: string;
  /** in words */
  is: string;
  make(length: number, random: Random): { value: number; expected: number }[];
}

/** Of values around a course, with relative noise. */
const around =
  (noise: number, course: (at: number) => number): Maker['make'] =>
  (length, random) =>
    Array.from({ length }, (_, at) => ({
      expected: course(at),
      value: course(at) * Math.exp(noise * normal(random)),
    }));

const levels = [base, base / 2, base / 5];

export const makers: readonly Maker[] = [
  { id: 'stable', is: 'one level, noise 2 %', make: around(0.02, () => base) },
  {
    id: 'linear',
    is: 'a rise of 0.2 % of its beginning a step, noise 1 %',
    make: around(0.01, (at) => base * (1 + 0.002 * at)),
  },
  {
    id: 'periodic',
    is: 'a sine of 40 % over 25 steps, noise 2 %',
    make: around(0.02, (at) => base * (1 + 0.4 * Math.sin((2 * Math.PI * at) / 25))),
  },
  { id: 'volatile', is: 'one level, noise 25 %, each value for itself', make: around(0.25, () => base) },
  {
    id: 'regime',
    is: 'three levels, another one with a chance of 3 % a step, noise 5 %',
    make(length, random) {
      let level = 0;
      return Array.from({ length }, () => {
        const expected = levels[level]!;
        if (random() < 0.03) level = (level + 1 + Math.floor(2 * random())) % levels.length;
        return { expected, value: levels[level]! * Math.exp(0.05 * normal(random)) };
      });
    },
  },
];

/** A course of a link's rate, as shares of the rate that it was given. */
export function courseOf(course: LinkCourse, length: number, seed: number): number[] {
  if (course === 'steady') return [1];
  const { id, make } = makers.find((maker) => maker.id === course)!;
  return make(length, randomFrom(`series ${id} ${seed}`)).map(({ value }) => value / base);
}

export function madeUp(length: number, seed: number): Series[] {
  return makers.map(({ id, make }) => {
    const points = make(length, randomFrom(`series ${id} ${seed}`));
    return { id, values: points.map(({ value }) => value), expected: points.map(({ expected }) => expected) };
  });
}
