/** Levels that several experiments have, in words. */
import { number } from '../number.js';

/** "300 000/s"; null is the closed loop, which has no rate */
export const rateInWords = (level: string | number | null): string =>
  level === null ? 'closed loop' : typeof level === 'number' ? `${number(level)}/s` : level;
