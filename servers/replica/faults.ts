/** What a faulty replica of PBFT does: lies of src/quorum/pbft/liars.ts, told over real connections, and to clients as well. */
import type { QuorumFault } from '../../src/contract/names.js';
import { type Liar, type LiarName, type Lie, mixed } from '../../src/quorum/pbft/liars.js';
import type { Message } from '../../src/quorum/pbft/messages.js';

export interface Faulty {
  /** what it says in the place of a message; `late` is in milliseconds */
  says(to: number, message: Message): readonly Lie[];
  /** what it says in the place of a reply; null: nothing */
  replies(reply: string): string | null;
}

const liarsOf: Record<QuorumFault, readonly LiarName[]> = {
  silent: ['mute'],
  delaying: ['delaying'],
  lying: ['misnaming', 'corrupting', 'forgetful'],
  equivocating: ['twoFaced'],
};

/** Requests that it remembers, to make another batch of. */
const MOST_REMEMBERED = 64;

export function faultyBy(
  fault: QuorumFault,
  replicas: number,
  patienceMs: number,
  digest: (parts: readonly Uint8Array[]) => string,
): Faulty {
  const requests: Uint8Array[] = [];
  const liar: Liar = mixed(liarsOf[fault], {
    random: Math.random,
    replicas,
    digest,
    requests,
    longDelay: patienceMs,
  });
  return {
    says(to, message) {
      if (message.type === 'pre-prepare') {
        requests.push(...message.batch);
        requests.splice(0, requests.length - MOST_REMEMBERED);
      }
      return liar(to, message);
    },
    replies: (reply) => (fault === 'silent' ? null : fault === 'lying' ? `${reply}?` : reply),
  };
}
