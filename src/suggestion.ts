/** What somebody may have meant who mistyped a word. */
import { InvalidArgumentError } from '@commander-js/extra-typings';

/** Edits that make one of the other: a letter more, less or another one, and two that changed places. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        rows[i - 1]![j]! + 1,
        row[j - 1]! + 1,
        rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? rows[i - 2]![j - 2]! + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** Nearest of the known words, if any is near enough; the first where several are. */
export function nearest(word: string, known: readonly string[]): string | null {
  const [best] = known
    .map((one) => ({ one, edits: distance(word.toLowerCase(), one.toLowerCase()) }))
    .filter(({ edits, one }) => edits <= Math.ceil(0.4 * one.length))
    .sort((a, b) => a.edits - b.edits);
  return best?.one ?? null;
}

/** ' (Did you mean epoll?)', or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const found = nearest(word, known);
  return found === null ? '' : ` (Did you mean ${found}?)`;
}

/** What commander says of a choice that there is not, with what may have been meant. */
export const noChoice = (word: string, known: readonly string[]): InvalidArgumentError =>
  new InvalidArgumentError(`Allowed choices are ${known.join(', ')}.${suggestion(word, known)}`);
