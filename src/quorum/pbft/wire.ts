/**
 * Messages of PBFT as bodies of frames: one after another, each with its length. The three of the normal case are a code, view and
 * sequence number (f64, little-endian), the digest, and of a pre-prepare its batch; all others are a JSON text with pieces, for they
 * are rare. What is read may have been made by a liar: it has the shape of a message, no more.
 */
import { bodyOf, joined, joinedPieces, piecesOf, readBody } from '../frames.js';
import { isCount, isFlag, isLike, isListOf, isNumber, isText, type Shape, shaped } from '../shapes.js';
import type { Agreement, Message, PrePrepare, ViewChange } from './messages.js';

/** Requests of a batch, and lists of a view change: windows are far smaller. */
const MOST = 1 << 16;

const numbered: Shape = { sequence: isCount, digest: isText };
const seen: Shape = { ...numbered, view: isNumber };
const viewChange: Shape = {
  view: isCount,
  stable: isCount,
  checkpoints: isListOf(isLike(numbered), MOST),
  prepared: isListOf(isLike(seen), MOST),
  prePrepared: isListOf(isLike(seen), MOST),
};
type Frequent = PrePrepare | Agreement;
type Rare = Exclude<Message, Frequent>;
const shapes: Record<Rare['type'], Shape> = {
  request: {},
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

const JSON_TEXT = 0;
const codes = { 'pre-prepare': 1, prepare: 2, commit: 3 } as const satisfies Record<Frequent['type'], number>;
const DIGEST_AT = 1 + 8 + 8;
/** What leads a batch: code, numbers, and the digest's length. */
const BATCH_AT = DIGEST_AT + 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function headOf({ type, view, sequence, digest }: Frequent, digestAt: number, more: number): Uint8Array {
  const text = encoder.encode(digest);
  const bytes = new Uint8Array(digestAt + text.length + more);
  const at = viewOf(bytes);
  bytes[0] = codes[type];
  at.setFloat64(1, view, true);
  at.setFloat64(1 + 8, sequence, true);
  if (digestAt === BATCH_AT) at.setUint16(DIGEST_AT, text.length, true);
  bytes.set(text, digestAt);
  return bytes;
}

function encodeRare(message: Rare): Uint8Array {
  switch (message.type) {
    case 'request': {
      const { request, ...rest } = message;
      return bodyOf(rest, [request]);
    }
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

const isFrequent = (message: Message): message is Frequent => message.type in codes;

function encodeMessage(message: Message): Uint8Array {
  if (!isFrequent(message)) return joined([Uint8Array.of(JSON_TEXT), encodeRare(message)]);
  if (message.type !== 'pre-prepare') return headOf(message, DIGEST_AT, 0);
  const batch = joinedPieces(message.batch);
  const bytes = headOf(message, BATCH_AT, batch.length);
  bytes.set(batch, bytes.length - batch.length);
  return bytes;
}

export const encodeMessages = (messages: readonly Message[]): Uint8Array =>
  joinedPieces(messages.map(encodeMessage));

function only(pieces: readonly Uint8Array[]): Uint8Array {
  const [piece] = pieces;
  if (piece === undefined || pieces.length !== 1) throw new Error('not one piece');
  return piece;
}

function decodeRare(bytes: Uint8Array): Message {
  const { value, pieces } = readBody(bytes);
  const message = shaped<Rare>(shapes, value);
  switch (message.type) {
    case 'request':
      return { ...message, request: only(pieces) };
    case 'batch':
      return { ...message, batch: batchOf(pieces) };
    case 'state':
      return { ...message, data: only(pieces) };
    case 'view-change-copy':
      // What is copied is a message of its own, and is counted by its digest: nothing but its fields goes on.
      return { ...message, change: { ...(message.change as ViewChange), type: 'view-change' } };
    default:
      return message;
  }
}

function batchOf(pieces: Uint8Array[]): Uint8Array[] {
  if (pieces.length > MOST) throw new Error('more requests than a batch has');
  return pieces;
}

function decodeMessage(bytes: Uint8Array): Message {
  const code = bytes[0];
  if (code === JSON_TEXT) return decodeRare(bytes.subarray(1));
  const type = code === codes.prepare ? 'prepare' : code === codes.commit ? 'commit' : 'pre-prepare';
  const digestAt = type === 'pre-prepare' ? BATCH_AT : DIGEST_AT;
  if (code !== codes[type] || bytes.length < digestAt) throw new Error('no such message');
  const at = viewOf(bytes);
  const view = at.getFloat64(1, true);
  const sequence = at.getFloat64(1 + 8, true);
  const end = type === 'pre-prepare' ? BATCH_AT + at.getUint16(DIGEST_AT, true) : bytes.length;
  const digest = decoder.decode(bytes.subarray(digestAt, end));
  if (!isCount(view) || !isCount(sequence) || !isText(digest)) throw new Error('no such message');
  if (type !== 'pre-prepare') return { type, view, sequence, digest };
  // They are held for as long as the batch is, and what they were read from is not.
  const batch = batchOf(piecesOf(bytes.subarray(end)).map((piece) => piece.slice()));
  return { type, view, sequence, digest, batch };
}

/** @throws Error when one of them is no message */
export const decodeMessages = (body: Uint8Array): Message[] => piecesOf(body).map(decodeMessage);
