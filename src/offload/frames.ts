/**
 * Messages on a stream of bytes, in Node and in a page: each has its length before it, four bytes, the highest first. One
 * without content asks whether somebody is there, and is the answer as well.
 */

const headBytes = 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function frameOf(text: string): Uint8Array<ArrayBuffer> {
  const content = encoder.encode(text);
  const frame = new Uint8Array(headBytes + content.length);
  new DataView(frame.buffer).setUint32(0, content.length);
  frame.set(content, headBytes);
  return frame;
}

/** Puts frames together; what is announced takes no memory before it is there. */
export class Frames {
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #wanted: number | null = null;

  /** @param most bytes of a message */
  constructor(readonly most: number) {}

  /** @returns whole messages. @throws Error when one is announced that is too large */
  push(chunk: Uint8Array): string[] {
    const texts: string[] = [];
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#wanted === null) {
        if (this.#bytes < headBytes) return texts;
        const head = this.#take(headBytes);
        this.#wanted = new DataView(head.buffer, head.byteOffset).getUint32(0);
        if (this.#wanted > this.most) throw new Error(`a message of more than ${this.most} bytes`);
      }
      if (this.#bytes < this.#wanted) return texts;
      texts.push(decoder.decode(this.#take(this.#wanted)));
      this.#wanted = null;
    }
  }

  #take(bytes: number): Uint8Array {
    const first = this.#parts[0];
    if (first && first.length >= bytes) {
      if (first.length === bytes) this.#parts.shift();
      else this.#parts[0] = first.subarray(bytes);
      this.#bytes -= bytes;
      return first.subarray(0, bytes);
    }
    const whole = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = bytes < whole.length ? [whole.subarray(bytes)] : [];
    this.#bytes -= bytes;
    return whole.subarray(0, bytes);
  }
}
