/** The books of datagrams: what was sent, what came of it, and where the lost ones were lost. */
import type { DatagramResult } from '../contract/dgram.js';
import { measuredAs } from '../trials/sample.js';
import type { Cell } from './cells.js';

const outcomes = ['sent', 'received', 'lost', 'late', 'reordered', 'duplicates', 'corrupted'] as const;
export const lossCauses = [
  'serverSocket',
  'serverUnread',
  'clientSocket',
  'unreachable',
  'badReply',
  'unexplained',
] as const;

export type Ledger = Record<(typeof outcomes)[number] | (typeof lossCauses)[number], number> & {
  trials: number;
  /** trials whose books do not close: sent is not received + lost, or the causes do not add up to lost */
  open: number;
};

function closes({ sent, received, lost, loss }: DatagramResult): boolean {
  return sent === received + lost && lost === lossCauses.reduce((sum, cause) => sum + loss[cause], 0);
}

/** All counting trials of some cells together; null where none has datagrams. */
export function ledgerOf(cells: readonly Cell[]): Ledger | null {
  const books = cells
    .flatMap(({ trials }) => trials.flatMap((trial) => measuredAs(trial, 'datagrams')))
    .map(([, { datagrams }]) => datagrams);
  if (books.length === 0) return null;
  const sum = (of: (book: DatagramResult) => number) => books.reduce((total, book) => total + of(book), 0);
  return {
    ...(Object.fromEntries([
      ...outcomes.map((name) => [name, sum((book) => book[name])]),
      ...lossCauses.map((name) => [name, sum(({ loss }) => loss[name])]),
    ]) as Record<(typeof outcomes)[number] | (typeof lossCauses)[number], number>),
    trials: books.length,
    open: books.filter((book) => !closes(book)).length,
  };
}
