/** What goes into and comes out of a step of Raft. Sections are those of the extended paper unless a thesis is named. */
import type { Entry, Snapshot } from './log.js';

/** Asks for a vote (§5.2), or, before its term begins, whether there would be one (Ongaro's thesis, 2014, §9.6). */
export interface Vote {
  type: 'vote' | 'pre-vote';
  /** the candidate's; of a pre-vote the one it would have */
  term: number;
  lastIndex: number;
  lastTerm: number;
}

export interface VoteReply {
  type: 'vote-reply' | 'pre-vote-reply';
  /** the voter's; of a pre-vote that is granted the one asked about */
  term: number;
  granted: boolean;
}

/** AppendEntries (§5.3); without entries a heartbeat. */
export interface Append {
  type: 'append';
  term: number;
  previousIndex: number;
  previousTerm: number;
  entries: readonly Entry[];
  commit: number;
  /** numbers the leader's confirmations of its leadership (§8) */
  round: number;
}

export interface AppendReply {
  type: 'append-reply';
  term: number;
  round: number;
  success: boolean;
  /** up to where both logs are alike; of a refusal the `previousIndex` that was refused */
  index: number;
  /** of a refusal: where the leader may go on, with the term of the entry that conflicts there (§5.3), 0 without one */
  conflictIndex: number;
  conflictTerm: number;
  /** the sender lost its disk once: what it acknowledged before it may not have any more, and it counts for nothing */
  lost: boolean;
}

/** A piece of InstallSnapshot (§7). */
export interface Install {
  type: 'install';
  term: number;
  round: number;
  index: number;
  snapshotTerm: number;
  offset: number;
  data: Uint8Array;
  /** the last piece */
  done: boolean;
  /** of all pieces */
  digest: string;
}

export interface InstallReply {
  type: 'install-reply';
  term: number;
  round: number;
  index: number;
  /** bytes that are there */
  offset: number;
  /** it is installed and durable, or was not needed */
  done: boolean;
  /** as in an AppendReply */
  lost: boolean;
}

export type Message = Vote | VoteReply | Append | AppendReply | Install | InstallReply;

export type Input =
  /** a unit of the member's own clock has passed */
  | { kind: 'tick' }
  | { kind: 'message'; from: number; message: Message }
  /** commands of clients, in this order */
  | { kind: 'request'; commands: readonly Uint8Array[] }
  /** names of reads that need no entry (§8) */
  | { kind: 'read'; ids: readonly number[] }
  /** the write of this number, and all before it, survive a crash */
  | { kind: 'synced'; number: number }
  /**
   * `data` is the state after the entry `index`, which was handed out: the log need not hold it any longer (§7). `digest` is that
   * of its chunks.
   */
  | { kind: 'compact'; index: number; data: Uint8Array; digest: string };

/** What has to be on stable storage (figure 2), as the difference to what was written before. */
export interface Write {
  number: number;
  term: number;
  vote: number | null;
  /** takes the place of all entries up to its index */
  snapshot: Snapshot | null;
  /** index from which on the log is replaced by `entries`; null: entries stay as they are */
  from: number | null;
  entries: readonly Entry[];
}

export interface Addressed {
  to: number;
  message: Message;
}

export interface Output {
  /** to be written in the order of the steps; null: nothing new */
  write: Write | null;
  /** may leave at once: what a leader sends does not rest on its own disk (thesis, §10.2.1) */
  messages: Addressed[];
  /** may leave when this step's write and all before it are durable */
  afterSync: Addressed[];
  /** the state to begin anew from, before `committed` is applied */
  restored: Snapshot | null;
  /** to be applied, in this order; the first has the index `firstCommitted` */
  committed: Entry[];
  firstCommitted: number;
  /** where the commands of this request stand in the log; null: this is no leader */
  accepted: { index: number; term: number } | null;
  /** reads that may be answered once the entry `index` has been applied */
  readable: { id: number; index: number }[];
  /** reads that this member cannot answer */
  refused: number[];
}
