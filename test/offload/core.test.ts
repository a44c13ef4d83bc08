/** The broker's rules without sockets: queue, schedulers, limits of modules, retries, and what no task may meet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type OffloadScheduler,
  type Task,
  taskPath,
  taskRequest,
  usualLimits,
} from '../../src/contract/offload.js';
import { Dispatcher, type Effect, type Settings } from '../../src/offload/core/dispatcher.js';
import { Unusable, withMemoryLimit } from '../../src/offload/core/module.js';
import { Queue } from '../../src/offload/core/queue.js';
import { type Candidate, schedulers } from '../../src/offload/core/schedulers.js';
import { section, wasm } from '../gateways/wasm-bytes.js';
import { simulate } from './simulation.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

const settings: Settings = {
  scheduler: 'any-free',
  queue: { tasks: 4, bytes: 10_000 },
  attempts: 3,
  backoff: { first: 10, most: 1000 },
  graceMs: 1000,
  kept: { tasks: 3, bytes: 10_000 },
  verify: 0,
};

const task = (id: string, more: Partial<Task> = {}): Task => ({
  id,
  module: A,
  args: [],
  env: {},
  stdin: '',
  files: {},
  outputs: [],
  limits: usualLimits,
  ...more,
});

const worker = { name: 'p', workers: 1, ahead: 0 };
const done = (stdout = '') => ({ state: 'done' as const, exitCode: 0, stdout, stderr: '', files: {} });
const spent = { inside: 1, instantiate: 0, run: 1 };

const assigned = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.do === 'assign' ? [effect] : []));
const answers = (effects: readonly Effect[]) =>
  effects.flatMap((effect) =>
    effect.do === 'record' && 'answered' in effect.entry ? [effect.entry.answered] : [],
  );
const dismissed = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.do === 'dismiss' ? [effect.reason] : []));

test('a queue is first in, first out, and what comes back goes before all others once its time has come', () => {
  const queue = new Queue<string>({ tasks: 3, bytes: 100 });
  const next = (now: number) => {
    const one = queue.peek(now);
    queue.take();
    return one;
  };
  assert.equal(queue.put('a', 10), null);
  assert.equal(queue.put('b', 10), null);
  assert.match(queue.put('c', 81)!, /more than 100 bytes/);
  assert.equal(queue.put('c', 80), null);
  assert.match(queue.put('d', 0)!, /3 tasks wait/);
  assert.equal(next(0), 'a');
  queue.putBack('y', 5, 20);
  queue.putBack('x', 5, 10);
  assert.deepEqual([queue.length, queue.bytes], [4, 100]);
  assert.deepEqual([next(0), next(10), next(20), next(20), next(20)], ['b', 'x', 'y', 'c', null]);
  assert.deepEqual([queue.length, queue.bytes], [0, 0]);
});

test('a long queue keeps its order', () => {
  const queue = new Queue<number>({ tasks: 10_000, bytes: 1e9 });
  const out: number[] = [];
  for (let one = 0; one < 5000; one++) queue.put(one, 1);
  for (let one = queue.peek(0); one !== null; one = queue.peek(0)) {
    out.push(one);
    queue.take();
  }
  assert.deepEqual(
    out,
    Array.from({ length: 5000 }, (_, one) => one),
  );
});

const candidate = (id: number, more: Partial<Candidate> = {}): Candidate => ({
  id,
  workers: 2,
  assigned: 0,
  holds: new Set(),
  last: 0,
  ...more,
});

const choices: [OffloadScheduler, Candidate[], number[]][] = [
  ['first-match', [candidate(1), candidate(2, { holds: new Set([A]) }), candidate(3)], [2, 2]],
  ['first-match', [candidate(1), candidate(2)], [1, 1]],
  ['any-free', [candidate(1, { assigned: 1 }), candidate(2, { last: 9 }), candidate(3, { last: 4 })], [3]],
  ['any-free', [candidate(1, { assigned: 1 }), candidate(2, { assigned: 1, workers: 4 })], [2]],
  ['round-robin', [candidate(1), candidate(4), candidate(7)], [1, 4, 7, 1]],
];
for (const [name, candidates, expected] of choices)
  test(`${name} of ${candidates.length} chooses ${expected}`, () => {
    const choose = schedulers[name]();
    assert.deepEqual(
      expected.map(() => choose(candidates, A).id),
      expected,
    );
  });

test('round robin goes on behind a provider that is gone', () => {
  const choose = schedulers['round-robin']();
  assert.equal(choose([candidate(1), candidate(2), candidate(3)], A).id, 1);
  assert.equal(choose([candidate(1), candidate(3)], A).id, 3);
  assert.equal(choose([candidate(1), candidate(3)], A).id, 1);
});

test('idle workers come before places at busy ones', () => {
  const broker = new Dispatcher({ ...settings, scheduler: 'first-match' });
  broker.join({ name: 'p', workers: 1, ahead: 1 }, 0);
  broker.join({ name: 'q', workers: 1, ahead: 0 }, 0);
  const given = ['t1', 't2', 't3', 't4'].flatMap((id) => assigned(broker.submit(task(id), 0).effects));
  assert.deepEqual(
    given.map(({ provider, task: { id } }) => [id, provider]),
    [
      ['t1', 1],
      ['t2', 2],
      ['t3', 1],
    ],
  );
  assert.equal(broker.queued, 1);
});

test('the queue pushes back, and lets in again when there is room', () => {
  const broker = new Dispatcher(settings);
  for (const id of ['1', '2', '3', '4']) assert.equal(broker.submit(task(id), 0).refused, null);
  assert.match(broker.submit(task('5'), 0).refused!, /queue is full/);
  assert.equal(broker.stateOf('5'), null);
  broker.join(worker, 0);
  assert.equal(broker.submit(task('5'), 0).refused, null);
});

test('a task that is asked for twice runs once, and its answer is given again', () => {
  const broker = new Dispatcher(settings);
  const [id] = broker.join(worker, 0);
  const [first] = assigned(broker.submit(task('one'), 5).effects);
  assert.deepEqual(broker.submit(task('one'), 6), { refused: null, effects: [] });
  const result = { assignment: first!.assignment, module: A, outcome: done('aGk='), spent };
  const [answer] = answers(broker.result(id, result, 20));
  assert.deepEqual(answer?.steps, { queue: 0, away: 15, spent });
  assert.deepEqual(broker.stateOf('one'), answer);
  assert.deepEqual(broker.submit(task('one'), 30).effects, []);
  assert.deepEqual(broker.result(id, result, 31), []);
  assert.equal(broker.counts.late, 1);
});

test('a task whose providers vanish comes back later each time, until it is given up', () => {
  const broker = new Dispatcher(settings);
  let [id] = broker.join(worker, 0);
  broker.submit(task('one'), 0);
  for (const wait of [10, 20]) {
    assert.deepEqual(answers(broker.leave(id, 100)), []);
    const [next, early] = broker.join(worker, 100);
    assert.deepEqual(assigned(early), []);
    assert.deepEqual(assigned(broker.tick(100 + wait - 1)), []);
    assert.equal(assigned(broker.tick(100 + wait)).length, 1);
    id = next;
  }
  const [answer] = answers(broker.leave(id, 200));
  assert.equal(answer?.attempts, 3);
  assert.match(
    answer?.outcome.state === 'failed' ? answer.outcome.reason : '',
    /after 3 providers: p vanished/,
  );
  assert.equal(broker.openTasks, 0);
});

const lies: [string, Parameters<Dispatcher['result']>[1], RegExp][] = [
  ['another module', { assignment: 1, module: B, outcome: done(), spent }, /ran the module b/],
  [
    'more output than allowed',
    { assignment: 1, module: A, outcome: done('A'.repeat(200)), spent },
    /150 bytes where 100/,
  ],
  [
    'files that nobody asked for',
    { assignment: 1, module: A, outcome: { ...done(), files: { x: '' } }, spent },
    /nobody asked for/,
  ],
];
for (const [what, result, reason] of lies)
  test(`a provider that has ${what} is dismissed, and its tasks go to others`, () => {
    const broker = new Dispatcher(settings);
    const [liar] = broker.join({ ...worker, workers: 2 }, 0);
    broker.submit(task('one', { limits: { ...usualLimits, outputBytes: 100 } }), 0);
    broker.submit(task('two'), 0);
    const effects = broker.result(liar, result, 1);
    assert.match(dismissed(effects)[0]!, reason);
    assert.deepEqual(answers(effects), []);
    const [, handed] = broker.join({ ...worker, workers: 2 }, 50);
    assert.deepEqual(
      assigned(handed)
        .map(({ task: { id } }) => id)
        .sort(),
      ['one', 'two'],
    );
  });

test('a provider that is silent, or can run nothing, is dismissed', () => {
  const broker = new Dispatcher(settings);
  broker.join(worker, 0);
  broker.submit(task('one', { limits: { ...usualLimits, ms: 500 } }), 0);
  assert.deepEqual(dismissed(broker.tick(1500)), []);
  assert.match(dismissed(broker.tick(1501))[0]!, /silent/);
  const [useless] = broker.join({ ...worker, workers: 3 }, 5000);
  broker.submit(task('two'), 5000);
  broker.submit(task('three'), 5000);
  assert.deepEqual(dismissed(broker.unable(useless, 2, 'no', 5000)), []);
  assert.deepEqual(dismissed(broker.unable(useless, 3, 'no', 5000)), []);
  assert.match(
    dismissed(broker.unable(useless, 4, 'no', 5000))[0]!,
    /3 tasks in a row, the last because: no/,
  );
  assert.equal(broker.openTasks, 3);
});

/** Providers as they come; what each says when it is asked, until the task has an answer. */
function verified(says: readonly string[], submitted = task('one')) {
  const broker = new Dispatcher({ ...settings, verify: 100, attempts: 9 });
  for (const at of says.keys()) broker.join({ ...worker, name: `p${at + 1}` }, 0);
  let effects = broker.submit(submitted, 0).effects;
  const order: number[] = [];
  for (let now = 10; answers(effects).length === 0; now += 10) {
    const [{ provider, assignment }] = assigned(effects) as [ReturnType<typeof assigned>[number]];
    order.push(provider);
    const outcome = done(says[provider - 1]!);
    effects = broker.result(provider, { assignment, module: A, outcome, spent }, now);
  }
  const told = effects.flatMap((effect) => (effect.do === 'tell' ? [effect.text] : []));
  return { answer: answers(effects)[0]!, order, told, counts: broker.counts };
}

