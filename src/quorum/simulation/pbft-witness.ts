/**
 * Sees all correct replicas of a simulated PBFT at once: they carry out the same in the same order (agreement), only what
 * clients have asked for (validity), come to the same states, and no two of them prepare different batches in one view and at
 * one sequence number (Castro and Liskov, 2002, §2.4). What a client was told keeps its place (durability), whether it had
 * committed by then or not.
 */
import type { Executed } from '../pbft/messages.js';
import type { PbftState } from '../pbft/state.js';
import { sameBytes, Violation } from './violation.js';

export class PbftWitness {
  /** digests of batches by sequence number */
  readonly executed = new Map<number, string>();
  /** requests that clients have made, by name */
  readonly asked = new Set<string>();
  readonly #settled = new Set<string>();
  readonly #acknowledged = new Set<string>();
  readonly #prepared = new Map<string, string>();
  readonly #states = new Map<number, Uint8Array>();

  constructor(readonly nameOf: (request: Uint8Array) => string) {}

  /** @throws Violation */
  afterStep({ config, slots, view, changing }: PbftState): void {
    if (changing) return;
    for (const [sequence, slot] of slots) {
      if (!slot.prepared || slot.view !== view) continue;
      const name = `${view}.${sequence}`;
      const known = this.#prepared.get(name);
      if (known === undefined) this.#prepared.set(name, slot.digest);
      else if (known !== slot.digest)
        throw new Violation(
          'one prepares',
          `${config.id} prepared another batch in view ${view} at ${sequence}`,
        );
    }
  }

  /** @throws Violation */
  carriedOut(replica: number, { sequence, digest, batch }: Executed): void {
    const known = this.executed.get(sequence);
    if (known === undefined) this.executed.set(sequence, digest);
    else if (known !== digest)
      throw new Violation('agreement', `${replica} carried out another batch at ${sequence}`);
    for (const request of batch) {
      const name = this.nameOf(request);
      if (!this.asked.has(name))
        throw new Violation('validity', `${replica} carried out at ${sequence} what no client asked for`);
      this.#settled.add(name);
    }
  }

  /** A client believes that this was carried out. */
  acknowledged(request: Uint8Array): void {
    this.#acknowledged.add(this.nameOf(request));
  }

  /** Of what clients believed before work went on, all has committed. @throws Violation */
  checkAcknowledged(): void {
    for (const name of this.#acknowledged)
      if (!this.#settled.has(name)) throw new Violation('durability', `${name} was acknowledged and is gone`);
  }

  /** The machine of a correct replica after this batch. @throws Violation */
  state(replica: number, sequence: number, snapshot: Uint8Array): void {
    const known = this.#states.get(sequence);
    if (known === undefined) this.#states.set(sequence, snapshot);
    else if (!sameBytes(known, snapshot))
      throw new Violation('agreement', `${replica} has another state after ${sequence}`);
  }
}
