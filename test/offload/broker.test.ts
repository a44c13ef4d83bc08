/** Tasks through a real broker to real workers, and whoever means it no good: modules, providers and clients. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { mostOfTask, type TaskLimits } from '../../src/contract/offload.js';
import { Broker } from '../../src/offload/broker.js';
import { BrokerRefused, OffloadClient, stepsOf } from '../../src/offload/client.js';
import type { Entry } from '../../src/offload/core/dispatcher.js';
import { Journal } from '../../src/offload/journal.js';
import { modules } from '../gateways/hand-made-modules.js';
import { base64, brokerFor, folderFor, optionsOf, providerFor, Raw, text, uploads } from './running.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const done = (stdout: string) => ({
  state: 'done',
  exitCode: 0,
  stdout: base64(stdout),
  stderr: '',
  files: {},
});

describe('a broker with a provider of two workers', () => {
  const cleanups: (() => unknown)[] = [];
  const t = { after: (clean: () => unknown) => cleanups.unshift(clean) };
  let here: Awaited<ReturnType<typeof brokerFor>>;

  before(async () => {
    here = await brokerFor(t);
    await providerFor(t, here);
  });
  after(async () => {
    for (const clean of cleanups) await clean();
  });

  it('runs tasks at the same time, each with its own input, and says where the time went', async () => {
    const module = await here.client.upload(modules.prefixer);
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, at) => here.client.run({ module, stdin: base64(`task ${at}`) })),
    );
    for (const [at, answered] of all.entries()) {
      assert.deepEqual(answered.outcome, done(`wasm:task ${at}`));
      const { total, ...steps } = stepsOf(answered)!;
      const sum = Object.values(steps).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - total) < 0.05 * total, `${sum} of ${total}`);
    }
  });

  const outcomes: [keyof typeof modules, Partial<TaskLimits>, object | RegExp][] = [
    ['silent', {}, done('')],
    ['exit3', {}, { ...done(''), exitCode: 3 }],
    ['trap', {}, /it was ended: unreachable/],
    ['wild', {}, /it was ended: memory access out of bounds/],
    ['endless', { ms: 50 }, /longer than the 50 ms/],
    ['flood', { outputBytes: 100_000 }, /more than the 100000 bytes/],
    ['greedy', { memoryMiB: 1 }, { ...done(''), exitCode: 7 }],
    ['greedy', { memoryMiB: 200 }, done('fed')],
  ];
  for (const [name, limits, expected] of outcomes)
    it(`${name} with ${JSON.stringify(limits)} ends as it should, and the next task runs`, async () => {
      const module = await here.client.upload(modules[name]);
      const { outcome } = await here.client.run({ module, limits });
      if (expected instanceof RegExp)
        assert.match(outcome.state === 'failed' ? outcome.reason : '', expected);
      else assert.deepEqual(outcome, expected);
      const prefixer = await here.client.upload(modules.prefixer);
      assert.deepEqual(
        (await here.client.run({ module: prefixer, stdin: base64('x') })).outcome,
        done('wasm:x'),
      );
    });

  it('has the last words of a task that traps, within what it may write', async () => {
    const module = await here.client.upload(modules.panic);
    const { outcome } = await here.client.run({ module });
    assert.ok(outcome.state === 'failed');
    assert.match(outcome.reason, /unreachable/);
    assert.equal(text(outcome.stderr!), 'oh no');
    const cut = await here.client.run({ module, limits: { outputBytes: 4 } });
    assert.ok(cut.outcome.state === 'failed' && cut.outcome.stderr === undefined);
  });

  it('has what a task said that its time limit ended', async () => {
    const module = await here.client.upload(modules.stuck);
    const { outcome } = await here.client.run({ module, limits: { ms: 300 } });
    assert.ok(outcome.state === 'failed');
    assert.match(outcome.reason, /longer than the 300 ms/);
    assert.equal(text(outcome.stderr!), 'still at');
  });

  /** @returns status and words of a refusal */
  const refusal = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
      return 'not refused';
    } catch (error) {
      assert.ok(error instanceof BrokerRefused, `${error}`);
      return `${error.status} ${error.message}`;
    }
  };

  it('refuses what is no module, and what is not there', async () => {
    const run = async (bytes: Uint8Array) => here.client.run({ module: await here.client.upload(bytes) });
    assert.match(await refusal(run(Buffer.from('#!/bin/sh'))), /^422 .*no module of WebAssembly/);
    assert.match(await refusal(run(modules.stranger)), /^422 .*imports 'fd_write' of 'env'/);
    assert.match(await refusal(here.client.run({ module: '0'.repeat(64) })), /^409 .*upload it first/);
  });

  it('refuses tasks that are none', async () => {
    const module = await here.client.upload(modules.silent);
    for (const path of ['../../etc/passwd', '/etc/passwd', 'a\\..\\b'])
      assert.match(
        await refusal(here.client.run({ module, files: { [path]: module } })),
        /^400 .*no task: files/,
      );
    assert.match(await refusal(here.client.run({ module, shell: 'rm' } as never)), /^400 .*shell/);
    assert.match(
      await refusal(here.client.run({ module, limits: { memoryMiB: 1e6 } })),
      /^400 .*limits.memoryMiB/,
    );
    const bytes = mostOfTask.stdinBytes + 1000;
    assert.match(
      await refusal(here.client.run({ module, stdin: base64('x'.repeat(bytes)) })),
      /^400 .*stdin/,
    );
    assert.match(
      await refusal(here.client.run({ module, args: Array(256).fill('x'.repeat(100_000)) })),
      /^413 .*a task may have/,
    );
  });

  it('knows clients and providers by their words', async () => {
    const module = await here.client.upload(modules.silent);
    const as = (token: string) => new OffloadClient(here.at, token, { ms: 0 });
    const [stranger, provider] = [as('x'), as(here.broker.tokens.provider)];
    assert.match(await refusal(stranger.run({ module })), /^401 /);
    assert.match(await refusal(provider.run({ module })), /^403 .*for providers/);
    assert.match(await refusal(provider.upload(randomBytes(9))), /^405 /);
    stranger.close();
    provider.close();
  });

  it('takes files and gives back those that are asked for', async () => {
    const module = await here.client.upload(modules.prefixer);
    const input = await here.client.upload(Buffer.from('content'));
    const asked = { module, files: { 'in/a.txt': input }, outputs: ['in/a.txt', 'nothing'] };
    const { outcome } = await here.client.run(asked);
    assert.deepEqual(outcome.state === 'done' && outcome.files, { 'in/a.txt': base64('content') });
    assert.match(
      await here.client.run({ ...asked, limits: { outputBytes: 6 } }).then((a) => JSON.stringify(a.outcome)),
      /more than the 6 bytes/,
    );
  });
});