const agreements: [
  says: string[],
  order: number[],
  answer: string,
  compared: object | undefined,
  told: RegExp | null,
][] = [
  [['YQ==', 'YQ=='], [1, 2], 'YQ==', { results: 2, agreeing: 2 }, null],
  [['Yg==', 'YQ==', 'YQ=='], [1, 2, 3], 'YQ==', { results: 3, agreeing: 2 }, /2 alike \(p2\), not p1$/],
  [['YQ==', 'Yg==', 'YQ=='], [1, 2, 3], 'YQ==', { results: 3, agreeing: 2 }, /2 alike \(p1\), not p2$/],
  [
    ['YQ==', 'Yg==', 'Yw=='],
    [1, 2, 3],
    'YQ==',
    { results: 3, agreeing: 1 },
    /1 alike \(p1\), not p2 and p3$/,
  ],
  [['YQ==', 'Yg=='], [1, 2], 'YQ==', { results: 2, agreeing: 1 }, /1 alike \(p1\), not p2$/],
  [['YQ=='], [1], 'YQ==', undefined, null],
];
for (const [says, order, stdout, compared, told] of agreements)
  test(`a task that is verified, of which providers say ${says}, is run by ${order}`, () => {
    const ran = verified(says);
    assert.deepEqual(ran.order, order);
    assert.deepEqual(ran.answer.outcome, done(stdout));
    assert.deepEqual(ran.answer.compared, compared);
    if (told) assert.match(ran.told.join(), told);
    else assert.deepEqual(ran.told, []);
    const { queue, away } = ran.answer.steps!;
    assert.equal(queue + away, ran.answer.total);
    assert.deepEqual([ran.counts.compared, ran.counts.alone], compared ? [1, 0] : [0, 1]);
  });

