/** The follower's side of log replication (§5.3) and of snapshots (§7). */
import { joined } from '../frames.js';
import type { Append, Install } from './messages.js';
import { answer, append, heardOf, type RaftState, type Step } from './state.js';

export function onAppend(state: RaftState, step: Step, from: number, message: Append): void {
  const { log } = state;
  const { round, previousIndex } = message;
  const refuse = (conflictIndex: number, conflictTerm: number) =>
    answer(step, from, {
      type: 'append-reply',
      term: state.term,
      round,
      success: false,
      index: previousIndex,
      conflictIndex,
      conflictTerm,
      lost: !state.config.votes,
    });
  if (message.term < state.term) {
    refuse(0, 0);
    return;
  }
  heardOf(state, step, from);
  // What a snapshot stands for is committed, and so it is alike.
  if (previousIndex > log.base) {
    const term = log.termAt(previousIndex);
    if (term === undefined) {
      refuse(log.lastIndex + 1, 0);
      return;
    }
    if (term !== message.previousTerm) {
      refuse(log.firstOfTerm(previousIndex), term);
      return;
    }
  }
  for (const [i, entry] of message.entries.entries()) {
    const index = previousIndex + 1 + i;
    if (index <= log.base) continue;
    const term = log.termAt(index);
    if (term === entry.term) continue; // also of a message that comes late: what is there may be further on
    if (term !== undefined) {
      log.truncate(index);
      state.durable = Math.min(state.durable, index - 1);
      for (const write of state.unsynced) write.last = Math.min(write.last, index - 1);
    }
    append(state, step, entry);
  }
  const index = previousIndex + message.entries.length;
  state.commit = Math.max(state.commit, Math.min(message.commit, index));
  answer(step, from, {
    type: 'append-reply',
    term: state.term,
    round,
    success: true,
    index,
    conflictIndex: 0,
    conflictTerm: 0,
    lost: !state.config.votes,
  });
}

export function onInstall(state: RaftState, step: Step, from: number, message: Install): void {
  const { index, snapshotTerm: term, round, offset, data, digest } = message;
  const reply = (bytes: number, done: boolean) =>
    answer(step, from, {
      type: 'install-reply',
      term: state.term,
      round,
      index,
      offset: bytes,
      done,
      lost: !state.config.votes,
    });
  if (message.term < state.term) {
    reply(0, false);
    return;
  }
  heardOf(state, step, from);
  if (index <= state.commit) {
    reply(0, true);
    return;
  }
  if (state.incoming?.index !== index || state.incoming.term !== term)
    state.incoming = { index, term, parts: [], length: 0 };
  const { incoming } = state;
  if (offset !== incoming.length) {
    reply(incoming.length, false);
    return;
  }
  incoming.parts.push(data);
  incoming.length += data.length;
  if (!message.done) {
    reply(incoming.length, false);
    return;
  }
  state.incoming = null;
  if (state.config.digest(incoming.parts) !== digest) {
    reply(0, false);
    return;
  }
  state.snapshot = { index, term, data: joined(incoming.parts), digest };
  state.log.compact(index, term);
  state.durable = Math.min(state.durable, index);
  for (const write of state.unsynced) write.last = Math.min(write.last, index);
  state.commit = index;
  state.handedOut = index;
  step.restored = state.snapshot;
  step.snapshotted = true;
  step.appendedFrom = index + 1; // what the snapshot's entry is followed by is written again with it, or nothing is
  reply(incoming.length, true);
}
