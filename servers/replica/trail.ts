/** What a replica has carried out, in a digest that grows with it: by that it can be told whether replicas did the same. */
import { digestOf } from '../../src/sealing/seal.js';

/** Batches between those that are kept, and how many are: replicas that are not as far as each other have some in common. */
const KEPT_EVERY = 16;
const MOST_KEPT = 256;

export class Trail {
  readonly #kept = new Map<number, string>();
  #sequence = 0;
  /** null: of what came before the state that was taken from others nothing is known */
  #digest: string | null = '';

  add(sequence: number, batch: string): void {
    this.#sequence = sequence;
    if (this.#digest === null) return;
    this.#digest = digestOf(Buffer.from(`${this.#digest} ${batch}`));
    if (sequence % KEPT_EVERY !== 0) return;
    this.#kept.set(sequence, this.#digest);
    this.#kept.delete(sequence - KEPT_EVERY * MOST_KEPT);
  }

  lose(): void {
    this.#digest = null;
  }

  entries(): [number, string][] {
    const last: [number, string][] = this.#digest === null ? [] : [[this.#sequence, this.#digest]];
    return [...this.#kept, ...last];
  }
}