test('a task that is verified does not hold up others, and goes on when its second provider vanishes', () => {
  const broker = new Dispatcher({ ...settings, verify: 100 });
  const [first] = broker.join(worker, 0);
  const [second] = broker.join({ ...worker, name: 'q' }, 0);
  const [one] = assigned(broker.submit(task('one'), 0).effects);
  const [two] = assigned(broker.submit(task('two'), 0).effects);
  assert.deepEqual([one!.provider, two!.provider], [first, second]);
  // The other one is busy: a third task is begun instead.
  broker.submit(task('three'), 0);
  const say = (by: number, assignment: number) =>
    broker.result(by, { assignment, module: A, outcome: done(), spent }, 1);
  const [three] = assigned(say(first, one!.assignment));
  assert.equal(three!.task.id, 'three');
  const [again] = assigned(say(second, two!.assignment));
  assert.deepEqual([again!.provider, again!.task.id], [second, 'one']);
  const told = (effects: readonly Effect[]) =>
    answers(effects).map(({ id, attempts, compared }) => [id, attempts, compared?.agreeing]);
  // Nobody else is left: what is known of a task is its answer, but for one that the other has not run.
  assert.deepEqual(told(broker.leave(second, 2)), [['one', 2, undefined]]);
  const effects = say(first, three!.assignment);
  assert.deepEqual(told(effects), [['three', 1, undefined]]);
  assert.deepEqual(told(say(first, assigned(effects)[0]!.assignment)), [['two', 2, 2]]);
  assert.deepEqual([broker.counts.alone, broker.counts.compared], [2, 1]);
});