test('uploads keep to their bounds, announced or not, and are what they say', async (t) => {
  const { broker, at, client } = await brokerFor(t, { uploads: { one: 1 << 20, all: 3 << 20 } });
  const put = (announced: number | null, sent: number) =>
    uploads(at.port, broker.tokens.client, announced, sent);
  const large = await put(2 ** 31, 2 ** 31);
  assert.equal(large.status, 413);
  assert.ok(large.taken < 64 << 20, `${large.taken} bytes were taken`);
  assert.equal((await put(null, 2 ** 31)).status, 413);
  assert.equal((await put(65_536, 65_536)).status, 422);
  await client.upload(Buffer.alloc(1 << 20, 1));
  await client.upload(Buffer.alloc(1 << 20, 2));
  await client.upload(Buffer.alloc(900_000, 3));
  await assert.rejects(client.upload(Buffer.alloc(1 << 20, 4)), /keeps at most/);
  const module = await client.upload(modules.silent);
  await providerFor(t, { broker, at });
  assert.deepEqual((await client.run({ module })).outcome, done(''));
});

test('a full queue says so, and takes tasks again when there is room', async (t) => {
  const { broker, at, client } = await brokerFor(t, { queue: { tasks: 3, bytes: 1 << 20 } });
  const module = await client.upload(modules.silent);
  const hasty = new OffloadClient(at, broker.tokens.client, { ms: 0 });
  t.after(() => hasty.close());
  const waiting = [1, 2, 3].map(() => client.run({ module }));
  while ((await client.status()).queued < 3);
  await assert.rejects(hasty.run({ module }), /queue is full: 3 tasks wait/);
  const patient = client.run({ module });
  await providerFor(t, { broker, at });
  for (const one of [...waiting, patient]) assert.deepEqual((await one).outcome, done(''));
});

