/** What is carried out before it has committed, by hand: it is taken back whole, and a client believes it of enough alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Machine } from '../../src/quorum/machine.js';
import { type Heard, Replies } from '../../src/quorum/pbft/replies.js';

const put = (client: number, sequence: number, key: string, value: string) =>
  ({ client, sequence, operation: { kind: 'put', key, value } }) as const;

test('a machine that takes back is as it was', () => {
  const machine = new Machine();
  machine.apply(put(1, 1, 'a', 'old'));
  const before = machine.snapshot();
  machine.begin();
  for (const command of [put(1, 2, 'a', 'new'), put(1, 3, 'a', 'newer'), put(2, 1, 'b', 'first')])
    assert.equal(machine.apply(command), 'ok');
  assert.equal(machine.read('a'), 'newer');
  assert.deepEqual([machine.isTentative(1), machine.isDone(1, 2), machine.isDone(1, 1)], [true, false, true]);
  machine.takeBack();
  assert.deepEqual(machine.snapshot(), before);
  assert.deepEqual(
    [machine.isOpen, machine.isTentative(1), machine.replied(2, 1)],
    [false, false, undefined],
  );
  machine.begin();
  machine.apply(put(1, 2, 'a', 'again'));
  machine.settle();
  assert.deepEqual([machine.isDone(1, 2), machine.read('a')], [true, 'again']);
});

/** Of four replicas of which one may lie: what a client believes after these. */
function believed(...heard: [replica: number, view: number, tentative: boolean, reply?: string][]) {
  const replies = new Replies(4, 1);
  let last: string | null = null;
  for (const [replica, view, tentative, reply = 'ok'] of heard)
    last = replies.take(replica, { view, tentative, reply } satisfies Heard);
  return last;
}

test('of what has committed two are enough, of what has prepared three of one view', () => {
  const [tentative, settled] = [true, false];
  assert.equal(believed([0, 0, settled]), null);
  assert.equal(believed([0, 0, settled], [1, 3, settled]), 'ok');
  assert.equal(believed([0, 0, settled], [1, 0, settled, 'no']), null);
  assert.equal(believed([0, 0, tentative], [1, 0, tentative]), null);
  assert.equal(believed([0, 0, tentative], [1, 0, tentative], [1, 0, tentative]), null);
  assert.equal(believed([0, 0, tentative], [1, 0, tentative], [2, 0, tentative]), 'ok');
  assert.equal(believed([0, 0, tentative], [1, 0, tentative], [2, 1, tentative]), null);
  assert.equal(believed([0, 0, tentative], [1, 0, tentative], [2, 1, settled]), 'ok');
  assert.equal(believed([0, 0, tentative], [1, 1, tentative], [2, 0, settled], [1, 0, tentative]), 'ok');
});
