/**
 * What travels between replicas, and between clients and replicas: frames over a byte stream. A frame is its length (u32, of
 * what follows), when it was sent (f64, nanoseconds of the machine's monotonic clock), what the work that led to it has spent so
 * far (4 x f32, microseconds), a version, a kind, the sender's number (u16), a body, and a tag where there is one. Numbers are
 * little-endian. The tag authenticates everything from the version on: what is only measured is written when that is done.
 *
 * A body is pieces: a JSON text first, whose numbers and names are read by anybody, then values, which are never escaped or copied
 * into text; or, of what there is most of, bytes in an order of their own (pbft/wire.ts, requests.ts).
 */

export const FRAME_VERSION = 2;

export const Kind = {
  /** who connects: `from`, and the group's token as body */
  greeting: 1,
  /** between members of Raft */
  raft: 2,
  /** between replicas of PBFT */
  pbft: 3,
  /** of a client */
  request: 4,
  reply: 5,
  /** of a round of a broadcast */
  broadcast: 6,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export const HEADER_BYTES = 32;
const LENGTH_BYTES = 4;
const SENT_AT = 4;
const SPENT_AT = 12;
const VERSION_AT = 28;
const KIND_AT = 29;
const FROM_AT = 30;

/** Longest frame of a client, bytes: a value of a MiB and what stands around it. */
export const MOST_CLIENT_FRAME = (1 << 20) + (1 << 18);
/** Longest frame of a replica: a state travels in one where the protocol has it so. */
export const MOST_PEER_FRAME = 256 << 20;

/** On what the time went that led to a message, along the chain of messages that caused it, microseconds. */
export interface Spent {
  /** from sending until the receiver's wait returned: the kernel, the link, waking up */
  wire: number;
  /** from then until the message was handled: what the same turn of the loop did before */
  wake: number;
  /** sealing and opening */
  crypto: number;
  /** waiting for a disk */
  fsync: number;
}

export const nothingSpent: Spent = { wire: 0, wake: 0, crypto: 0, fsync: 0 };

export interface Frame {
  kind: Kind;
  from: number;
  /** nanoseconds */
  sentNs: number;
  spent: Spent;
  /** as long as the bytes that the frame was read from */
  body: Uint8Array;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** @param tagBytes left free at the end for a tag */
export function frameOf(
  kind: Kind,
  from: number,
  sentNs: number,
  spent: Spent,
  body: Uint8Array,
  tagBytes = 0,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length + tagBytes);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length - LENGTH_BYTES, true);
  view.setUint8(VERSION_AT, FRAME_VERSION);
  view.setUint8(KIND_AT, kind);
  view.setUint16(FROM_AT, from, true);
  bytes.set(body, HEADER_BYTES);
  stamp(bytes, sentNs, spent);
  return bytes;
}

/** What of a frame its tag authenticates, and the tag. */
export const sealedPart = (frame: Uint8Array): Uint8Array => frame.subarray(VERSION_AT);

/** Says when a frame is sent and what led to it, which may be once it is sealed. */
export function stamp(frame: Uint8Array, sentNs: number, spent: Spent): void {
  const view = viewOf(frame);
  view.setFloat64(SENT_AT, sentNs, true);
  view.setFloat32(SPENT_AT, spent.wire, true);
  view.setFloat32(SPENT_AT + 4, spent.wake, true);
  view.setFloat32(SPENT_AT + 8, spent.crypto, true);
  view.setFloat32(SPENT_AT + 12, spent.fsync, true);
}

const kinds = new Set<number>(Object.values(Kind));

/** @returns null: these bytes are no frame of this version */
export function readFrame(bytes: Uint8Array, tagBytes = 0): Frame | null {
  if (bytes.length < HEADER_BYTES + tagBytes) return null;
  const view = viewOf(bytes);
  const kind = view.getUint8(KIND_AT);
  if (view.getUint8(VERSION_AT) !== FRAME_VERSION || !kinds.has(kind)) return null;
  return {
    kind: kind as Kind,
    from: view.getUint16(FROM_AT, true),
    sentNs: view.getFloat64(SENT_AT, true),
    spent: {
      wire: view.getFloat32(SPENT_AT, true),
      wake: view.getFloat32(SPENT_AT + 4, true),
      crypto: view.getFloat32(SPENT_AT + 8, true),
      fsync: view.getFloat32(SPENT_AT + 12, true),
    },
    body: bytes.subarray(HEADER_BYTES, bytes.length - tagBytes),
  };
}

