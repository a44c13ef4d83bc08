/** Messages of PBFT as bodies of frames. What is read may have been made by a liar: it has the shape of a message, no more. */
import { bodyOf, readBody } from '../frames.js';
import { isCount, isFlag, isLike, isListOf, isNumber, isText, type Shape, shaped } from '../shapes.js';
import type { Message, ViewChange } from './messages.js';

/** Requests of a batch, and lists of a view change: windows are far smaller. */
const MOST = 1 << 16;

const numbered: Shape = { sequence: isCount, digest: isText };
const seen: Shape = { ...numbered, view: isNumber };
const agreement: Shape = { view: isCount, sequence: isCount, digest: isText };
const viewChange: Shape = {
  view: isCount,
  stable: isCount,
  checkpoints: isListOf(isLike(numbered), MOST),
  prepared: isListOf(isLike(seen), MOST),
  prePrepared: isListOf(isLike(seen), MOST),
};
const shapes: Record<Message['type'], Shape> = {
  request: {},
  'pre-prepare': agreement,
  prepare: agreement,
  commit: agreement,
  checkpoint: numbered,
  'view-change': viewChange,
  'view-change-ack': { view: isCount, sender: isCount, digest: isText },
  'new-view': {
    view: isCount,
    changes: isListOf(isLike({ sender: isCount, digest: isText }), MOST),
    checkpoint: isLike(numbered),
    chosen: isListOf(isLike(numbered), MOST),
  },
  'view-change-copy': { sender: isCount, change: isLike(viewChange) },
  status: { view: isCount, changing: isFlag, executed: isCount, stable: isCount },
  'fetch-batch': { digest: isText },
  batch: {},
  'fetch-state': { sequence: isCount },
  state: { sequence: isCount },
};

export function encodeMessage(message: Message): Uint8Array {
  switch (message.type) {
    case 'request': {
      const { request, ...rest } = message;
      return bodyOf(rest, [request]);
    }
    case 'pre-prepare':
    case 'batch': {
      const { batch, ...rest } = message;
      return bodyOf(rest, batch);
    }
    case 'state': {
      const { data, ...rest } = message;
      return bodyOf(rest, [data]);
    }
    default:
      return bodyOf(message);
  }
}

function only(pieces: readonly Uint8Array[]): Uint8Array {
  const [piece] = pieces;
  if (piece === undefined || pieces.length !== 1) throw new Error('not one piece');
  return piece;
}

/** @throws Error when this is no message */
export function decodeMessage(body: Uint8Array): Message {
  const { value, pieces } = readBody(body);
  const message = shaped<Message>(shapes, value);
  switch (message.type) {
    case 'request':
      return { ...message, request: only(pieces) };
    case 'pre-prepare':
    case 'batch':
      if (pieces.length > MOST) throw new Error('more requests than a batch has');
      return { ...message, batch: pieces };
    case 'state':
      return { ...message, data: only(pieces) };
    case 'view-change-copy':
      // What is copied is a message of its own, and is counted by its digest: nothing but its fields goes on.
      return { ...message, change: { ...(message.change as ViewChange), type: 'view-change' } };
    default:
      return message;
  }
}