const hello = (token: string) => ({ type: 'hello', token, name: 'raw', workers: 1, ahead: 0 });
const turnedAway: [string, (token: string) => unknown, RegExp][] = [
  ['has another token', () => hello('x'.repeat(32)), /token is wrong/],
  [
    'says no hello first',
    () => ({ type: 'unable', assignment: 1, reason: '' }),
    /no hello|did not say hello/,
  ],
  ['speaks no JSON', () => 'hello', /not JSON/],
  ['speaks binary', () => Buffer.from([1, 2, 3]), /binary/],
  ['has a thousand workers', (token) => ({ ...hello(token), workers: 1000 }), /workers/],
  ['has a name with escapes', (token) => ({ ...hello(token), name: '\x1b[2J' }), /name/],
];
test('providers that are none are turned away with a reason, and the broker goes on', async (t) => {
  const { broker, at, client } = await brokerFor(t);
  for (const [what, message, reason] of turnedAway) {
    const raw = new Raw(at);
    await raw.open();
    raw.say(message(broker.tokens.provider));
    assert.match((await raw.hear('dismissed')).reason, reason, what);
    await raw.closed;
  }
  const module = await client.upload(modules.silent);
  await providerFor(t, { broker, at });
  assert.deepEqual((await client.run({ module })).outcome, done(''));
});

const spent = { inside: 1, instantiate: 0, run: 1 };
const lies: [string, (assignment: number, module: string) => unknown, RegExp | null][] = [
  [
    'names another module',
    (assignment) => ({ type: 'result', assignment, module: 'f'.repeat(64), outcome: done(''), spent }),
    /ran the module f/,
  ],
  [
    'has more output than the task may have',
    (assignment, module) => ({ type: 'result', assignment, module, outcome: done('x'.repeat(5000)), spent }),
    /5000 bytes where 4096/,
  ],
  [
    'has files that nobody asked for',
    (assignment, module) => ({
      type: 'result',
      assignment,
      module,
      outcome: { ...done(''), files: { '../x': '' } },
      spent,
    }),
    /nobody asked for/,
  ],
  ['answers what is none', (assignment) => ({ type: 'result', assignment }), /none of a provider/],
  ['sends a message without end', () => Buffer.alloc(20 << 20).toString('latin1'), null],
  ['says nothing', () => null, /silent/],
  ['is gone', () => undefined, null],
];
test('a task outlives providers that lie, flood, are silent or gone', async (t) => {
  const { broker, at, client } = await brokerFor(t, { graceMs: 100, attempts: 20 });
  const module = await client.upload(modules.prefixer);
  const answered = client.run({ module, stdin: base64('x'), limits: { ms: 100, outputBytes: 4096 } });
  for (const [what, message, reason] of lies) {
    const raw = await Raw.joined(at, broker.tokens.provider);
    const { assignment, task } = await raw.hear('run');
    const said = message(assignment, task.module);
    if (said === undefined) raw.socket.terminate();
    else if (said !== null) raw.say(said);
    if (reason) assert.match((await raw.hear('dismissed')).reason, reason, what);
    await raw.closed;
  }
  await providerFor(t, { broker, at });
  const { outcome, attempts } = await answered;
  assert.deepEqual(outcome, done('wasm:x'));
  assert.equal(attempts, lies.length + 1);
});

