/**
 * What goes into and comes out of a step of PBFT. Sections are those of Castro and Liskov, "Practical Byzantine Fault
 * Tolerance and Proactive Recovery", ACM TOCS 20(4), 2002, whose algorithm with authenticators (BFT, §3) this is.
 */

/** Requests that are ordered together. */
export type Batch = readonly Uint8Array[];

/** A client's request, as a backup passes it on. */
export interface Request {
  type: 'request';
  request: Uint8Array;
}

export interface PrePrepare {
  type: 'pre-prepare';
  view: number;
  sequence: number;
  digest: string;
  batch: Batch;
}

/** "I have this pre-prepare", or "a quorum has it". */
export interface Agreement {
  type: 'prepare' | 'commit';
  view: number;
  sequence: number;
  digest: string;
}

export interface Checkpoint {
  type: 'checkpoint';
  sequence: number;
  /** of the state after the batch of this sequence number */
  digest: string;
}

export interface Numbered {
  sequence: number;
  digest: string;
}

/** A batch that prepared (P) or pre-prepared (Q) at a replica, with the last view in which it did. */
export interface Seen extends Numbered {
  view: number;
}

export interface ViewChange {
  type: 'view-change';
  /** the view that shall begin */
  view: number;
  /** h: the sender's last stable checkpoint */
  stable: number;
  /** C: the checkpoints it has */
  checkpoints: readonly Numbered[];
  /** P: by sequence number the batch that prepared last */
  prepared: readonly Seen[];
  /** Q: by sequence number and digest the last view it pre-prepared in */
  prePrepared: readonly Seen[];
}

/** Vouches for the view-change message of another replica. */
export interface ViewChangeAck {
  type: 'view-change-ack';
  view: number;
  sender: number;
  digest: string;
}

export interface NewView {
  type: 'new-view';
  view: number;
  /** V: which view-change messages it rests on */
  changes: readonly { sender: number; digest: string }[];
  /** X: where the view begins, and what is proposed again; an empty digest is the null request */
  checkpoint: Numbered;
  chosen: readonly Numbered[];
}

/** A view-change message of another, which counts for as much as has been vouched for. */
export interface ViewChangeCopy {
  type: 'view-change-copy';
  sender: number;
  change: ViewChange;
}

/** Where a replica is, so that others send what it misses (§5.2). */
export interface Status {
  type: 'status';
  view: number;
  changing: boolean;
  executed: number;
  stable: number;
}

export interface FetchBatch {
  type: 'fetch-batch';
  digest: string;
}

export interface BatchReply {
  type: 'batch';
  batch: Batch;
}

export interface FetchState {
  type: 'fetch-state';
  sequence: number;
}

export interface StateReply {
  type: 'state';
  sequence: number;
  data: Uint8Array;
}

export type Message =
  | Request
  | PrePrepare
  | Agreement
  | Checkpoint
  | ViewChange
  | ViewChangeAck
  | NewView
  | ViewChangeCopy
  | Status
  | FetchBatch
  | BatchReply
  | FetchState
  | StateReply;

export type Input =
  | { kind: 'tick' }
  /** something has been held for a moment */
  | { kind: 'moment' }
  /** whoever sent it is known: each message is authenticated from one replica to another */
  | { kind: 'message'; from: number; message: Message }
  /** requests of clients, known to be theirs */
  | { kind: 'request'; requests: readonly Uint8Array[] }
  /** the state after the batch `sequence`, when the output asked for it */
  | { kind: 'checkpoint'; sequence: number; data: Uint8Array };

export interface Executed {
  sequence: number;
  digest: string;
  batch: Batch;
  /** it has prepared: it comes again when it commits, or is revoked before (§5.1.2) */
  tentative: boolean;
}

export interface Output {
  messages: { to: number; message: Message }[];
  /** the state to go on from, before `executed` is carried out */
  restored: { sequence: number; data: Uint8Array } | null;
  /** the batch that was carried out tentatively is taken back, before anything else */
  revoked: boolean;
  /** to be carried out, in this order; a batch that was carried out tentatively is settled */
  executed: Executed[];
  /** carry out `executed` up to these sequence numbers, and hand in the state after each */
  checkpoints: number[];
}
