/** What a turn of a replica of PBFT has for another one: it leaves in one frame, with one seal. */
import { monotonicNow as now } from '../../src/monotonic.js';
import { frameOf, Kind, nothingSpent, type Spent, sealedPart, stamp } from '../../src/quorum/frames.js';
import type { Message } from '../../src/quorum/pbft/messages.js';
import { encodeMessages } from '../../src/quorum/pbft/wire.js';
import type { FrameSeal } from '../../src/sealing/seal.js';
import { spentAlso } from './core.js';
import type { Peers } from './peers.js';

export class Outbox {
  readonly #id: number;
  readonly #seal: FrameSeal;
  readonly #peers: Peers;
  readonly #queues: Message[][];
  /** what led to the newest of them */
  #spent = nothingSpent;
  #empty = true;

  constructor(id: number, replicas: number, seal: FrameSeal, peers: Peers) {
    this.#id = id;
    this.#seal = seal;
    this.#peers = peers;
    this.#queues = Array.from({ length: replicas }, () => []);
  }

  add(to: number, message: Message, spent: Spent): void {
    this.#queues[to]!.push(message);
    this.#spent = spent;
    this.#empty = false;
  }

  /** Most of it goes to all, and is made once; and signed once where one signature does for all. */
  send(): void {
    if (this.#empty) return;
    this.#empty = true;
    const { tagBytes, each } = this.#seal;
    let spent = this.#spent;
    let last: readonly Message[] = [];
    let body: Uint8Array = new Uint8Array(0);
    let frame = body;
    for (const [to, messages] of this.#queues.entries()) {
      if (messages.length === 0) continue;
      this.#queues[to] = [];
      const again = isSame(messages, last);
      if (!again) body = encodeMessages(messages);
      last = messages;
      if (!again || each) {
        frame = frameOf(Kind.pbft, this.#id, 0, nothingSpent, body, tagBytes);
        const began = now();
        this.#seal.seal(sealedPart(frame), to);
        if (tagBytes > 0) spent = spentAlso(spent, { crypto: (now() - began) / 1000 });
        stamp(frame, now(), spent);
      }
      this.#peers.send(to, frame);
    }
  }
}

const isSame = (a: readonly Message[], b: readonly Message[]): boolean =>
  a.length === b.length && a.every((message, i) => message === b[i]);