test('providers have no more bytes of tasks at a time than may wait', () => {
  const broker = new Dispatcher({ ...settings, queue: { tasks: 9, bytes: 2000 } });
  const [id] = broker.join({ ...worker, workers: 9 }, 0);
  const large = (name: string) => broker.submit(task(name, { stdin: 'A'.repeat(700) }), 0).effects;
  const [first, second] = [large('1'), large('2')].map(assigned);
  assert.deepEqual([first!.length, second!.length, assigned(large('3')).length], [1, 1, 0]);
  const result = { assignment: first![0]!.assignment, module: A, outcome: done(), spent };
  assert.deepEqual(
    assigned(broker.result(id, result, 1)).map(({ task: { id: name } }) => name),
    ['3'],
  );
});

test('a broker that starts anew has what was written down, and forgets the oldest answers', () => {
  const broker = new Dispatcher(settings);
  const [id] = broker.join(worker, 0);
  const written = [];
  for (const name of ['1', '2', '3', '4', '5']) {
    const effects = broker.submit(task(name), 0).effects;
    const given = assigned(effects)[0]!;
    effects.push(
      ...broker.result(id, { assignment: given.assignment, module: A, outcome: done(), spent }, 1),
    );
    written.push(...effects.flatMap((effect) => (effect.do === 'record' ? [effect.entry] : [])));
  }
  written.push(...broker.submit(task('6'), 0).effects.flatMap((e) => (e.do === 'record' ? [e.entry] : [])));
  const again = new Dispatcher(settings, written);
  assert.deepEqual(
    ['1', '2', '3', '4', '5', '6'].map((one) => again.stateOf(one) && 'known'),
    [null, null, 'known', 'known', 'known', 'known'],
  );
  assert.equal(again.stateOf('6'), 'open');
  assert.deepEqual([...new Dispatcher(settings, again.entries()).entries()], [...again.entries()]);
  assert.deepEqual(
    assigned(again.join(worker, 0)[1]).map(({ task: { id: name } }) => name),
    ['6'],
  );
});

test('by seeds: providers vanish, lie and fall silent, the broker starts anew, and each task has one answer', () => {
  let [vanished, restarts, answered] = [0, 0, 0];
  for (let seed = 0; seed < 300; seed++) {
    const outcome = simulate(seed);
    vanished += outcome.vanished;
    restarts += outcome.restarts;
    answered += outcome.answered;
  }
  assert.ok(vanished > 1000 && restarts > 300 && answered > 10_000, `${vanished} ${restarts} ${answered}`);
});

for (const path of [
  '../x',
  '/x',
  'a/../b',
  'a//b',
  './a',
  'a\\b',
  'a\0b',
  '',
  'x/'.repeat(9),
  'a'.repeat(256),
])
  test(`a file of a task is not called ${JSON.stringify(path.slice(0, 20))}`, () => {
    assert.equal(taskPath.safeParse(path).success, false);
    assert.equal(taskRequest.safeParse({ module: A, files: { [path]: B } }).success, false);
  });

test('a file of a task may lie in folders', () => {
  assert.equal(taskPath.parse('in/cities.csv'), 'in/cities.csv');
});

test('a module gets a limit of its memory, in whatever it had before', () => {
  const limited = new WebAssembly.Module(withMemoryLimit(wasm([], { pages: 2 }), 5));
  const nothing = () => 0;
  const wasi = { fd_write: nothing, poll_oneoff: nothing, proc_exit: nothing, fd_read: nothing };
  const { exports } = new WebAssembly.Instance(limited, { wasi_snapshot_preview1: wasi });
  const memory = exports.memory as WebAssembly.Memory;
  assert.equal(memory.grow(3), 2);
  assert.throws(() => memory.grow(1), RangeError);
});

const useless: [string, Uint8Array, RegExp][] = [
  ['text', Buffer.from('hello'), /no module of WebAssembly/],
  ['a component', Buffer.from([0, 0x61, 0x73, 0x6d, 13, 0, 1, 0]), /a component/],
  ['cut off', wasm([]).subarray(0, 40), /ends in the middle/],
  ['nothing in it', Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), /no memory, or exports nothing/],
  ['another import', wasm([], { from: 'env' }), /imports 'fd_write' of 'env'/],
  ['another start', wasm([], { start: 'main' }), /no function '_start'/],
  ['too much memory', wasm([], { pages: 17 }), /begins with 1.0625 MiB of memory, where 1 are/],
  [
    'a section without end',
    Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(2, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])]),
    /more than 32 bits/,
  ],
];
for (const [what, bytes, reason] of useless)
  test(`no module of a task: ${what}`, () => {
    assert.throws(
      () => withMemoryLimit(bytes, 16),
      (error) => error instanceof Unusable && reason.test(error.message),
    );
  });
