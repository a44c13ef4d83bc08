/** The chain of SHA-256 that /compute asks for, and the texts it comes to. */
import * as crypto from 'node:crypto';

/** Iterations after which a long computation lets others be served. */
export const SLICE = 25_000;

/** One call where Node has it (20.12), an object for each digest where not. */
const digest: (bytes: Uint8Array) => Buffer =
  typeof crypto.hash === 'function'
    ? (bytes) => crypto.hash('sha256', bytes, 'buffer')
    : (bytes) => crypto.createHash('sha256').update(bytes).digest();

/** A chain of digests from 32 zero bytes on. */
export class Chain {
  #bytes: Uint8Array = new Uint8Array(32);

  constructor(public left: number) {}

  /** Does a slice of what is left. @returns whether that was all */
  advance(): boolean {
    const rounds = Math.min(this.left, SLICE);
    for (let round = 0; round < rounds; round++) this.#bytes = digest(this.#bytes);
    this.left -= rounds;
    return this.left === 0;
  }

  /** The last digest, lower-case hexadecimal. */
  get text(): string {
    return Buffer.from(this.#bytes).toString('hex');
  }
}
