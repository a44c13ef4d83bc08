/** Raft's core by hand: what a schedule meets too seldom, and what it must not do beside keeping its invariants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Input, Message, Output } from '../../src/quorum/raft/messages.js';
import { type RaftState, start } from '../../src/quorum/raft/state.js';
import { step } from '../../src/quorum/raft/step.js';

const ELECTION_TICKS = 10;

function member(id: number, members: number, preVote = false): RaftState {
  return start({
    id,
    members,
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: 3,
    preVote,
    mostBytes: 1000,
    mostInFlight: 100,
    chunkBytes: 100,
    digest: () => '',
    votes: true,
    random: () => 0,
  });
}

/** Steps, with a disk that is done at once. */
function settled(state: RaftState, input: Input): Output[] {
  const first = step(state, input);
  return first.write ? [first, step(state, { kind: 'synced', number: first.write.number })] : [first];
}

/** Delivers everything between those members that `reach` each other, until nothing is under way. */
function deliver(
  all: readonly RaftState[],
  from: number,
  outputs: readonly Output[],
  reach: readonly number[],
): void {
  for (const { messages, afterSync } of outputs)
    for (const { to, message } of [...messages, ...afterSync])
      if (reach.includes(from) && reach.includes(to))
        deliver(all, to, settled(all[to]!, { kind: 'message', from, message }), reach);
}

function elect(all: readonly RaftState[], id: number, reach: readonly number[]): void {
  for (let tick = 0; tick < ELECTION_TICKS; tick++)
    deliver(all, id, settled(all[id]!, { kind: 'tick' }), reach);
}

const command = new TextEncoder().encode('a command');

test('a member on its own leads once its vote is on its disk, and commits what is', () => {
  const alone = member(0, 1);
  let last: Output | null = null;
  while (alone.role === 'follower') last = step(alone, { kind: 'tick' });
  assert.equal(alone.role, 'candidate');
  const { write } = step(alone, { kind: 'synced', number: last!.write!.number });
  assert.equal(alone.role, 'leader');
  assert.equal(alone.commit, 0);
  const { committed } = step(alone, { kind: 'synced', number: write!.number });
  assert.equal(committed.length, 1);
  assert.equal(step(alone, { kind: 'request', commands: [command] }).accepted?.index, 2);
});

for (const preVote of [false, true])
  test(`a leader that was replaced answers no read ${preVote ? 'with' : 'without'} pre-vote`, () => {
    const all = [0, 1, 2].map((id) => member(id, 3, preVote));
    elect(all, 0, [0, 1, 2]);
    deliver(all, 0, settled(all[0]!, { kind: 'tick' }), [0, 1, 2]);
    assert.equal(all[0]!.role, 'leader');
    // With pre-vote it has to miss the leader, too, before it lets another be elected.
    for (let tick = 0; preVote && tick < ELECTION_TICKS; tick++) step(all[2]!, { kind: 'tick' });
    elect(all, 1, [1, 2]);
    assert.equal(all[1]!.role, 'leader');
    deliver(all, 1, settled(all[1]!, { kind: 'request', commands: [command] }), [1, 2]);
    assert.equal(all[0]!.role, 'leader', 'the old one has heard of nothing');
    assert.deepEqual(step(all[0]!, { kind: 'read', ids: [7] }).readable, []);
    const read = step(all[1]!, { kind: 'read', ids: [8] });
    const seen: number[] = [];
    for (const { to, message } of read.messages.filter(({ to }) => to === 2))
      for (const reply of settled(all[to]!, { kind: 'message', from: 1, message }).flatMap(
        (o) => o.afterSync,
      ))
        seen.push(
          ...step(all[1]!, { kind: 'message', from: 2, message: reply.message }).readable.map(({ id }) => id),
        );
    assert.deepEqual(seen, [8]);
  });

test('a leader that hears of no majority leads no longer, and refuses the reads that wait', () => {
  const all = [0, 1, 2].map((id) => member(id, 3));
  elect(all, 0, [0, 1, 2]);
  assert.equal(all[0]!.role, 'leader');
  step(all[0]!, { kind: 'read', ids: [5] });
  const outputs: Output[] = [];
  for (let tick = 0; tick < 2 * ELECTION_TICKS; tick++) outputs.push(...settled(all[0]!, { kind: 'tick' }));
  assert.notEqual(all[0]!.role, 'leader');
  assert.deepEqual(
    outputs.flatMap(({ refused }) => refused),
    [5],
  );
  assert.equal(step(all[0]!, { kind: 'request', commands: [command] }).accepted, null);
});

test('with pre-vote a member that was cut off does not disturb the leader when it is back', () => {
  const terms = [false, true].map((preVote) => {
    const all = [0, 1, 2].map((id) => member(id, 3, preVote));
    elect(all, 0, [0, 1, 2]);
    for (let round = 0; round < 3; round++) elect(all, 2, []);
    for (let tick = 0; tick < 3; tick++) deliver(all, 0, settled(all[0]!, { kind: 'tick' }), [0, 1]);
    elect(all, 2, [0, 1, 2]);
    return all[0]!.term;
  });
  assert.ok(terms[0]! > 1, 'without it another term begins');
  assert.equal(terms[1], 1);
});

test('the leader of figure 8 does not commit an older term by counting', () => {
  // What 0 wrote in term 2 reaches a majority while it leads in term 4: only an entry of term 4 commits it.
  const leader = start(member(0, 3).config, {
    term: 3,
    vote: null,
    snapshot: null,
    entries: [{ term: 2, command }],
  });
  while (leader.role !== 'candidate') settled(leader, { kind: 'tick' });
  const granted: Message = { type: 'vote-reply', term: 4, granted: true };
  settled(leader, { kind: 'message', from: 1, message: granted });
  assert.equal(leader.role, 'leader');
  const reply = (index: number): Message => ({
    type: 'append-reply',
    term: 4,
    round: 0,
    success: true,
    index,
    conflictIndex: 0,
    conflictTerm: 0,
    lost: false,
  });
  assert.deepEqual(step(leader, { kind: 'message', from: 1, message: reply(1) }).committed, []);
  const { committed, firstCommitted } = step(leader, { kind: 'message', from: 1, message: reply(2) });
  assert.equal(firstCommitted, 1);
  assert.deepEqual(
    committed.map(({ term }) => term),
    [2, 4],
  );
});

test('what a member has that lost its disk once counts for no commit, and its answers for no read', () => {
  const leader = start(member(0, 3).config);
  while (leader.role !== 'candidate') settled(leader, { kind: 'tick' });
  settled(leader, { kind: 'message', from: 1, message: { type: 'vote-reply', term: 1, granted: true } });
  settled(leader, { kind: 'read', ids: [7] });
  const from = (other: number, lost: boolean) => {
    const message: Message = {
      type: 'append-reply',
      ...{ term: 1, round: leader.round, success: true, index: 1, conflictIndex: 0, conflictTerm: 0, lost },
    };
    const { committed, readable } = step(leader, { kind: 'message', from: other, message });
    return [committed.length, readable.length];
  };
  assert.deepEqual(from(1, true), [0, 0]);
  assert.deepEqual(from(1, false), [0, 0], 'nor what it had said before and comes late');
  assert.deepEqual(from(2, false), [1, 1]);
});
