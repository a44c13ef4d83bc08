/**
 * What replicas answer clients: a code, numbers (f64, little-endian) and the reply's text. A request is a command as machine.ts
 * encodes it, of PBFT with what authenticates it.
 */
import { isCount, isNumber } from './shapes.js';

/**
 * `tentative`: carried out, and may yet be taken back (PBFT); `elsewhere`: not carried out by this replica, which does not lead or
 * leads no more, so that asking again is safe.
 */
const states = ['done', 'tentative', 'elsewhere'] as const;

export interface Reply {
  client: number;
  sequence: number;
  state: (typeof states)[number];
  /** of PBFT: in which this was carried out */
  view: number;
  /** who leads as far as is known here; -1: nobody */
  leader: number;
  /** of one that was carried out */
  reply: string;
}

const HEAD_BYTES = 1 + 4 * 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function encodeReply({ client, sequence, state, view, leader, reply }: Reply): Uint8Array {
  const text = encoder.encode(reply);
  const bytes = new Uint8Array(HEAD_BYTES + text.length);
  const at = viewOf(bytes);
  bytes[0] = states.indexOf(state);
  for (const [i, number] of [client, sequence, view, leader].entries())
    at.setFloat64(1 + 8 * i, number, true);
  bytes.set(text, HEAD_BYTES);
  return bytes;
}

/** @throws Error when this is no reply */
export function decodeReply(body: Uint8Array): Reply {
  const state = states[body[0] ?? -1];
  if (state === undefined || body.length < HEAD_BYTES) throw new Error('no reply');
  const at = viewOf(body);
  const [client, sequence, view, leader] = [0, 1, 2, 3].map((i) => at.getFloat64(1 + 8 * i, true)) as [
    number,
    number,
    number,
    number,
  ];
  if (![client, sequence, view].every(isCount) || !isNumber(leader)) throw new Error('no reply');
  return { client, sequence, state, view, leader, reply: decoder.decode(body.subarray(HEAD_BYTES)) };
}
