/** Kinds of trials that gateways are measured with, on real programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Subject } from '../../src/contract/subject.js';
import { kindOf, type Measurement, metric, type TrialSpec } from '../../src/trials/registry.js';
import { freePort } from '../support/free-port.js';
import { carriedOut, circumstances } from './carried-out.js';

const skip = process.platform !== 'linux' && 'foreign servers are wrapped on Linux only';

const script = fileURLToPath(new URL('stand-in.js', import.meta.url));
const subject: Subject & { protocol: 'http' } = {
  kind: 'foreign',
  name: 'stand-in',
  command: [process.execPath, script, '{port}', '{address}', '{upstream}'],
  protocol: 'http',
};

const figure = (id: Parameters<typeof metric>[0], measurements: Record<string, Measurement>) =>
  metric(id).of({ measurements, ...circumstances });

for (const asking of ['steadily', 'curl'] as const)
  test(`a start tells its phases, asked ${asking}`, { skip }, async () => {
    const measured = await carriedOut({
      kind: 'start',
      subject,
      port: await freePort(),
      asking,
      tellsPhases: true,
    });
    const { start } = measured;
    assert.ok(start?.kind === 'start' && start.phases);
    const { exec, main, listening } = start.phases;
    assert.ok(0 < exec && exec < main && main < listening && listening < start.firstReplyNs);
    const parts = (
      ['start-exec', 'start-main', 'start-bound', 'start-listening', 'start-reply'] as const
    ).map((id) => figure(id, measured)!);
    const whole = figure('first-reply', measured)!;
    assert.ok(Math.abs(parts.reduce((sum, part) => sum + part, 0) - whole) < 1e-6, `${parts} ${whole}`);
    assert.equal(figure('start-compiled', measured), null);
    assert.ok(figure('start-to-reply', measured)! < whole);
  });

test('wrk drives a gateway, which forwards to an upstream of ours', { skip }, async () => {
  for (const path of ['/', '/from-upstream']) {
    const measured = await carriedOut({
      kind: 'wrk',
      subject,
      path,
      connections: 8,
      warmupMs: 0,
      durationMs: 1000,
      timeoutMs: 5000,
    });
    const { closed } = measured;
    assert.ok(closed?.kind === 'wrk');
    assert.deepEqual(kindOf(closed).gates('closed', closed, null), []);
    assert.ok(closed.wrk.requests > 10 && closed.wrk.bytesRead > closed.wrk.requests);
    assert.ok(Math.abs(closed.wrk.durationNs / 1e9 - 1) < 1);
    assert.equal(figure('client-errors', measured), 0);
    assert.ok(figure('throughput', measured)! > 10 && figure('cpu-per-request', measured)! > 0);
    assert.ok(figure('memory', measured)! > 1);
  }
});

test('replies that are no success are an invalid trial', { skip }, async () => {
  const { closed } = await carriedOut({
    kind: 'wrk',
    subject,
    path: '/refused',
    connections: 2,
    warmupMs: 0,
    durationMs: 1000,
    timeoutMs: 1000,
  });
  const [gate] = kindOf(closed!).gates('closed', closed!, null);
  assert.ok(gate?.invalidates);
  assert.match(gate.message, /errors with 50 % of what it asked: \d+ status/);
});

test('a curl for each request says how much of it is curl', { skip }, async () => {
  const measured = await carriedOut({ kind: 'curl', subject, path: '/', warmups: 1, requests: 10 });
  const { curl } = measured;
  assert.ok(curl?.kind === 'curl');
  assert.deepEqual([curl.curl.requests, curl.curl.failures], [10, 0]);
  assert.ok(curl.curl.transfer.p50 < curl.curl.whole.p50);
  const share = figure('curl-share', measured)!;
  assert.ok(share > 0 && share < 1, `${share}`);
});

test('starting a command alone: how many a second, and a command that fails', { skip }, async () => {
  const measured = await carriedOut({ kind: 'spawn', command: ['cat'], warmups: 1, spawns: 20 });
  const { spawn } = measured;
  assert.ok(spawn?.kind === 'spawn');
  assert.deepEqual([spawn.spawn.spawns, spawn.spawn.bytesOut], [20, 100]);
  assert.ok(figure('throughput', measured)! > 1 && figure('spawn-cpu', measured)! > 0);
  for (const [command, said] of [
    [['/nonexistent'], /cannot start \/nonexistent/],
    [['false'], /false ended with exit code 1/],
  ] as const)
    await assert.rejects(carriedOut({ kind: 'spawn', command, warmups: 0, spawns: 1 }), said);
});

test('what instances take, told by a program by its path', { skip }, async () => {
  const line = (pss: number, reserved: number) => ({ pssBytes: pss, reservedBytes: reserved });
  const said = {
    event: 'instances',
    mode: 'pool',
    count: 4,
    before: line(1000, 0),
    after: line(9192, 2 ** 22),
  };
  const trial = (after: object): TrialSpec => ({
    kind: 'instances',
    // What is counted comes last.
    command: [
      process.execPath,
      '-e',
      `console.log(${JSON.stringify(JSON.stringify({ ...said, ...after }))})`,
    ],
    count: 4,
  });
  const measured = await carriedOut(trial({}));
  assert.equal(figure('instance-memory', measured), 2);
  assert.equal(figure('instance-reserved', measured), 1);
  assert.deepEqual(kindOf(measured.instances!).gates('instances', measured.instances!, null), []);
  const { instances: flat } = await carriedOut(trial({ after: line(1000, 0) }));
  assert.ok(kindOf(flat!).gates('instances', flat!, null)[0]?.invalidates);
});