/** Cuts a stream into frames. What a peer announces is held against a bound before room is made for it. */
export class FrameReader {
  /** longest frame that is taken, bytes */
  most: number;
  #partial = new Uint8Array(0);
  #filled = 0;
  readonly #length = new Uint8Array(LENGTH_BYTES);

  constructor(most: number) {
    this.most = most;
  }

  /**
   * Hands on every frame that these bytes complete; a frame's bytes are good until the call returns.
   * @returns false: this is no stream of frames, and cannot be gone on with
   */
  feed(bytes: Uint8Array, take: (frame: Uint8Array) => void): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#filled === 0 && bytes.length - at >= LENGTH_BYTES) {
        // The usual case: the whole of a frame lies in what came.
        const size = this.#sizeOf(bytes, at);
        if (size === null) return false;
        if (bytes.length - at >= size) {
          take(bytes.subarray(at, at + size));
          at += size;
          continue;
        }
      }
      const taken = this.#collect(bytes, at);
      if (taken < 0) return false;
      at += taken;
      if (this.#filled >= LENGTH_BYTES && this.#filled === this.#partial.length) {
        const whole = this.#partial;
        this.#partial = new Uint8Array(0);
        this.#filled = 0;
        take(whole);
      }
    }
    return true;
  }

  #collect(bytes: Uint8Array, at: number): number {
    if (this.#filled < LENGTH_BYTES) {
      const taken = Math.min(LENGTH_BYTES - this.#filled, bytes.length - at);
      this.#length.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      if (this.#filled < LENGTH_BYTES) return taken;
      const size = this.#sizeOf(this.#length, 0);
      if (size === null) return -1;
      this.#partial = new Uint8Array(size);
      this.#partial.set(this.#length);
      return taken;
    }
    const taken = Math.min(this.#partial.length - this.#filled, bytes.length - at);
    this.#partial.set(bytes.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    return taken;
  }

  /** By hand: a view would be an object for each frame. */
  #sizeOf(bytes: Uint8Array, at: number): number | null {
    const high = bytes[at + 3]! * 0x1000000;
    const size = LENGTH_BYTES + high + (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16));
    return size >= HEADER_BYTES && size <= this.most ? size : null;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Parts one after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Pieces of bytes one after another, each behind its length. */
export function joinedPieces(pieces: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const { length } of pieces) size += LENGTH_BYTES + length;
  const body = new Uint8Array(size);
  const view = viewOf(body);
  let at = 0;
  for (const piece of pieces) {
    view.setUint32(at, piece.length, true);
    body.set(piece, at + LENGTH_BYTES);
    at += LENGTH_BYTES + piece.length;
  }
  return body;
}

/** They lie in `body`. @throws Error when these are no pieces */
export function piecesOf(body: Uint8Array): Uint8Array[] {
  const view = viewOf(body);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    if (at + LENGTH_BYTES > body.length) throw new Error('a piece has no length');
    const length = view.getUint32(at, true);
    at += LENGTH_BYTES;
    if (length > body.length - at) throw new Error('a piece ends early');
    pieces.push(body.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** A JSON text, and pieces of bytes behind it. */
export const bodyOf = (value: unknown, pieces: readonly Uint8Array[] = []): Uint8Array =>
  joinedPieces([encoder.encode(JSON.stringify(value)), ...pieces]);

/** Pieces are copies, so that they stay. @throws Error when this is no body */
export function readBody(body: Uint8Array): { value: unknown; pieces: Uint8Array[] } {
  const [text, ...pieces] = piecesOf(body);
  if (text === undefined) throw new Error('no text');
  return { value: JSON.parse(decoder.decode(text)), pieces: pieces.map((piece) => piece.slice()) };
}

/** Bytes in chunks of one length, the last of which may be shorter. */
export const chunksOf = (bytes: Uint8Array, length: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );
