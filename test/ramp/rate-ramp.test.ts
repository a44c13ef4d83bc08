import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metric } from '../../src/analysis/metrics.js';
import { rateRampCell, window as windowSchema } from '../../src/contract/sample.js';
import { rateRamp } from '../../src/experiments/rate-ramp.js';
import { LocalHost } from '../../src/hosts/local.js';
import { autobenchTables } from '../../src/report/autobench.js';
import { localLimits } from '../../src/run/environment.js';
import { machineOf } from '../../src/run/limits.js';
import { pinning } from '../../src/run/pinning.js';
import { programs } from '../../src/run/programs.js';
import { runTrial } from '../../src/run/trial.js';

const machine = machineOf(localLimits());

for (const profile of ['quick', 'thesis', 'full'] as const)
  test(`the ${profile} ramp has enough rates for a two-piece fit, and every cell once`, () => {
    const settings = rateRamp.profile(profile, machine);
    rateRamp.settings.parse(settings);
    const cells = rateRamp.cells(settings, machine).map((cell) => rateRampCell.parse(cell));
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
  const [window] = rateRamp.trial(cell, settings, machine).windows;
  assert.equal(window!.connections, 1000);
  assert.equal(window!.durationMs, 10_000);
  assert.equal(window!.sessions!.calls, 100);
});

test('a trial of the ramp gives a sample with the step as httperf would tell it', async () => {
  const settings = { ...rateRamp.profile('quick', machine), connections: 20, leastMs: 400, calls: 10 };
  const cell = {
    backend: machine.nodeBackend,
    impl: 'native',
    io: null,
    rate: 1000,
    calls: 10,
    connections: 20,
  };
  const host = new LocalHost();
  const measured = await runTrial(rateRamp.trial(cell, settings, machine), {
    host,
    programs,
    pinning: pinning(host.cpus()),
    bestCalibrationNs: null,
    signal: new AbortController().signal,
  });
  assert.equal(measured.error, null);
  const window = windowSchema.parse(measured.windows.open);
  assert.equal(window.session!.connections, 40);
  assert.equal(window.session!.replies, 400);
  assert.equal(window.after.requests - window.before.requests, 400);
  assert.equal(window.load.offeredRate, 1000);
  assert.equal(window.load.latency.count, 400);
  const tables = autobenchTables([{ cell, block: 0, windows: { open: window } } as never]);
  const [header, line] = tables.get(`${machine.nodeBackend}-native-1.tsv`)!.split('\n');
  assert.match(header!, new RegExp(`^dem_req_rate\treq_rate_${machine.nodeBackend}-native\t`));
  assert.match(line!, /^1000\t/);
  assert.ok(metric('reply-rate').of({ ...measured, windows: { open: window } } as never)! > 0);
});
