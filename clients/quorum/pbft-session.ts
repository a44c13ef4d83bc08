/**
 * A client of PBFT (Castro and Liskov, 2002, §2.3.2): it asks the primary, then all when that takes long, and believes what enough
 * replicas say (src/quorum/pbft/replies.ts).
 */
import { monotonicNow } from '../../src/monotonic.js';
import type { QuorumClientSpec } from '../../src/programs/quorum.js';
import { type Frame, frameOf, Kind, nothingSpent, type Spent } from '../../src/quorum/frames.js';
import { encodeCommand, type Operation } from '../../src/quorum/machine.js';
import { Replies } from '../../src/quorum/pbft/replies.js';
import type { Reply } from '../../src/quorum/requests.js';
import { requestSealer } from '../../src/sealing/seal.js';
import { Link } from './link.js';
import { spentUntil } from './raft-session.js';
import type { Answer, Hint, Session } from './session.js';

export class PbftSession implements Session {
  readonly #number: number;
  readonly #spec: QuorumClientSpec;
  readonly #hint: Hint;
  readonly #seal: (command: Uint8Array) => Uint8Array;
  readonly #links: Link[] = [];
  #closed = false;
  #sequence = 0;
  /** of the request under way */
  #replies: Replies;
  #believe: ((reply: string, spent: Spent) => void) | null = null;

  constructor(number: number, spec: QuorumClientSpec, hint: Hint) {
    this.#number = number;
    this.#spec = spec;
    this.#hint = hint;
    this.#seal = requestSealer(spec.seal, spec.keys, number);
    this.#replies = this.#noReplies();
    for (const replica of spec.replicas.keys()) this.#open(replica);
  }

  get leader(): number {
    return this.#hint.leader;
  }

  /** An empty request says where replies are heard. */
  #open(replica: number): void {
    const link = new Link(
      this.#spec.replicas[replica]!,
      (reply, frame) => this.#heard(replica, reply, frame),
      () => {
        if (!this.#closed) setTimeout(() => this.#closed || this.#open(replica), 50).unref();
      },
    );
    link.send(frameOf(Kind.request, this.#number, monotonicNow(), nothingSpent, new Uint8Array(0)));
    this.#links[replica] = link;
  }

  #noReplies(): Replies {
    return new Replies(this.#spec.replicas.length, this.#spec.bears);
  }

  #heard(replica: number, { sequence, state, view, reply, leader }: Reply, frame: Frame): void {
    if (sequence !== this.#sequence || state === 'elsewhere' || this.#believe === null) return;
    const believed = this.#replies.take(replica, { view, tentative: state === 'tentative', reply });
    if (believed === null) return;
    if (leader >= 0 && leader < this.#spec.replicas.length) this.#hint.leader = leader;
    this.#believe(believed, spentUntil(frame, monotonicNow()));
  }

  async ask(operation: Operation, given: () => boolean): Promise<Answer> {
    this.#replies = this.#noReplies();
    const command = encodeCommand({ client: this.#number, sequence: ++this.#sequence, operation });
    const began = monotonicNow();
    const request = this.#seal(command);
    const spent: Spent = { ...nothingSpent, crypto: (monotonicNow() - began) / 1000 };
    for (let repeated = 0; ; repeated++) {
      if (given()) return { reply: null, spent: null, repeated };
      const primary = this.#links[this.#hint.leader]!;
      const asked = repeated === 0 && !primary.closed ? [primary] : this.#links;
      const answer = await this.#attempt(asked, request, spent);
      if (answer !== null) return { ...answer, repeated };
    }
  }

  #attempt(links: readonly Link[], request: Uint8Array, spent: Spent) {
    return new Promise<{ reply: string; spent: Spent } | null>((resolve) => {
      const done = (answer: { reply: string; spent: Spent } | null) => {
        clearTimeout(timer);
        this.#believe = null;
        resolve(answer);
      };
      const timer = setTimeout(() => done(null), this.#spec.patienceMs);
      this.#believe = (reply, total) => done({ reply, spent: total });
      for (const link of links)
        link.send(frameOf(Kind.request, this.#number, monotonicNow(), spent, request));
    });
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links) link.close();
  }
}
