/** What replicas answer clients. A request is a command as machine.ts encodes it, of PBFT with what authenticates it. */
import { bodyOf, readBody } from './frames.js';
import { isCount, isLike, isNumber } from './shapes.js';

export interface Reply {
  client: number;
  sequence: number;
  /** `elsewhere`: not carried out by this replica, which does not lead or leads no more; asking again is safe */
  state: 'done' | 'elsewhere';
  /** who leads as far as is known here; -1: nobody */
  leader: number;
  /** of one that is done */
  reply: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeReply({ reply, ...rest }: Reply): Uint8Array {
  return bodyOf(rest, [encoder.encode(reply)]);
}

const isReply = isLike({
  client: isCount,
  sequence: isCount,
  state: (value) => value === 'done' || value === 'elsewhere',
  leader: isNumber,
});

/** @throws Error when this is no reply */
export function decodeReply(body: Uint8Array): Reply {
  const { value, pieces } = readBody(body);
  if (!isReply(value) || pieces.length !== 1) throw new Error('no reply');
  return { ...(value as Omit<Reply, 'reply'>), reply: decoder.decode(pieces[0]) };
}
