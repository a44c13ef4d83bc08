/** A state on its way to being a snapshot: a part of the work at a time, so that the loop goes on in between. */
import { chunksOf, joined } from '../../src/quorum/frames.js';
import type { Machine } from '../../src/quorum/machine.js';
import { digestOf, digestOfDigests } from '../../src/sealing/seal.js';

export class SnapshotMaker {
  readonly #parts: Generator<Uint8Array>;
  readonly #chunkBytes: number;
  readonly #made: Uint8Array[];
  #data: Uint8Array | null = null;
  #chunks: Uint8Array[] = [];
  readonly #digests: string[] = [];

  /** @param index of the last entry that the machine has carried out, now */
  constructor(
    readonly index: number,
    machine: Machine,
    chunkBytes: number,
  ) {
    this.#chunkBytes = chunkBytes;
    this.#parts = machine.parts(chunkBytes);
    this.#made = [this.#parts.next().value as Uint8Array];
  }

  /** @returns null: there is more to do */
  advance(): { data: Uint8Array; digest: string } | null {
    if (this.#data === null) {
      const { value, done } = this.#parts.next();
      if (!done) {
        this.#made.push(value);
        return null;
      }
      this.#data = joined(this.#made);
      this.#chunks = chunksOf(this.#data, this.#chunkBytes);
    }
    const chunk = this.#chunks[this.#digests.length];
    if (chunk === undefined) return { data: this.#data, digest: digestOfDigests(this.#digests) };
    this.#digests.push(digestOf(chunk));
    return null;
  }
}
