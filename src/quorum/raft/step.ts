/**
 * Raft as one function: a member's state and an input give messages and effects. It has no clock and does no I/O, and all its
 * chance is `config.random`, so that the same inputs give the same outputs; the state is changed in place.
 *
 * Leader election with pre-vote or without, log replication, snapshots, reads without entries; membership is fixed. Rules
 * are those of Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014, by
 * section, and of Ongaro's thesis "Consensus: Bridging Theory and Practice", 2014, where it is named.
 */
import { campaign, countFollowers, isLed, onPreVote, onVote, onVoteReply, onVoteSynced } from './election.js';
import { onAppend, onInstall } from './following.js';
import type { Input, Message, Output, Write } from './messages.js';
import { advance, heartbeat, onAppendReply, onInstallReply, read, spread } from './replication.js';
import { append, follow, type RaftState, type Step } from './state.js';

export function step(state: RaftState, input: Input): Output {
  const made: Step = {
    write: null,
    messages: [],
    afterSync: [],
    restored: null,
    committed: [],
    firstCommitted: 0,
    accepted: null,
    readable: [],
    refused: [],
    voted: false,
    snapshotted: false,
    appendedFrom: Number.POSITIVE_INFINITY,
  };
  carryOut(state, made, input);
  made.write = writeOf(state, made);
  made.firstCommitted = state.handedOut + 1;
  while (state.handedOut < state.commit) made.committed.push(state.log.at(++state.handedOut)!);
  return made;
}

function carryOut(state: RaftState, made: Step, input: Input): void {
  switch (input.kind) {
    case 'tick':
      tick(state, made);
      return;
    case 'message':
      receive(state, made, input.from, input.message);
      return;
    case 'request':
      if (state.role !== 'leader') return;
      made.accepted = { index: state.log.lastIndex + 1, term: state.term };
      for (const command of input.commands) append(state, made, { term: state.term, command });
      spread(state, made);
      return;
    case 'read':
      read(state, made, input.ids);
      return;
    case 'synced':
      while (state.unsynced.length > 0 && state.unsynced[0]!.number <= input.number)
        state.durable = Math.max(state.durable, state.unsynced.shift()!.last);
      if (state.role === 'leader') advance(state);
      onVoteSynced(state, made, input.number);
      return;
    case 'compact':
      compact(state, made, input);
      return;
  }
}

function tick(state: RaftState, made: Step): void {
  const { electionTicks, heartbeatTicks } = state.config;
  state.elapsed++;
  if (state.role !== 'leader') {
    if (state.elapsed >= state.timeout && state.config.votes) campaign(state, made);
    return;
  }
  if (state.elapsed % heartbeatTicks === 0) heartbeat(state, made);
  if (state.elapsed >= electionTicks) countFollowers(state, made);
}

function receive(state: RaftState, made: Step, from: number, message: Message): void {
  if (message.type === 'pre-vote') {
    onPreVote(state, made, from, message);
    return;
  }
  if (message.type === 'pre-vote-reply') {
    onVoteReply(state, made, from, message);
    return;
  }
  if (message.type === 'vote' && isLed(state)) return;
  if (message.term > state.term) follow(state, made, message.term, null); // §5.1
  switch (message.type) {
    case 'vote':
      onVote(state, made, from, message);
      return;
    case 'vote-reply':
      onVoteReply(state, made, from, message);
      return;
    case 'append':
      onAppend(state, made, from, message);
      return;
    case 'append-reply':
      onAppendReply(state, made, from, message);
      return;
    case 'install':
      onInstall(state, made, from, message);
      return;
    case 'install-reply':
      onInstallReply(state, made, from, message);
      return;
  }
}

function compact(
  state: RaftState,
  made: Step,
  { index, data, digest }: Extract<Input, { kind: 'compact' }>,
): void {
  if (index <= state.log.base || index > state.handedOut) return;
  const term = state.log.termAt(index)!;
  state.snapshot = { index, term, data, digest };
  state.log.compact(index, term);
  made.snapshotted = true;
}

function writeOf(state: RaftState, made: Step): Write | null {
  const from = Number.isFinite(made.appendedFrom) ? made.appendedFrom : null;
  if (!made.voted && !made.snapshotted && from === null) return null;
  const number = ++state.writes;
  const { term, vote, log } = state;
  state.unsynced.push({ number, last: from === null ? 0 : log.lastIndex });
  const entries = from === null ? [] : log.from(from, Number.POSITIVE_INFINITY);
  return { number, term, vote, snapshot: made.snapshotted ? state.snapshot : null, from, entries };
}
