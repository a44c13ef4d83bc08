/** Levels that several experiments have, in words. */
import { adaptive, planned } from '../contract/transfer.js';
import { number } from '../number.js';
import type { Factor } from './experiment.js';

/** "300 000/s"; null is the closed loop, which has no rate */
export const rateInWords = (level: string | number | null): string =>
  level === null ? 'closed loop' : typeof level === 'number' ? `${number(level)}/s` : level;

const choices: Readonly<Record<string, string>> = {
  [adaptive]: 'as many as pay',
  [planned]: 'as many as are expected to fill the link',
};

/** Who chooses a number of streams; what has a fixed number needs no word for it. */
export const streamChoice: Factor = {
  name: 'number of streams',
  level: (level) => (level === null ? '' : (choices[level] ?? null)),
};
