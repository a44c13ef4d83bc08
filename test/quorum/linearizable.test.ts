/** The checker of histories, on histories whose answer is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Called, checkHistory } from '../../src/quorum/linearizable.js';
import { type Operation, UNWRITTEN } from '../../src/quorum/machine.js';
import { randomFrom } from '../../src/statistics/random.js';

const NEVER = Number.POSITIVE_INFINITY;
const put = (value: string, called: number, returned: number, key = 'x'): Called => ({
  operation: { kind: 'put', key, value },
  called,
  returned,
  reply: 'ok',
});
const get = (reply: string, called: number, returned: number, key = 'x'): Called => ({
  operation: { kind: 'get', key },
  called,
  returned,
  reply,
});
const swap = (expected: string, value: string, reply: string, called: number, returned: number): Called => ({
  operation: { kind: 'swap', key: 'x', expected, value },
  called,
  returned,
  reply,
});

const good: Record<string, Called[]> = {
  'nothing at all': [],
  'one after the other': [put('1', 0, 1), get('1', 2, 3), put('2', 4, 5), get('2', 6, 7)],
  'a read of what was never written': [get(UNWRITTEN, 0, 1)],
  'reads beside a write see either': [put('1', 0, 10), get(UNWRITTEN, 1, 2), get('1', 3, 4)],
  'writes at the same time in any order': [
    put('1', 0, 10),
    put('2', 0, 10),
    get('1', 11, 12),
    get('1', 13, 14),
  ],
  'what never returned may have been carried out late': [
    put('1', 0, NEVER),
    get(UNWRITTEN, 5, 6),
    get('1', 7, 8),
  ],
  'or never': [put('1', 0, NEVER), get(UNWRITTEN, 5, 6), get(UNWRITTEN, 70, 80)],
  'what touches is under way together': [put('1', 0, 5), get(UNWRITTEN, 5, 6)],
  'a swap that finds what it expects': [put('1', 0, 1), swap('1', '2', 'ok', 2, 3), get('2', 4, 5)],
  'one of two swaps': [swap('', '1', 'ok', 0, 9), swap('', '2', 'no', 0, 9), get('1', 10, 11)],
  'a swap nobody heard of that failed': [put('1', 0, 1), swap('7', '8', '', 2, NEVER), get('1', 5, 6)],
  'keys apart from each other': [put('1', 0, 1, 'x'), get('', 2, 3, 'y'), get('1', 2, 3, 'x')],
};

const bad: Record<string, Called[]> = {
  'a stale read': [put('1', 0, 1), put('2', 2, 3), get('1', 4, 5)],
  'a lost write': [put('1', 0, 1), get(UNWRITTEN, 2, 3)],
  'a read of what nobody wrote': [put('1', 0, 1), get('3', 2, 3)],
  'a read from the future': [get('1', 0, 1), put('1', 2, 3)],
  'new and then old beside one write': [put('1', 0, 10), get('1', 1, 2), get(UNWRITTEN, 3, 4)],
  'two orders of two writes': [
    put('1', 0, 10),
    put('2', 0, 10),
    get('1', 1, 2),
    get('2', 3, 4),
    get('1', 5, 6),
  ],
  'two swaps of one value': [swap('', '1', 'ok', 0, 9), swap('', '2', 'ok', 0, 9)],
  'a swap that should have failed': [put('1', 0, 1), swap('2', '3', 'ok', 2, 3)],
  'what was seen of a lost call is undone': [put('1', 0, NEVER), get('1', 1, 2), get(UNWRITTEN, 3, 4)],
  'one key of two': [put('1', 0, 1, 'y'), put('1', 0, 1), get('', 2, 3)],
};

for (const [name, history] of Object.entries(good))
  test(`linearizable: ${name}`, () => {
    assert.deepEqual(checkHistory(history), { linearizable: true });
  });

for (const [name, history] of Object.entries(bad))
  test(`not linearizable: ${name}`, () => {
    const verdict = checkHistory(history);
    assert.equal(verdict.linearizable, false);
    assert.ok(!verdict.linearizable && verdict.key === 'x' && verdict.explained < verdict.history.length);
  });

/** What one machine says to operations by several callers, each with an instant within its call. */
function anyHistory(seed: string, callers: number, calls: number, lost: number): Called[] {
  const random = randomFrom(seed);
  let value = UNWRITTEN;
  const history: Called[] = [];
  const free = Array.from({ length: callers }, () => random());
  for (let i = 0; i < calls; i++) {
    const caller = free.indexOf(Math.min(...free));
    const called = free[caller]!;
    const which = random();
    const to = `${i % 7}`;
    const operation: Operation =
      which < 0.5
        ? { kind: 'get', key: 'x' }
        : which < 0.8
          ? { kind: 'put', key: 'x', value: to }
          : { kind: 'swap', key: 'x', expected: value, value: to };
    history.push({ operation, called, returned: called + 0.2 + random(), reply: '' });
    free[caller] = history.at(-1)!.returned + 0.01;
  }
  const instants = history.map((one) => ({ one, at: one.called + (one.returned - one.called) * random() }));
  for (const { one } of instants.sort((a, b) => a.at - b.at)) {
    const { operation } = one;
    const swaps = operation.kind === 'put' || (operation.kind === 'swap' && operation.expected === value);
    one.reply = operation.kind === 'get' ? value : swaps ? 'ok' : 'no';
    if (operation.kind !== 'get' && swaps) value = operation.value;
    if (random() < lost) Object.assign(one, { returned: NEVER, reply: '' });
  }
  return history;
}

