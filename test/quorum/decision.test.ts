/** What a view of PBFT begins with, from view-change messages made by hand: 4 replicas of which one may lie. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../src/quorum/pbft/decision.js';
import type { Seen, ViewChange } from '../../src/quorum/pbft/messages.js';

const decided = (changes: ViewChange[]) => decide(changes, 3, 1, 8);
const nothing = { sequence: 0, digest: '' };

/** `prepared` and `prePrepared` as view and digest at sequence number 1 */
function change(
  prepared?: [number, string],
  prePrepared: [number, string][] = prepared ? [prepared] : [],
): ViewChange {
  const seen = ([view, digest]: [number, string]): Seen => ({ sequence: 1, digest, view });
  return {
    type: 'view-change',
    view: 5,
    stable: 0,
    checkpoints: [nothing],
    prepared: prepared ? [seen(prepared)] : [],
    prePrepared: prePrepared.map(seen),
  };
}

const chosen = (changes: ViewChange[]) => decided(changes)?.chosen.map(({ digest }) => digest);

test('where nothing prepared the view begins with nothing', () => {
  assert.deepEqual(decided([change(), change(), change()]), { checkpoint: nothing, chosen: [] });
});

test('what prepared anywhere in a quorum is proposed again', () => {
  assert.deepEqual(chosen([change([0, 'a']), change(undefined, [[0, 'a']]), change()]), ['a']);
});

test('of two that prepared the later view counts', () => {
  const changes = [
    change([1, 'old']),
    change([3, 'new']),
    change(undefined, [
      [3, 'new'],
      [1, 'old'],
    ]),
  ];
  assert.deepEqual(chosen(changes), ['new']);
  assert.deepEqual(chosen(changes.toReversed()), ['new']);
});

test('what only one says prepared is not believed', () => {
  const liar = change([4, 'invented']);
  assert.equal(decided([liar, change(), change()]), null, 'it takes one more message to know');
  assert.deepEqual(chosen([liar, change(), change(), change()]), ['']);
  assert.deepEqual(chosen([liar, change([1, 'a']), change([1, 'a']), change([1, 'a'])]), ['a']);
});

test('a hole below what prepared is filled with the null request', () => {
  const second: ViewChange = {
    ...change(),
    prepared: [{ sequence: 2, digest: 'b', view: 1 }],
    prePrepared: [{ sequence: 2, digest: 'b', view: 1 }],
  };
  assert.deepEqual(chosen([second, second, change()]), ['', 'b']);
});

test('the view begins at the newest checkpoint that one correct replica has and a quorum has reached', () => {
  const at4 = (digest: string): ViewChange => ({
    ...change(),
    checkpoints: [nothing, { sequence: 4, digest }],
  });
  assert.deepEqual(decided([at4('s'), at4('s'), change()])?.checkpoint, { sequence: 4, digest: 's' });
  assert.deepEqual(decided([at4('s'), at4('lie'), change()])?.checkpoint, nothing);
});

test('what was committed is never replaced, although its holder has forgotten it as stable', () => {
  // One is stable at 4 and knows nothing of 1 any more; the others do not make a quorum that could choose something else.
  const ahead: ViewChange = { ...change(), stable: 4, checkpoints: [{ sequence: 4, digest: 's' }] };
  assert.equal(decided([ahead, change([0, 'a']), change()]), null);
});
