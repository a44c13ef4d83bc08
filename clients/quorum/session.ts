/** A client of a group of replicas: one request at a time, until it is acknowledged. */
import type { Spent } from '../../src/quorum/frames.js';
import type { Operation } from '../../src/quorum/machine.js';

export interface Answer {
  /** null: nobody knows whether it was carried out */
  reply: string | null;
  /** on what the time went; null: the system does not tell */
  spent: Spent | null;
  /** attempts that came to nothing */
  repeated: number;
}

export interface Session {
  /** @param given when the session is not to try again */
  ask(operation: Operation, given: () => boolean): Promise<Answer>;
  /** Number of the replica that leads, as far as this session has heard. */
  readonly leader: number;
  close(): void;
}

/** What the sessions of a program share: whom they take for the leader. */
export interface Hint {
  leader: number;
}
