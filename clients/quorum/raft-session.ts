/** A client of Raft: it asks whom it takes for the leader, and goes elsewhere when told to or when nobody answers. */
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicNow } from '../../src/monotonic.js';
import type { QuorumClientSpec } from '../../src/programs/quorum.js';
import { type Frame, frameOf, Kind, nothingSpent, type Spent } from '../../src/quorum/frames.js';
import { encodeCommand, type Operation } from '../../src/quorum/machine.js';
import type { Reply } from '../../src/quorum/requests.js';
import { Link } from './link.js';
import type { Answer, Hint, Session } from './session.js';

/** Before a replica is asked again that knew of no leader, milliseconds. */
const PAUSE_MS = 5;

type Outcome = { reply: Reply; frame: Frame; atNs: number } | 'silent' | 'broken';

/** On what time went until the reply was here. */
export const spentUntil = ({ spent, sentNs }: Frame, atNs: number): Spent => ({
  ...spent,
  wire: spent.wire + Math.max(0, atNs - sentNs) / 1000,
});

export class RaftSession implements Session {
  readonly #number: number;
  readonly #spec: QuorumClientSpec;
  readonly #hint: Hint;
  #sequence = 0;
  #target: number;
  #link: Link | null = null;
  #settle: ((outcome: Outcome) => void) | null = null;

  constructor(number: number, spec: QuorumClientSpec, hint: Hint) {
    this.#number = number;
    this.#spec = spec;
    this.#hint = hint;
    this.#target = hint.leader;
  }

  get leader(): number {
    return this.#target;
  }

  async ask(operation: Operation, given: () => boolean): Promise<Answer> {
    const command = encodeCommand({ client: this.#number, sequence: ++this.#sequence, operation });
    for (let repeated = 0; ; repeated++) {
      if (given()) return { reply: null, spent: null, repeated };
      const outcome = await this.#attempt(command);
      if (typeof outcome === 'object' && outcome.reply.state === 'done') {
        this.#hint.leader = this.#target;
        return { reply: outcome.reply.reply, spent: spentUntil(outcome.frame, outcome.atNs), repeated };
      }
      await this.#goElsewhere(outcome);
    }
  }

  #attempt(command: Uint8Array): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle?.('silent'), this.#spec.patienceMs);
      this.#settle = (outcome) => {
        clearTimeout(timer);
        this.#settle = null;
        resolve(outcome);
      };
      this.#open().send(frameOf(Kind.request, this.#number, monotonicNow(), nothingSpent, command));
    });
  }

  #open(): Link {
    if (this.#link !== null && !this.#link.closed) return this.#link;
    const link = new Link(
      this.#spec.replicas[this.#target]!,
      (reply, frame) => {
        if (reply.sequence === this.#sequence && this.#link === link)
          this.#settle?.({ reply, frame, atNs: monotonicNow() });
      },
      () => {
        if (this.#link === link) this.#settle?.('broken');
      },
    );
    this.#link = link;
    return link;
  }

  async #goElsewhere(outcome: Outcome): Promise<void> {
    const { replicas } = this.#spec;
    const told = typeof outcome === 'object' ? outcome.reply.leader : -1;
    const known = told >= 0 && told < replicas.length && told !== this.#target ? told : -1;
    const hinted = this.#hint.leader !== this.#target ? this.#hint.leader : -1;
    const next = known >= 0 ? known : typeof outcome === 'object' ? -1 : hinted;
    if (next < 0) await pause(PAUSE_MS);
    this.#target = next >= 0 ? next : (this.#target + 1) % replicas.length;
    if (known < 0 && next === hinted) this.#hint.leader = this.#target;
    this.#link?.close();
    this.#link = null;
  }

  close(): void {
    this.#link?.close();
  }
}
