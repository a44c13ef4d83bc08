import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { machineOf } from '../../src/experiments/experiment.js';
import { rateRamp } from '../../src/experiments/rate-ramp.js';
import { openLocal } from '../../src/hosts/local.js';
import { autobenchTables } from '../../src/report/autobench.js';
import { runTrial } from '../../src/run/trial.js';
import { places } from '../../src/stage/places.js';
import { metric } from '../../src/trials/registry.js';
import { measured } from '../../src/trials/sample.js';

const roles = await openLocal();
after(() => roles.close());
const machine = machineOf(roles.server.look);

for (const profile of ['quick', 'thesis', 'full'] as const)
  test(`the ${profile} ramp has enough rates for a two-piece fit, and every cell once`, () => {
    const settings = rateRamp.profile(profile, machine);
    rateRamp.settings.parse(settings);
    const cells = rateRamp
      .cells(settings, machine)
      .map((cell) => rateRamp.cell.parse(cell) as { rate: number });
    assert.ok(new Set(cells.map(({ rate }) => rate)).size >= 5);
    assert.equal(new Set(cells.map((cell) => JSON.stringify(cell))).size, cells.length);
  });

test('a step of the thesis has its 1000 connections of 100 calls', () => {
  const settings = rateRamp.profile('thesis', machine);
  const cell = {
    backend: machine.nodeBackend,
    impl: 'native',
    io: null,
    rate: 10_000,
    calls: 100,
    connections: 1000,
  };
  const trial = rateRamp.trial(cell, settings, machine);
  assert.ok(trial.kind === 'sessions');
  assert.equal(trial.connections, 1000);
  assert.equal(trial.calls, 100);
  // Offered 10 000 requests per second, 100 on each connection: the step lasts ten seconds.
  assert.equal((trial.connections * trial.calls) / trial.rate, 10);
});

test('a trial of the ramp gives a sample with the step as httperf would tell it', async () => {
  const settings = {
    ...(rateRamp.profile('quick', machine) as object),
    ...{ connections: 20, leastMs: 400, calls: 10 },
  };
  const cell = {
    backend: machine.nodeBackend,
    impl: 'native',
    io: null,
    rate: 1000,
    calls: 10,
    connections: 20,
  };
  const outcome = await runTrial(rateRamp.trial(cell, settings, machine), {
    roles,
    pinning: places(roles.server.look, roles.client.look),
    earlier: [],
    signal: new AbortController().signal,
  });
  assert.equal(outcome.error, null);
  const sample = {
    ...outcome,
    schemaVersion: 2,
    experiment: 'rate-ramp',
    cell,
    block: 0,
    sequence: 0,
  } as const;
  const { spec, session, before, after: end } = measured(sample, 'open', 'sessions')!;
  assert.equal(session.connections, 40);
  assert.equal(session.replies, 400);
  assert.equal(end.requests! - before.requests!, 400);
  assert.equal(spec.rate * spec.calls, 1000);
  assert.equal(session.detail.response.count, 400);
  const tables = autobenchTables([sample]);
  const [header, line] = tables.get(`${machine.nodeBackend}-native-1.tsv`)!.split('\n');
  assert.match(header!, new RegExp(`^dem_req_rate\treq_rate_${machine.nodeBackend}-native\t`));
  assert.match(line!, /^1000\t/);
  assert.ok(metric('reply-rate').of(sample)! > 0);
});
