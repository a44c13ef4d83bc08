/** What answers are made of, whoever is compared. */
import type { Metric } from '../trials/registry.js';
import { withInterval } from './format.js';

export interface AnswerInWords {
  /** one sentence: who holds, who does not, what is not resolved */
  headline: string;
  /** what else people ask of such a run, each with its answer */
  questions: string[];
  /** one for each cost that decides */
  sentences: string[];
  /** how it is decided, and what would decide more */
  remarks: string[];
}

/** "server CPU per request" */
export const titleInSentence = ({ title }: Metric): string =>
  title.split(',')[0]!.toLowerCase().replace('cpu', 'CPU');

/** "select, poll and epoll" */
export function listed(names: readonly string[], last: 'and' | 'or' = 'and'): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`;
}

export const times = (interval: Parameters<typeof withInterval>[0]) => `× ${withInterval(interval)}`;
