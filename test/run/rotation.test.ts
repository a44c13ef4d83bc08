/** Servers that stand together and are measured in turn, through real servers, clients and sockets. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it, test } from 'node:test';
import { loadResult } from '../../src/contract/load.js';
import type { RunEvent } from '../../src/contract/run.js';
import type { Roles } from '../../src/hosts/host.js';
import { openLocal } from '../../src/hosts/local.js';
import { commandOf } from '../../src/hosts/program.js';
import { standingLoad, standingLoadProgram } from '../../src/programs/load.js';
import { serverProgram } from '../../src/programs/server.js';
import { RunFolder } from '../../src/results/folder.js';
import { executeRun } from '../../src/run/runner.js';
import { mergeWindows, sumSpans } from '../../src/stage/merge.js';
import { places } from '../../src/stage/places.js';
import { Stage } from '../../src/stage/stage.js';
import { randomFrom } from '../../src/statistics/random.js';
import type { LoadMeasurement, LoadTrial } from '../../src/trials/load-window.js';
import { rotate } from '../../src/trials/rotation.js';
import type { Sample } from '../../src/trials/sample.js';
import { measured } from '../../src/trials/sample.js';
import { syntheticSample } from '../support/samples.js';
import { ServerProcess } from '../support/server-process.js';
import { freshFolder, tinyPlan } from './fake-run.js';

const windowOf = (name: 'closed' | 'open', medianLatency: number) =>
  measured(syntheticSample({ cell: {}, cpuUs: 10, rate: 500, medianLatency }), name, 'load')!;

describe('windows in a row as one', () => {
  const [fast, slow] = [windowOf('open', 50_000), windowOf('open', 500_000)];

  it('counts add up, rates and shares are those of the time together', () => {
    const half = { ...slow.load, windowNs: fast.load.windowNs / 2, achievedRate: 200 };
    const merged = mergeWindows([fast.load, half]);
    assert.equal(merged.replies, fast.load.replies + half.replies);
    assert.equal(merged.windowNs, 1.5 * fast.load.windowNs);
    assert.equal(merged.connections, fast.load.connections, 'the same ones, one window after another');
    assert.ok(Math.abs(merged.achievedRate - (2 * fast.load.achievedRate + 200) / 3) < 1e-9);
    assert.equal(merged.latency.count, fast.load.latency.count + slow.load.latency.count);
  });

  it('what was counted between them is left out', () => {
    const later = (snapshot: typeof fast.before) => ({
      ...snapshot,
      monotonicNs: snapshot.monotonicNs + 1e12,
      requests: snapshot.requests! + 777,
    });
    const both = sumSpans([fast, { ...fast, before: later(fast.before), after: later(fast.after) }]);
    assert.equal(
      both.after.requests! - both.before.requests!,
      2 * (fast.after.requests! - fast.before.requests!),
    );
    assert.equal(
      both.after.monotonicNs - both.before.monotonicNs,
      2 * (fast.after.monotonicNs - fast.before.monotonicNs),
    );
  });

  it('CPUs keep their numbers, and what one window does not tell the sum does not', () => {
    const times = {
      cpu: 3,
      userUs: 1,
      niceUs: 0,
      systemUs: 2,
      idleUs: 5,
      iowaitUs: 0,
      irqUs: null,
      softirqUs: 4,
      stealUs: 0,
    };
    const cpus = { server: [times], client: [times] };
    const told = { ...fast, cpus, waitedUs: 4 };
    assert.deepEqual(sumSpans([told, told]).cpus?.server, [
      { ...times, userUs: 2, systemUs: 4, idleUs: 10, softirqUs: 8 },
    ]);
    assert.equal(sumSpans([told, told]).waitedUs, 8);
    assert.equal(sumSpans([told, { ...told, cpus: null }]).cpus, null);
  });
});

describe('rotation', () => {
  let roles: Roles;
  before(async () => {
    roles = await openLocal();
  });
  after(() => roles.close());

  const signal = new AbortController().signal;
  const spec = (changes: Partial<LoadTrial> = {}): LoadTrial => ({
    kind: 'load',
    subject: { kind: 'dispatch', protocol: 'tcp-echo', impl: 'native', io: null, backend: 'poll' },
    processes: 1,
    idle: 0,
    rounds: 2,
    windows: [
      { name: 'closed', connections: 4, rate: null, warmupMs: 10, durationMs: 30, size: 64 },
      { name: 'open', connections: 4, rate: 200, warmupMs: 10, durationMs: 100, size: 64 },
    ],
    ...changes,
  });

  const broken = spec({
    subject: { kind: 'foreign', protocol: 'tcp-echo', command: ['false', '{port}'] } as LoadTrial['subject'],
  });

  /** What each of them measured, or how it failed, and the rounds that began. */
  async function rotated(specs: readonly LoadTrial[]) {
    const found = specs.map(() => ({ done: {} as Record<string, LoadMeasurement>, error: '' }));
    const rounds: number[] = [];
    const stages = specs.map(() => new Stage(roles, places(roles.server.look, roles.client.look), signal));
    try {
      const members = specs.map((one, index) => ({
        spec: one,
        stage: stages[index]!,
        done(name: string, measurement: LoadMeasurement) {
          found[index]!.done[name] = measurement;
        },
        failed({ message }: Error) {
          found[index]!.error = message;
        },
      }));
      await rotate(members, randomFrom(1), (index) => rounds.push(index));
    } finally {
      await Promise.all(stages.map((stage) => stage.endAll()));
    }
    return { found, rounds };
  }

  it('every server has its windows, beside its own idle connections', async () => {
    const { found, rounds } = await rotated([spec(), spec({ idle: 30 }), spec({ idle: 7 })]);
    assert.deepEqual([...new Set(rounds)], [1, 2]);
    for (const [index, idle] of [0, 30, 7].entries()) {
      const { done, error } = found[index]!;
      assert.equal(error, '');
      assert.deepEqual(Object.keys(done).sort(), ['closed', 'open']);
      assert.equal(done.closed!.idle?.seenByServer ?? 0, idle);
      for (const one of Object.values(done)) {
        assert.ok(one.windows >= 1 && one.windows + one.retaken >= 2);
        const served = one.after.requests! - one.before.requests!;
        // Snapshots stand a moment beside the edges of the client's windows.
        assert.ok(served > 0 && one.load.replies > 0);
      }
    }
  });

  it('one that cannot stand is named, the others go on', async () => {
    const { found } = await rotated([broken, spec()]);
    assert.match(found[0]!.error, /server/);
    assert.deepEqual(found[0]!.done, {});
    assert.equal(found[1]!.error, '');
    assert.ok(found[1]!.done.closed);
  });

  it('when none can stand the reason is thrown', async () => {
    await assert.rejects(rotated([broken]), /server/);
  });

  it('a rate that a server cannot hold is lowered, and both rates are told', async () => {
    const [closed, open] = spec().windows;
    const { found } = await rotated([spec({ windows: [closed!, { ...open!, rate: 5_000_000 }] })]);
    const { askedRate, load } = found[0]!.done.open!;
    assert.equal(askedRate, 5_000_000);
    assert.ok(load.offeredRate! < 1_000_000);
  });
});

