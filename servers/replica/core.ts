/** What a replica is to the loop around it, whichever protocol it speaks. */
import type { ReplicaSnapshot } from '../../src/contract/quorum.js';
import type { Frame, Spent } from '../../src/quorum/frames.js';
import type { Connection } from './network.js';

export interface Core {
  /** @param frame of the replica `frame.from`, known to be its. @throws Error when it is no message */
  message(frame: Frame, spent: Spent): void;
  /** @throws Error when it is no request */
  request(connection: Connection, frame: Frame, spent: Spent): void;
  /** All frames of a turn were handed over, and a tick that fell into it. */
  turnEnds(): void;
  tick(): void;
  /** Takes a snapshot now, where the protocol has any. */
  compact(): void;
  /** Milliseconds until it has something to do of its own accord, beside ticks. */
  patience(): number;
  state(): Pick<ReplicaSnapshot, 'role' | 'term' | 'applied' | 'trail' | 'requests' | 'log'>;
  close(): void;
}

/** On what time went up to now that led here, with a wait for a disk or work on seals in addition. */
export const spentAlso = (spent: Spent, more: Partial<Spent>): Spent => ({
  wire: spent.wire + (more.wire ?? 0),
  wake: spent.wake + (more.wake ?? 0),
  crypto: spent.crypto + (more.crypto ?? 0),
  fsync: spent.fsync + (more.fsync ?? 0),
});

/** Milliseconds of a replica's clock. */
export const TICK_MS = 10;
