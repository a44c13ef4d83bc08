/**
 * One seeded schedule of the broker's rules: clients that ask twice, providers that vanish, lie, fall silent or cannot run what
 * they get, and a broker that ends and starts anew from what it had written down. At last all is well.
 */
import assert from 'node:assert/strict';
import { type Answer, offloadSchedulers, type Task, usualLimits } from '../../src/contract/offload.js';
import { Dispatcher, type Effect, type Entry, type Settings } from '../../src/offload/core/dispatcher.js';
import { randomFrom } from '../../src/statistics/random.js';

const MODULE = 'a'.repeat(64);

export function simulate(seed: number): { vanished: number; restarts: number; answered: number } {
  const random = randomFrom(`offload ${seed}`);
  const below = (most: number) => Math.floor(random() * most);
  const settings: Settings = {
    scheduler: offloadSchedulers[below(offloadSchedulers.length)]!,
    queue: { tasks: 5 + below(20), bytes: 100_000 },
    attempts: 2 + below(6),
    backoff: { first: 10, most: 200 },
    graceMs: 100,
    kept: { tasks: 10_000, bytes: 10_000_000 },
    verify: below(3) * 50,
  };
  let now = 0;
  const disk: Entry[] = [];
  let broker = new Dispatcher(settings, [], now, random);
  /** what providers hold: assignments by provider, of the broker that lives; one that is wrong is so in a way of its own */
  let held = new Map<number, { workers: number; ahead: number; wrong: boolean; has: Map<number, Task> }>();
  const accepted = new Set<string>();
  const answered = new Map<string, Answer>();
  let [vanished, restarts] = [0, 0];

  function carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'record') {
        disk.push(effect.entry);
        if (!('answered' in effect.entry)) continue;
        const { id } = effect.entry.answered;
        assert.ok(accepted.has(id) && !answered.has(id), `${id} is answered once`);
        answered.set(id, effect.entry.answered);
        const { compared, outcome } = effect.entry.answered;
        assert.ok(!compared || settings.verify > 0);
        if (compared && compared.agreeing > 1)
          assert.ok(outcome.state === 'done' && outcome.stdout === '', 'what two came to is right');
      } else if (effect.do === 'tell') continue;
      else if (effect.do === 'dismiss') held.delete(effect.provider);
      else {
        const provider = held.get(effect.provider)!;
        provider.has.set(effect.assignment, effect.task);
        assert.ok(provider.has.size <= provider.workers + provider.ahead, 'more tasks than places');
        assert.ok(!answered.has(effect.task.id), 'an answered task is run again');
      }
    }
  }

  const submit = (id: string) => {
    const fresh = broker.stateOf(id) === null;
    const { refused, effects } = broker.submit(
      {
        id,
        module: MODULE,
        args: [],
        env: {},
        stdin: '',
        files: {},
        outputs: [],
        limits: { ...usualLimits, ms: 50 },
      },
      now,
    );
    if (refused === null) accepted.add(id);
    else assert.ok(!accepted.has(id));
    carryOut(effects);
    if (fresh && refused === null)
      assert.ok(broker.queued <= settings.queue.tasks, 'the queue keeps to its bounds');
  };
  const join = () => {
    const about = { name: `p${below(100)}`, workers: 1 + below(3), ahead: below(2) };
    // The broker hands out as it learns of a provider, so that it has to be known here before.
    const next = nextProvider++;
    held.set(next, { ...about, wrong: random() < 0.3, has: new Map() });
    const [given, effects] = broker.join(about, now);
    assert.equal(given, next);
    carryOut(effects);
  };
  let nextProvider = 1;
  const finish = (id: number, lie: boolean) => {
    const provider = held.get(id)!;
    const [assignment] = [...provider.has.keys()];
    if (assignment === undefined) return;
    provider.has.delete(assignment);
    const stdout = provider.wrong ? `${id}` : '';
    const outcome = { state: 'done' as const, exitCode: 0, stdout, stderr: '', files: {} };
    const module = lie ? 'b'.repeat(64) : MODULE;
    carryOut(
      broker.result(id, { assignment, module, outcome, spent: { inside: 1, instantiate: 0, run: 1 } }, now),
    );
  };
  const anyProvider = () => [...held.keys()][below(held.size)];
  const leave = (id: number) => {
    vanished += 1;
    held.delete(id);
    carryOut(broker.leave(id, now));
  };

  for (let step = 0; step < 400; step++) {
    now += below(20);
    const id = anyProvider();
    const what = random();
    if (what < 0.35) submit(`task-${step}`);
    else if (what < 0.4 && accepted.size > 0) submit([...accepted][below(accepted.size)]!);
    else if (what < 0.5 && held.size < 5) join();
    else if (what < 0.56 && id !== undefined) leave(id);
    else if (what < 0.575) {
      // Whoever was there comes back later, with nothing.
      broker = new Dispatcher(settings, [...disk], now, random);
      held = new Map();
      nextProvider = 1;
      restarts += 1;
    } else if (what < 0.6 && id !== undefined) {
      const [assignment] = [...held.get(id)!.has.keys()];
      if (assignment === undefined) continue;
      held.get(id)!.has.delete(assignment);
      carryOut(broker.unable(id, assignment, 'it will not', now));
    } else if (what < 0.62)
      carryOut(
        broker.result(
          1 + below(9),
          {
            assignment: 1_000_000,
            module: MODULE,
            outcome: { state: 'failed', reason: 'late' },
            spent: { inside: 0, instantiate: 0, run: 0 },
          },
          now,
        ),
      );
    else if (what < 0.7) carryOut(broker.tick(now));
    else if (id !== undefined) finish(id, what > 0.97);
  }
  // Silent ones are given up by the clock alone.
  now += 10_000;
  carryOut(broker.tick(now));
  for (let one = 0; one < 3; one++) join();
  for (let turn = 0; broker.openTasks > 0; turn++) {
    assert.ok(turn < 2000, 'work goes on when all is well');
    now += 50;
    carryOut(broker.tick(now));
    for (const id of held.keys()) finish(id, false);
  }
  assert.deepEqual([...answered.keys()].sort(), [...accepted].sort(), 'nothing is lost');
  return { vanished, restarts, answered: answered.size };
}
