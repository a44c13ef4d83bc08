/** Frames of a protocol: one JSON object a line, checked on the way in. Pure but for the buffer it holds. */
import type { z } from 'zod';
import { printable } from '../contract/printable.js';
import { firstIssue } from '../contract/validated.js';

/** A frame longer than this ends the stream: nobody of ours sends one. */
export const MAX_FRAME_BYTES = 4 << 20;

export const encodeFrame = (frame: unknown): string => `${JSON.stringify(frame)}\n`;

/** Cuts a byte stream into frames, however it was cut up on its way. */
export class FrameDecoder<Schema extends z.ZodType> {
  #pending = Buffer.alloc(0);

  constructor(private readonly schema: Schema) {}

  /**
   * The frames that are whole by now, each before the next line is looked at: those before a bad line are not lost.
   * @throws Error with one sentence when a line is no frame of this protocol or is too long
   */
  *push(chunk: Uint8Array): Generator<z.infer<Schema>, void> {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const end = this.#pending.indexOf(0x0a);
      if (end > MAX_FRAME_BYTES || (end < 0 && this.#pending.length > MAX_FRAME_BYTES))
        throw new Error(`a frame is longer than ${MAX_FRAME_BYTES} bytes`);
      if (end < 0) return;
      const line = this.#pending.subarray(0, end).toString('utf8');
      this.#pending = this.#pending.subarray(end + 1);
      if (line.trim() !== '') yield decodeFrame(this.schema, line);
    }
  }

  /** Whether the stream so far ends inside a frame. */
  get unfinished(): boolean {
    return this.#pending.length > 0;
  }
}

const shown = (_: string, value: unknown) => (typeof value === 'string' ? printable(value) : value);

/**
 * Texts of a frame come out printable, because they end in messages.
 * @throws Error with one sentence when the line is no frame of this protocol
 */
export function decodeFrame<Schema extends z.ZodType>(schema: Schema, line: string): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(line, shown);
  } catch {
    throw new Error(`not a frame: '${printable(line.slice(0, 80))}'`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(`not a frame of this protocol: ${firstIssue(parsed.error).slice(0, 300)}`);
}
