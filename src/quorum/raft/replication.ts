/** The leader's side of log replication (§5.3), of commitment (§5.4.2), of snapshots (§7) and of reads (§8). */
import type { AppendReply, InstallReply } from './messages.js';
import { type Follower, majority, others, type RaftState, type Step } from './state.js';

/** Sends what the follower misses, and in any case a heartbeat. */
export function replicate(state: RaftState, step: Step, to: number): void {
  const { log, term, commit, round, config } = state;
  const follower = state.followers[to]!;
  if (follower.next <= log.base) {
    sendSnapshot(state, step, to);
    return;
  }
  const room = follower.probing || follower.next - follower.match - 1 < config.mostInFlight;
  const entries = room ? log.from(follower.next, config.mostBytes) : [];
  const previousIndex = follower.next - 1;
  const previousTerm = log.termAt(previousIndex)!;
  step.messages.push({
    to,
    message: { type: 'append', term, previousIndex, previousTerm, entries, commit, round },
  });
  if (!follower.probing) follower.next += entries.length;
}

function sendSnapshot(state: RaftState, step: Step, to: number): void {
  const { term, round, config } = state;
  const { index, term: snapshotTerm, data, digest } = state.snapshot!;
  const follower = state.followers[to]!;
  if (follower.install?.index !== index) follower.install = { index, offset: 0 };
  const { offset } = follower.install;
  const end = Math.min(offset + config.chunkBytes, data.length);
  step.messages.push({
    to,
    message: {
      type: 'install',
      term,
      round,
      index,
      snapshotTerm,
      offset,
      data: data.subarray(offset, end),
      done: end === data.length,
      digest,
    },
  });
}

/** Sends new entries to everybody who does not have to answer something first. */
export function spread(state: RaftState, step: Step): void {
  for (const to of others(state)) {
    const { probing, next, match } = state.followers[to]!;
    const waits = probing || next <= state.log.base || next - match - 1 >= state.config.mostInFlight;
    if (!waits) replicate(state, step, to);
  }
}

export function heartbeat(state: RaftState, step: Step): void {
  for (const to of others(state)) replicate(state, step, to);
}

function heard(
  state: RaftState,
  step: Step,
  from: number,
  { round, lost }: AppendReply | InstallReply,
): Follower {
  const follower = state.followers[from]!;
  follower.lost ||= lost;
  follower.active = true;
  follower.round = Math.max(follower.round, round);
  release(state, step);
  return follower;
}

export function onAppendReply(state: RaftState, step: Step, from: number, reply: AppendReply): void {
  if (state.role !== 'leader' || reply.term !== state.term) return;
  const follower = heard(state, step, from, reply);
  const { log } = state;
  if (reply.success) {
    if (reply.index > follower.match) follower.match = reply.index;
    follower.next = follower.probing ? follower.match + 1 : Math.max(follower.next, follower.match + 1);
    follower.probing = false;
    advance(state);
    if (follower.next <= log.lastIndex) replicate(state, step, from);
    return;
  }
  if (reply.lost) follower.match = 0;
  // A refusal of something older than what is known to be there, or than the probe under way, says nothing.
  if (reply.index <= follower.match || (follower.probing && reply.index !== follower.next - 1)) return;
  // Beyond the last entry of the term that conflicts there, if this log has one (§5.3).
  const last = log.lastUpTo(reply.index, reply.conflictTerm);
  const hint = log.termAt(last) === reply.conflictTerm ? last + 1 : reply.conflictIndex;
  follower.probing = true;
  follower.next = Math.max(follower.match + 1, Math.min(hint, reply.index));
  replicate(state, step, from);
}

export function onInstallReply(state: RaftState, step: Step, from: number, reply: InstallReply): void {
  if (state.role !== 'leader' || reply.term !== state.term) return;
  const follower = heard(state, step, from, reply);
  if (reply.done) {
    if (reply.index > follower.match) follower.match = reply.index;
    follower.next = Math.max(follower.next, follower.match + 1);
    if (follower.install !== null && reply.index >= follower.install.index) follower.install = null;
    advance(state);
  } else if (follower.install?.index === reply.index && follower.install.offset !== reply.offset) {
    follower.install.offset = reply.offset;
  } else {
    return;
  }
  if (follower.next <= state.log.lastIndex) replicate(state, step, from);
}

/** Commits what a majority has on disk, if it is of this term: older entries only go along with it (§5.4.2). */
export function advance(state: RaftState): void {
  const { config, followers, durable, log } = state;
  const stored = followers.map(({ match, lost }, member) =>
    member === config.id ? durable : lost ? 0 : match,
  );
  const index = stored.sort((a, b) => b - a)[majority(state) - 1]!;
  if (index > state.commit && log.termAt(index) === state.term) state.commit = index;
}

/** Takes reads that need no entry: they wait until the leader knows that it still leads (§8). */
export function read(state: RaftState, step: Step, ids: readonly number[]): void {
  if (state.role !== 'leader') {
    step.refused.push(...ids);
    return;
  }
  // What was committed before this leader's term is known once its first entry is (§8).
  const index = Math.max(state.commit, state.beginning);
  const round = ++state.round;
  for (const id of ids) state.reads.push({ id, index, round });
  heartbeat(state, step);
  release(state, step);
}

/** Lets reads go for which a majority has confirmed since they came that nobody else leads (§8). */
function release(state: RaftState, step: Step): void {
  if (state.reads.length === 0) return;
  const { config, followers } = state;
  const rounds = followers.map(({ round, lost }, member) =>
    member === config.id ? state.round : lost ? 0 : round,
  );
  const confirmed = rounds.sort((a, b) => b - a)[majority(state) - 1]!;
  while (state.reads.length > 0 && state.reads[0]!.round <= confirmed) {
    const { id, index } = state.reads.shift()!;
    step.readable.push({ id, index });
  }
}
