/** Gateways that are more than a program of this machine: made instances, and a virtual machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewaySubject, instancesOf } from '../../src/experiments/gateways.js';
import { foundGateways } from '../../src/gateways/parts.js';
import { metric } from '../../src/trials/registry.js';
import { freePort } from '../support/free-port.js';
import { carriedOut, circumstances } from './carried-out.js';

const gateways = foundGateways();
const machine = { available: [], nodeBackend: 'epoll' as const, descriptorLimit: 20_000, gateways };
const skipWithout = (name: string) => {
  const { command, reason } = gateways.find((one) => one.name === name)!;
  return command === null && reason;
};

for (const name of ['wasm_host_wasmtime_embedded', 'wasm_host_pool', 'wasm_host_aot'])
  test(`${name}: an instance takes memory`, { skip: skipWithout(name) }, async () => {
    const measurements = await carriedOut({
      kind: 'instances',
      ...instancesOf(name, machine)!,
      count: 50,
    });
    const kib = metric('instance-memory').of({ measurements, ...circumstances })!;
    // A page at least, and not as much as an engine.
    assert.ok(kib >= 4 && kib < 4096, `${kib}`);
  });

const guest = 'native_microvm_emulated';
test('a virtual machine starts, answers, and reaches the upstream', {
  skip: skipWithout(guest),
}, async () => {
  const subject = gatewaySubject(guest, machine);
  const { start } = await carriedOut({ kind: 'start', subject, port: await freePort(), tellsPhases: false });
  assert.ok(start?.kind === 'start' && start.phases === undefined && start.firstReplyNs > 0);
  const { closed } = await carriedOut({
    kind: 'wrk',
    subject,
    path: '/from-upstream',
    connections: 2,
    warmupMs: 0,
    durationMs: 1000,
    timeoutMs: 5000,
  });
  assert.ok(closed?.kind === 'wrk' && closed.wrk.requests > 1);
  assert.equal(metric('client-errors').of({ measurements: { closed }, ...circumstances }), 0);
});
