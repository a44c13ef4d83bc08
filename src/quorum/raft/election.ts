/** Leader election (§5.2, §5.4.1), with a question beforehand where that is asked for (thesis, §9.6). */
import type { Vote, VoteReply } from './messages.js';
import { heartbeat } from './replication.js';
import { answer, append, follow, majority, others, type RaftState, rewind, type Step } from './state.js';

const NO_COMMAND = new Uint8Array(0);

/** The election timeout has passed. */
export function campaign(state: RaftState, step: Step): void {
  state.leader = null;
  state.role = 'pre-candidate';
  state.votes = new Set([state.config.id]);
  rewind(state);
  if (state.config.preVote && state.votes.size < majority(state))
    ask(state, step, 'pre-vote', state.term + 1);
  else stand(state, step);
}

function stand(state: RaftState, step: Step): void {
  state.role = 'candidate';
  state.term++;
  state.vote = state.config.id;
  state.votes = new Set();
  state.voteWrite = state.writes + 1;
  step.voted = true;
  rewind(state);
  ask(state, step, 'vote', state.term);
}

/** The write of this number is durable. */
export function onVoteSynced(state: RaftState, step: Step, number: number): void {
  if (state.role === 'candidate' && number >= state.voteWrite) count(state, step, state.config.id);
}

/** A candidate has another vote. */
function count(state: RaftState, step: Step, voter: number): void {
  state.votes.add(voter);
  if (state.votes.size >= majority(state)) lead(state, step);
}

function ask(state: RaftState, step: Step, type: Vote['type'], term: number): void {
  const { lastIndex, lastTerm } = state.log;
  for (const to of others(state)) answer(step, to, { type, term, lastIndex, lastTerm });
}

function lead(state: RaftState, step: Step): void {
  const { config, log } = state;
  state.role = 'leader';
  state.leader = config.id;
  state.elapsed = 0;
  state.followers = Array.from({ length: config.members }, () => ({
    next: log.lastIndex + 1,
    match: 0,
    probing: true,
    active: true,
    lost: false,
    round: 0,
    install: null,
  }));
  state.round = 0;
  append(state, step, { term: state.term, command: NO_COMMAND });
  state.beginning = log.lastIndex;
  heartbeat(state, step);
}

/** The candidate's log is at least as complete as this one (§5.4.1). */
function isUpToDate({ log }: RaftState, { lastIndex, lastTerm }: Vote): boolean {
  return lastTerm > log.lastTerm || (lastTerm === log.lastTerm && lastIndex >= log.lastIndex);
}

/** A leader was heard of within the shortest election timeout, so nobody has to be elected (thesis, §4.2.3). */
export function isLed({ config, leader, role, elapsed }: RaftState): boolean {
  return config.preVote && leader !== null && (role === 'leader' || elapsed < config.electionTicks);
}

export function onPreVote(state: RaftState, step: Step, from: number, message: Vote): void {
  const granted =
    state.config.votes && message.term > state.term && isUpToDate(state, message) && !isLed(state);
  const term = granted ? message.term : state.term;
  answer(step, from, { type: 'pre-vote-reply', term, granted });
}

export function onVote(state: RaftState, step: Step, from: number, message: Vote): void {
  const free = state.config.votes && (state.vote === null || state.vote === from);
  const granted = message.term === state.term && free && isUpToDate(state, message);
  if (granted && state.vote === null) {
    state.vote = from;
    step.voted = true;
  }
  if (granted) rewind(state);
  answer(step, from, { type: 'vote-reply', term: state.term, granted });
}

export function onVoteReply(state: RaftState, step: Step, from: number, message: VoteReply): void {
  const pre = message.type === 'pre-vote-reply';
  if (!message.granted) {
    if (message.term > state.term) follow(state, step, message.term, null);
    return;
  }
  if (pre ? state.role !== 'pre-candidate' : state.role !== 'candidate') return;
  if (message.term !== state.term + (pre ? 1 : 0)) return;
  if (!pre) {
    count(state, step, from);
    return;
  }
  state.votes.add(from);
  if (state.votes.size >= majority(state)) stand(state, step);
}

/** A leader that has heard of no majority for an election timeout leads no longer (thesis, §6.2). */
export function countFollowers(state: RaftState, step: Step): void {
  const { followers, config } = state;
  const active = followers.filter((one, member) => member === config.id || one.active).length;
  if (active < majority(state)) {
    follow(state, step, state.term, null);
    return;
  }
  for (const follower of followers) follower.active = false;
  state.elapsed = 0;
}