/** All orders, tried one by one. */
function byHand(history: readonly Called[], value = UNWRITTEN): boolean {
  if (history.every(({ returned }) => returned === NEVER)) return true;
  const first = Math.min(...history.map(({ returned }) => returned));
  return history.some((one, i) => {
    if (one.called > first) return false;
    const rest = history.filter((_, other) => other !== i);
    const { operation, reply, returned } = one;
    const silent = returned === NEVER;
    if (operation.kind === 'get') return (silent || reply === value) && byHand(rest, value);
    const sets = operation.kind === 'put' || operation.expected === value;
    if (!silent && reply !== (sets ? 'ok' : 'no')) return false;
    return byHand(rest, sets ? operation.value : value);
  });
}

test('says of any small history what trying all orders says', () => {
  const random = randomFrom('changed replies');
  let wrong = 0;
  for (let i = 0; i < 300; i++) {
    const history = anyHistory(`small ${i}`, 3, 7, 0.1);
    if (random() < 0.7) {
      const gets = history.filter(({ operation }) => operation.kind === 'get');
      for (const one of gets.slice(0, 1)) one.reply = `${Math.floor(random() * 7)}`;
    }
    const expected = byHand(history);
    if (!expected) wrong++;
    assert.equal(checkHistory(history).linearizable, expected, `small ${i}`);
  }
  assert.ok(wrong > 30 && wrong < 270, `${wrong} of 300 are not linearizable`);
});

/** Thirty writes that never returned, and a write that is read and then is not. */
const lostWrites = (...more: Called[]) => [
  ...Array.from({ length: 30 }, (_, i) => put(`lost ${i}`, i / 100, NEVER)),
  put('1', 1, 2),
  get('1', 3, 4),
  get(UNWRITTEN, 5, 6),
  ...more,
];

test('lost writes that nobody noticed are not tried in all orders', () => {
  assert.equal(checkHistory(lostWrites(), 1000).linearizable, false);
});

test('says so where there are more orders than it looks into', () => {
  assert.throws(() => checkHistory(lostWrites(swap('2', '3', 'no', 7, 8)), 1000), {
    name: 'Undecided',
    message: /34 calls of key 'x' .* 1000 orders were looked into$/,
  });
});

test('checks a thousand calls of several callers', () => {
  const history = anyHistory('long', 6, 1000, 0);
  assert.deepEqual(checkHistory(history), { linearizable: true });
  const late = history.findLast(({ operation, returned }) => operation.kind === 'get' && returned !== NEVER)!;
  late.reply = 'what nobody wrote';
  assert.equal(checkHistory(history).linearizable, false);
});
