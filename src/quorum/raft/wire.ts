/** Messages of Raft as bodies of frames. */
import { bodyOf, readBody } from '../frames.js';
import { isCount, isFlag, isListOf, isText, type Shape, shaped } from '../shapes.js';
import type { Message } from './messages.js';

/** Entries of one message. */
const MOST_ENTRIES = 1 << 20;

const vote: Shape = { term: isCount, lastIndex: isCount, lastTerm: isCount };
const voteReply: Shape = { term: isCount, granted: isFlag };
const shapes: Record<Message['type'], Shape> = {
  vote,
  'pre-vote': vote,
  'vote-reply': voteReply,
  'pre-vote-reply': voteReply,
  append: {
    term: isCount,
    previousIndex: isCount,
    previousTerm: isCount,
    commit: isCount,
    round: isCount,
    /** terms of the entries, whose commands are the pieces */
    entries: isListOf(isCount, MOST_ENTRIES),
  },
  'append-reply': {
    term: isCount,
    round: isCount,
    success: isFlag,
    index: isCount,
    conflictIndex: isCount,
    conflictTerm: isCount,
    lost: isFlag,
  },
  install: {
    term: isCount,
    round: isCount,
    index: isCount,
    snapshotTerm: isCount,
    offset: isCount,
    done: isFlag,
    digest: isText,
  },
  'install-reply': {
    term: isCount,
    round: isCount,
    index: isCount,
    offset: isCount,
    done: isFlag,
    lost: isFlag,
  },
};

export function encodeMessage(message: Message): Uint8Array {
  if (message.type === 'append') {
    const { entries, ...rest } = message;
    return bodyOf(
      { ...rest, entries: entries.map(({ term }) => term) },
      entries.map(({ command }) => command),
    );
  }
  if (message.type !== 'install') return bodyOf(message);
  const { data, ...rest } = message;
  return bodyOf(rest, [data]);
}

/** @throws Error when this is no message */
export function decodeMessage(body: Uint8Array): Message {
  const { value, pieces } = readBody(body);
  const message = shaped<Message>(shapes, value);
  if (message.type === 'append') {
    const terms = message.entries as unknown as readonly number[];
    if (terms.length !== pieces.length) throw new Error('entries and commands are not as many');
    return { ...message, entries: terms.map((term, i) => ({ term, command: pieces[i]! })) };
  }
  if (message.type === 'install') {
    if (pieces.length !== 1) throw new Error('no piece of a snapshot');
    return { ...message, data: pieces[0]! };
  }
  return message;
}
