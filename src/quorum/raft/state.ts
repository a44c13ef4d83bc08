/** The state of a member (figure 2 of the extended paper), and the changes of role that are common to all rules. */
import { type Entry, Log, type Snapshot } from './log.js';
import type { Message, Output } from './messages.js';

export interface RaftConfig {
  /** this member; all are 0 .. members - 1, for good */
  id: number;
  members: number;
  /** ticks without a leader after which an election begins at the earliest; it does so before twice as many (§5.2) */
  electionTicks: number;
  heartbeatTicks: number;
  /**
   * Asks before a term begins (thesis, §9.6), and lets nobody be elected while a leader is heard of (thesis, §4.2.3). Without it
   * the rules are those of figure 2 alone.
   */
  preVote: boolean;
  /** bytes of entries in one message; one entry may be longer */
  mostBytes: number;
  /** entries on their way to one follower */
  mostInFlight: number;
  /** bytes of a snapshot in one message */
  chunkBytes: number;
  /** of a snapshot's chunks; resists collisions */
  digest(chunks: readonly Uint8Array[]): string;
  /**
   * false: this member lost what was on its disk, and with it which term it had promised to keep to. It takes entries and tells what
   * it has, and counts for nothing again, neither votes nor commits nor who leads: it might count in an older term against the
   * leader whom it helped to elect.
   */
  votes: boolean;
  /** uniform in [0, 1) */
  random: () => number;
}

/** What a leader knows of a follower. */
export interface Follower {
  next: number;
  match: number;
  /** where the logs part is still being looked for: one message at a time, until one succeeds */
  probing: boolean;
  /** was heard of since the leader last counted */
  active: boolean;
  /** the newest confirmation of leadership it answered */
  round: number;
  /** its disk was lost once: it counts for nothing */
  lost: boolean;
  /** the snapshot it is being sent, and the bytes it has of it */
  install: { index: number; offset: number } | null;
}

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

export interface RaftState {
  readonly config: RaftConfig;
  // Durable.
  term: number;
  vote: number | null;
  readonly log: Log;
  snapshot: Snapshot | null;
  // Volatile.
  role: Role;
  leader: number | null;
  commit: number;
  /** entries up to here were handed out to be applied */
  handedOut: number;
  /** ticks since a leader was heard of or a vote given; of a leader, since it last counted its followers */
  elapsed: number;
  timeout: number;
  votes: Set<number>;
  /** of a candidate: the write after which its vote for itself is durable, and counts */
  voteWrite: number;
  /** entries up to here survive a crash of this member */
  durable: number;
  /** writes that may not be durable yet, with the last index that each makes durable */
  unsynced: { number: number; last: number }[];
  writes: number;
  followers: Follower[];
  /** index of the entry with which this leader began */
  beginning: number;
  round: number;
  reads: { id: number; index: number; round: number }[];
  incoming: { index: number; term: number; parts: Uint8Array[]; length: number } | null;
}

/** What a member finds on its disk. */
export interface Durable {
  term: number;
  vote: number | null;
  snapshot: Snapshot | null;
  /** the first follows the snapshot */
  entries: readonly Entry[];
}

export const nothingDurable: Durable = { term: 0, vote: null, snapshot: null, entries: [] };

/** A member as it starts. Its state machine starts from `durable.snapshot`. */
export function start(config: RaftConfig, durable: Durable = nothingDurable): RaftState {
  const log = new Log();
  const { snapshot } = durable;
  if (snapshot) log.compact(snapshot.index, snapshot.term);
  for (const entry of durable.entries) log.append(entry);
  const state: RaftState = {
    config,
    term: durable.term,
    vote: durable.vote,
    log,
    snapshot,
    role: 'follower',
    leader: null,
    commit: log.base,
    handedOut: log.base,
    elapsed: 0,
    timeout: 0,
    votes: new Set(),
    voteWrite: 0,
    durable: log.lastIndex,
    unsynced: [],
    writes: 0,
    followers: [],
    beginning: 0,
    round: 0,
    reads: [],
    incoming: null,
  };
  rewind(state);
  return state;
}

/** A step's output while it is made, and what of the durable state it has changed. */
export interface Step extends Output {
  /** term or vote are others */
  voted: boolean;
  /** there is another snapshot */
  snapshotted: boolean;
  /** lowest index that is new; Infinity: none */
  appendedFrom: number;
}

export const majority = ({ config }: RaftState): number => Math.floor(config.members / 2) + 1;

/** Starts the election timeout anew, with another length (§5.2). */
export function rewind(state: RaftState): void {
  const { electionTicks, random } = state.config;
  state.elapsed = 0;
  state.timeout = electionTicks + Math.floor(random() * electionTicks);
}

/** Begins another term or goes on in this one, following `leader` if it is known (§5.1). */
export function follow(state: RaftState, step: Step, term: number, leader: number | null): void {
  if (term > state.term) {
    state.term = term;
    state.vote = null;
    step.voted = true;
  }
  if (state.role !== 'follower') {
    state.role = 'follower';
    rewind(state);
  }
  state.leader = leader;
  state.followers = [];
  for (const { id } of state.reads) step.refused.push(id);
  state.reads = [];
}

/** A leader was heard of: no election for now (§5.2). */
export function heardOf(state: RaftState, step: Step, leader: number): void {
  if (state.role !== 'follower' || state.leader !== leader) follow(state, step, state.term, leader);
  rewind(state);
}

export function others({ config }: RaftState): number[] {
  return Array.from({ length: config.members }, (_, member) => member).filter((id) => id !== config.id);
}

/** Sends what rests on this member's disk. */
export function answer(step: Step, to: number, message: Message): void {
  step.afterSync.push({ to, message });
}

export function append(state: RaftState, step: Step, entry: Entry): void {
  state.log.append(entry);
  step.appendedFrom = Math.min(step.appendedFrom, state.log.lastIndex);
}