test('a generation is a block: kept whole, resumed whole, in events as well', async () => {
  const out = freshFolder();
  const plan = tinyPlan(
    { blocks: { min: 2, max: 2 } },
    { rounds: 1, closed: { warmupMs: 10, durationMs: 30 } },
  );
  const events: RunEvent[] = [];
  const interrupt = new AbortController();
  const run = async (resume: string | null, signal: AbortSignal) => {
    const roles = await openLocal();
    try {
      return await executeRun({
        plan,
        hosts: [roles],
        openFolder: () => (resume === null ? RunFolder.create(out, 'tiny') : RunFolder.open(out, resume)),
        resume: resume !== null,
        argv: [],
        on(event) {
          events.push(event);
          if (event.event === 'round' && event.block === 1 && resume === null) interrupt.abort();
        },
        writePausesMs: [],
        signal,
      });
    } finally {
      await roles.close();
    }
  };
  const first = await run(null, interrupt.signal);
  assert.equal(first.reason, 'interrupted');
  assert.deepEqual(
    first.folder.samples().map(({ block }) => block),
    [0, 0, 0, 0],
  );
  const second = await run(first.folder.id, new AbortController().signal);
  const samples: Sample[] = second.folder.samples();
  assert.deepEqual(
    samples.map(({ block }) => block),
    [0, 0, 0, 0, 1, 1, 1, 1],
  );
  assert.ok(samples.every(({ status }) => status === 'ok' || status === 'invalid'));
  assert.equal(events.filter(({ event }) => event === 'trial-start').length, 0);
  assert.equal(events.filter(({ event }) => event === 'trial-end').length, 8);
});

describe('the client that stands', () => {
  const start = () => {
    const { command, args } = commandOf(standingLoadProgram([]));
    return spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  };

  it('carries out one load after another on request', async () => {
    const { command, args } = commandOf(
      serverProgram({ protocol: 'tcp-echo', impl: 'native', backend: 'poll' }),
    );
    const server = new ServerProcess(command, args);
    const { port } = await server.hello();
    const client = start();
    const results: unknown[] = [];
    const load = standingLoad({
      protocol: 'tcp-echo',
      target: { host: '127.0.0.1', port },
      connections: 3,
      rate: null,
      warmupS: 0,
      durationS: 0.03,
    });
    let text = '';
    client.stdin.write(`${load}\n`);
    for await (const part of client.stdout) {
      text += part;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = JSON.parse(text.slice(0, end));
        text = text.slice(end + 1);
        if (line.event === 'connected') client.stdin.write('go\n');
        if (line.event === 'window-end') client.stdin.write('close\n');
        if (line.event !== 'result') continue;
        results.push(line);
        if (results.length < 3) client.stdin.write(`${load}\n`);
        else client.stdin.end();
      }
    }
    assert.equal(results.length, 3);
    for (const line of results) assert.ok(loadResult.parse(line).replies > 0);
    await server.stop();
  });

  for (const [name, line, says] of [
    ['no command line', 'hello', /neither go, close nor a JSON array/],
    ['JSON that is no array of words', '[1, 2]', /neither go, close nor a JSON array/],
    ['a load without its target', '["--closed"]', /required option '--target/],
  ] as const) {
    it(`refuses ${name} in one sentence`, async () => {
      const client = start();
      let stderr = '';
      client.stderr.on('data', (part) => {
        stderr += part;
      });
      client.stdin.write(`${line}\n`);
      const code = await new Promise((resolve) => client.once('close', resolve));
      assert.equal(code, 1);
      assert.match(stderr, says);
    });
  }
});
