/** What a member has to have on its disk, as records of a log; and what such records come to. */
import { bodyOf, readBody } from '../frames.js';
import { isCount, isLike, isListOf, isNumber, isText, type Shape } from '../shapes.js';
import type { Entry } from './log.js';
import type { Write } from './messages.js';
import { type Durable, nothingDurable } from './state.js';

const MOST_ENTRIES = 1 << 30;

const shape: Shape = {
  term: isCount,
  /** -1: none */
  vote: isNumber,
  /** 0: entries stay as they are */
  from: isCount,
  terms: isListOf(isCount, MOST_ENTRIES),
  /** index and term, and its data is the last piece; empty: none */
  snapshot: isListOf(isCount, 2),
  digest: isText,
};

interface Record {
  term: number;
  vote: number;
  from: number;
  terms: number[];
  snapshot: number[];
  /** of the snapshot */
  digest: string;
}

/**
 * @param kept all entries behind the write's snapshot, if it has one: the record then stands for everything before it
 * @returns the record, and whether it does
 */
export function encodeWrite(
  { term, vote, snapshot, from, entries }: Write,
  kept: readonly Entry[],
): { record: Uint8Array; begins: boolean } {
  const all = snapshot ? kept : entries;
  const value: Record = {
    term,
    vote: vote ?? -1,
    from: snapshot ? snapshot.index + 1 : (from ?? 0),
    terms: all.map((entry) => entry.term),
    snapshot: snapshot ? [snapshot.index, snapshot.term] : [],
    digest: snapshot?.digest ?? '',
  };
  const pieces = all.map(({ command }) => command);
  if (snapshot) pieces.push(snapshot.data);
  return { record: bodyOf(value, pieces), begins: snapshot !== null };
}

/** @throws Error when a record is none of ours, or does not follow from those before it */
export function recovered(records: readonly Uint8Array[]): Durable {
  let { term, vote, snapshot } = nothingDurable;
  const entries: Entry[] = [];
  for (const bytes of records) {
    const { value, pieces } = readBody(bytes);
    if (!isLike(shape)(value)) throw new Error('a record of the log is none of ours');
    const record = value as Record;
    const whole = record.snapshot.length === 2;
    if (pieces.length !== record.terms.length + (whole ? 1 : 0))
      throw new Error('a record of the log has not as many commands as entries');
    term = record.term;
    vote = record.vote < 0 ? null : record.vote;
    if (whole) {
      const [index, snapshotTerm] = record.snapshot as [number, number];
      snapshot = { index, term: snapshotTerm, data: pieces.at(-1)!, digest: record.digest };
      entries.length = 0;
    }
    if (record.from === 0) continue;
    const keeps = record.from - 1 - (snapshot?.index ?? 0);
    if (keeps < 0 || keeps > entries.length) throw new Error('a record of the log leaves entries out');
    entries.length = keeps;
    for (const [i, entryTerm] of record.terms.entries())
      entries.push({ term: entryTerm, command: pieces[i]! });
  }
  return { term, vote, snapshot, entries };
}
