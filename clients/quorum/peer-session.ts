/**
 * A client of somebody else's group. It asks once, unless that was certainly for nothing: those groups have no sessions that would
 * have a request that is asked for twice carried out once.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { QuorumClientSpec } from '../../src/programs/quorum.js';
import type { Operation } from '../../src/quorum/machine.js';
import { NotCarriedOut, type Peer, type PeerClient } from '../../src/quorum-peers/peer.js';
import type { Answer, Hint, Session } from './session.js';

/** Before somebody is asked again, milliseconds. */
const PAUSE_MS = 5;

export class PeerSession implements Session {
  readonly #peer: Peer;
  readonly #spec: QuorumClientSpec;
  readonly #hint: Hint;
  #target: number;
  #client: PeerClient | null = null;

  constructor(peer: Peer, spec: QuorumClientSpec, hint: Hint) {
    this.#peer = peer;
    this.#spec = spec;
    this.#hint = hint;
    this.#target = hint.leader;
  }

  get leader(): number {
    return this.#hint.leader;
  }

  async ask(operation: Operation, given: () => boolean): Promise<Answer> {
    const { replicas, patienceMs } = this.#spec;
    for (let repeated = 0; ; ) {
      try {
        this.#client ??= this.#peer.client(replicas[this.#target]!, patienceMs);
        return { reply: await carriedOut(this.#client, operation), spent: null, repeated };
      } catch (error) {
        repeated++;
        await pause(PAUSE_MS);
        if (error instanceof NotCarriedOut && !given()) continue;
        this.close();
        this.#client = null;
        this.#target = (this.#target + 1) % replicas.length;
        return { reply: null, spent: null, repeated };
      }
    }
  }

  close(): void {
    this.#client?.close();
  }
}

async function carriedOut(client: PeerClient, operation: Operation): Promise<string> {
  if (operation.kind === 'get') return client.get(operation.key);
  if (operation.kind === 'swap') throw new Error('other groups are asked to read and to write');
  await client.put(operation.key, operation.value);
  return 'ok';
}