test('a wrong result of the right shape does not get through where tasks are verified, and is told', async (t) => {
  const said: string[] = [];
  const { broker, at, client } = await brokerFor(t, { verify: 100, say: (line) => void said.push(line) });
  const module = await client.upload(modules.prefixer);
  const liar = await Raw.joined(at, broker.tokens.provider);
  for (const name of ['one', 'two']) await providerFor(t, { broker, at }, { name });
  const answered = client.run({ module, stdin: base64('x') });
  const { assignment } = await liar.hear('run');
  liar.say({ type: 'result', assignment, module, outcome: done('wasm:y'), spent });
  const { outcome, compared, attempts } = await answered;
  assert.deepEqual(outcome, done('wasm:x'));
  assert.deepEqual([compared, attempts], [{ results: 3, agreeing: 2 }, 3]);
  assert.match(said.join(), /results of task \S+ differ: 3 providers, 2 alike \(one\), not raw/);
  const { counts } = await client.status();
  assert.deepEqual([counts.compared, counts.differing, counts.alone], [1, 1, 0]);
});

test('a provider that fetches other content than it asked for runs nothing of it', async (t) => {
  const { broker, at, client } = await brokerFor(t, { attempts: 2 });
  const module = await client.upload(modules.silent);
  writeFileSync(join(broker.options.folder, 'content', module), modules.prefixer);
  await providerFor(t, { broker, at });
  const { outcome } = await client.run({ module });
  assert.match(
    outcome.state === 'failed' ? outcome.reason : '',
    new RegExp(`given up after 2 providers: .*fetched as ${module} is ${sha256(modules.prefixer)}`),
  );
});

test('a broker that starts anew has its tasks and answers, and nobody else may have its folder', async (t) => {
  const folder = folderFor(t);
  const first = await Broker.open(optionsOf(folder));
  const at = { host: '127.0.0.1', port: first.port };
  const client = new OffloadClient(at, first.tokens.client, { ms: 20_000 });
  t.after(() => client.close());
  await assert.rejects(Broker.open(optionsOf(folder)), /is a broker on this folder/);
  const module = await client.upload(modules.prefixer);
  const answered = client.run({ module, id: 'task-one', stdin: base64('1') });
  while (first.openTasks === 0) await client.status();
  await first.close();
  const second = await Broker.open(optionsOf(folder, { port: at.port }));
  t.after(() => second.close());
  assert.equal(second.openTasks, 1);
  await providerFor(t, { broker: second, at });
  assert.deepEqual((await answered).outcome, done('wasm:1'));
  // Asked again with other input it is still the same task.
  const again = await client.run({ module, id: 'task-one', stdin: base64('2') });
  assert.equal(again.outcome.state === 'done' && text(again.outcome.stdout), 'wasm:1');
});

for (const durability of ['process', 'machine'] as const)
  test(`a journal that survives the ${durability} has whole lines, and forgets a torn last one`, async (t) => {
    const file = join(folderFor(t), 'journal.ndjson');
    const outcome = { state: 'failed' as const, reason: 'x'.repeat(900) };
    const entry = (id: number): Entry => ({
      answered: { id: `${id}`, outcome, attempts: 1, provider: null, steps: null, total: 1 },
    });
    const journal = new Journal(file, durability);
    const order: number[] = [];
    for (const id of [1, 2, 3]) journal.append(entry(id), () => order.push(id));
    await journal.written();
    assert.deepEqual(order, [1, 2, 3]);
    for (let id = 4; id < 20_000; id++) journal.append(entry(id));
    await journal.written();
    journal.compact(() => [entry(1), entry(2)]);
    journal.append(entry(3));
    journal.close();
    assert.deepEqual(
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [entry(1), entry(2), entry(3)],
    );
    appendFileSync(file, '{"answered":{"id":"4"');
    const again = new Journal(file, durability);
    assert.deepEqual(again.before, [entry(1), entry(2), entry(3)]);
    again.append(entry(5));
    again.close();
    const whole = new Journal(file, durability);
    assert.equal(whole.before.length, 4);
    whole.close();
    writeFileSync(file, `${JSON.stringify(entry(1))}\nnonsense\n${JSON.stringify(entry(2))}\n`);
    assert.throws(() => new Journal(file, durability), /line 2 of .* is damaged/);
  });
