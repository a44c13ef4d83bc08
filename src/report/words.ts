/** Factors, levels, servers and measures in the words of the experiment that has them. */

import { implementationInWords } from '../contract/names.js';
import type { CellLevels } from '../contract/sample.js';
import { factorNamed, knownExperiment } from '../experiments/registry.js';
import { number } from '../number.js';

export const factorName = (factor: string): string => factorNamed(factor)?.name ?? factor;

/** "16 000 idle connections", "300 000/s", "closed loop". */
export function levelInWords(factor: string, level: string | number | null | undefined): string {
  const own = level === undefined ? null : (factorNamed(factor)?.level?.(level) ?? null);
  if (own !== null) return own;
  return typeof level === 'number'
    ? `${number(level)} ${factorName(factor)}`
    : `${factorName(factor)} ${level}`;
}

/** "TypeScript server, io=batch" */
export function implementationName({ impl, io }: CellLevels): string {
  const name = implementationInWords(`${impl ?? ''}`);
  return io ? `${name}, io=${io}` : name;
}

/** The same text in the words of an experiment, for what metrics call requests and latency. */
export function worded(experiment: string, text: string): string {
  const words = knownExperiment(experiment)?.words ?? [];
  return words.reduce((all, [word, own]) => all.replaceAll(word, own), text);
}
