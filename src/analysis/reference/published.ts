/** A published figure and what it can be: by the guard where it is a rate, else by a reader of its published source. */
import { impossible, type PublishedRate } from './plausibility.js';

/**
 * real: measured what it says; misnamed: measured something else; impossible: no machine can; formula: a sleep or an arithmetic expression of the program's own;
 * random: drawn; unknown: nothing speaks against it.
 */
export type Plausibility = 'real' | 'misnamed' | 'impossible' | 'formula' | 'random' | 'unknown';

export const plausibilityNames: Readonly<Record<Plausibility, string>> = {
  real: 'real',
  misnamed: 'real, of something else',
  impossible: 'impossible',
  formula: 'formula',
  random: 'random',
  unknown: 'possible as far as the rules can tell',
};

export interface PublishedFigure {
  /** the claim that it belongs to; null: none of its own */
  claim: string | null;
  what: string;
  /** as printed, where it is no rate */
  figure: string;
  /** left out: it is no rate */
  rate?: PublishedRate;
  /** left out: the guard decides */
  read?: { plausibility: Plausibility; why: string };
}

/** @param copyBytesPerSecond the memcpy rate of the reader's own run; null: there is none */
export function verdictOn(
  { rate: published, read }: PublishedFigure,
  copyBytesPerSecond: number | null = null,
): { plausibility: Plausibility; why: string } {
  if (read) return read;
  const why = published ? impossible(published, copyBytesPerSecond) : null;
  return why ? { plausibility: 'impossible', why } : { plausibility: 'unknown', why: '' };
}
