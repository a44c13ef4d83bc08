/** What a decoder of frames makes of bytes that arrive in pieces. */
import type { z } from 'zod';
import { FrameDecoder } from '../../src/carriers/frames.js';

/** @returns the frames that were read, and the refusal that ended it; '' when there was none */
export function readFrames<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Buffer,
  piece: number,
): [frames: unknown[], refusal: string] {
  const decoder = new FrameDecoder(schema);
  const frames: unknown[] = [];
  try {
    for (let at = 0; at < bytes.length; at += piece)
      for (const frame of decoder.push(bytes.subarray(at, at + piece))) frames.push(frame);
    return [frames, ''];
  } catch (error) {
    return [frames, (error as Error).message];
  }
}
