/** Verdicts on the report about gateways, from cells whose truth is known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cell } from '../../src/analysis/cells.js';
import { verdictOf } from '../../src/analysis/verdicts.js';
import { claims } from '../../src/claims/claims.js';
import type { CellLevels } from '../../src/contract/sample.js';

const claim = (id: string) => claims.find((one) => one.id === id)!;

const host = { name: 'containers', kernel: 'Linux 6.1.0', executionClass: 'native' };

/** Five trials that scatter by half a percent, each in a block of its own. */
function cell(experiment: string, levels: CellLevels, measurement: (by: number) => object): Cell {
  const trials = [-2, 1, 0, 2, -1].map((step, block) => ({
    block,
    measurements: { [experiment === 'gateway-cold-start' ? 'start' : 'closed']: measurement(1 + step / 400) },
  }));
  const key = `${host.name} ${JSON.stringify(levels)}`;
  return { experiment, levels, host, key, trials, excluded: [] } as unknown as Cell;
}

const named = (impl: string) => ({ backend: null, impl, io: null });

const cold = (impl: string, ms: number, asking = 'steadily') =>
  cell('gateway-cold-start', { ...named(impl), asking }, (by) => ({
    kind: 'start',
    firstReplyNs: ms * by * 1e6,
  }));

/** @param rate requests per second by wrk for a second, of a server that takes `us` and `mib` */
const wrk =
  (rate: number, us = 10, mib = 1) =>
  (by: number) => ({
    kind: 'wrk',
    wrk: {
      requests: rate * by,
      durationNs: 1e9,
      busyShare: 0.5,
      latencyMs: { p50: 1 },
      errors: {},
    },
    before: snapshot(0, mib),
    after: snapshot(rate * us, mib),
  });
const snapshot = (userUs: number, mib: number) => ({
  monotonicNs: userUs === 0 ? 0 : 1e9,
  requests: null,
  cpu: { userUs, systemUs: 0 },
  rssBytes: mib * 2 ** 20,
  tree: { pssBytes: mib * 2 ** 20, processesStarted: 1 },
});

const hello = (impl: string, rate: number, connections = 100, workload = 'hello') =>
  cell('gateway-throughput', { ...named(impl), workload, client: 'wrk', connections }, wrk(rate));

const alone = (impl: string, perSecond: number) =>
  cell(
    'gateway-throughput',
    { ...named(impl), workload: 'hello', client: 'spawn', connections: 1 },
    (by) => ({ kind: 'spawn', spawn: { spawns: perSecond, elapsedNs: 1e9 / by, cpuUs: 1 } }),
  );
/** A trial of a command alone has its measurement under its own name. */
const renamed = (one: Cell): Cell => ({
  ...one,
  trials: one.trials.map((trial) => ({ ...trial, measurements: { spawn: trial.measurements.closed! } })),
});

const resources = (impl: string, us: number, mib: number) =>
  cell('gateway-resources', { ...named(impl), connections: 100 }, wrk(1000, us, mib));

const embedded = 'wasm_host_wasmtime_embedded';

describe('claims about gateways', () => {
  it('G1 needs both the start and the throughput, and one faster variant contradicts', () => {
    const starts = [
      cold('native_local', 4),
      ...['native_docker', embedded, 'wasm_host_wasmtime', 'wasm_host_cli'].map((name, i) =>
        cold(name, 20 + i),
      ),
    ];
    const rates = [hello('native_local', 20_000), hello(embedded, 10_000), hello('wasm_host_cli', 50)];
    assert.equal(verdictOf(claim('G1'), [...starts, ...rates]).verdict, 'supported');
    const half = verdictOf(claim('G1'), starts);
    assert.deepEqual([half.verdict, half.missing !== null], ['inconclusive', true]);
    const faster = [...starts, ...rates, hello('native_docker', 22_000)];
    assert.equal(verdictOf(claim('G1'), faster).verdict, 'contradicted');
    const quicker = [cold('native_local', 30), cold(embedded, 10), ...rates];
    const { verdict, evidence } = verdictOf(claim('G1'), quicker);
    assert.equal(verdict, 'contradicted');
    assert.equal(evidence[0]!.experiment, 'gateway-cold-start');
  });

  it('G2 asks for more than three times', () => {
    for (const [ms, verdict] of [
      [40, 'supported'],
      [8, 'contradicted'],
    ] as const)
      assert.equal(
        verdictOf(claim('G2'), [
          cold('native_local', 4),
          cold('native_docker', ms),
          cold('native_docker', 1, 'curl'),
        ]).verdict,
        verdict,
      );
  });

  it('G4 holds each command against what it starts, and not against that of another', () => {
    const names = ['wasm_host_wasmtime', 'wasm_host_cli'] as const;
    const run = (share: number) => [
      ...[150, 50].map((rate, i) => renamed(alone(names[i]!, rate))),
      ...[150, 50].map((rate, i) => hello(names[i]!, share * rate)),
    ];
    const held = verdictOf(claim('G4'), run(0.95));
    assert.deepEqual([held.verdict, held.evidence.length], ['supported', 2]);
    for (const row of held.evidence) assert.ok(Math.abs(row.estimate - 0.95) < 0.01, row.measure);
    assert.equal(verdictOf(claim('G4'), run(0.7)).verdict, 'contradicted');
  });

  it('G5 is decided by both sides of five percent', () => {
    const at = (rate: number) => [
      hello('native_local', 900, 100, 'compute'),
      hello('native_docker', 905, 100, 'compute'),
      hello(embedded, rate, 100, 'compute'),
    ];
    assert.equal(verdictOf(claim('G5'), at(880)).verdict, 'supported');
    assert.equal(verdictOf(claim('G5'), at(700)).verdict, 'contradicted');
  });

  it('G6 is about the native gateway; the others stand beside', () => {
    const ramp = (impl: string, at400: number) => [hello(impl, 20_000, 200), hello(impl, at400, 400)];
    const { verdict, evidence } = verdictOf(claim('G6'), [
      ...ramp('native_local', 19_000),
      ...ramp('event_epoll', 5000),
    ]);
    assert.equal(verdict, 'contradicted');
    assert.deepEqual(
      evidence.map(({ subject, beside }) => `${subject.split(' ', 1)[0]} ${beside ?? false}`).sort(),
      ['event_epoll true', 'native_local false'],
    );
    assert.equal(verdictOf(claim('G6'), ramp('native_local', 4500)).verdict, 'supported');
  });

  it('G7 is about both figures, within a factor of one and a half', () => {
    const against = (us: number, mib: number) =>
      verdictOf(claim('G7'), [resources('native_local', 10, 1), resources(embedded, us, mib)]).verdict;
    assert.equal(against(70, 25), 'supported');
    assert.equal(against(20, 25), 'contradicted');
    assert.equal(against(70, 5), 'contradicted');
  });

  it('W2 needs a guest that boots again, which an emulated one is not', () => {
    const update = (impl: string, ms: number): Cell => {
      const one = cell('hot-update', named(impl), (by) => ({
        kind: 'update',
        update: { swaps: [{ firstNs: ms * by * 1e6 }] },
      }));
      return {
        ...one,
        trials: one.trials.map((trial) => ({
          ...trial,
          measurements: { update: trial.measurements.closed! },
        })),
      };
    };
    const hot = [update('hot_host', 4), update('hot_node', 2)];
    const emulated = verdictOf(claim('W2'), [...hot, update('guest_reboot_emulated', 4000)]);
    assert.equal(emulated.verdict, 'not tested');
    assert.match(emulated.missing!, /stands beside and decides nothing/);
    assert.deepEqual(
      emulated.evidence.map(({ subject, beside, estimate }) => [subject, beside, Math.round(estimate)]),
      [['guest_reboot_emulated', true, 2000]],
    );
    assert.equal(verdictOf(claim('W2'), [...hot, update('guest_reboot', 1000)]).verdict, 'supported');
    assert.equal(verdictOf(claim('W2'), [...hot, update('guest_reboot', 10)]).verdict, 'contradicted');
    const both = [...hot, update('guest_reboot', 10), update('guest_reboot_emulated', 4000)];
    assert.equal(verdictOf(claim('W2'), both).verdict, 'contradicted');
    assert.match(verdictOf(claim('W2'), hot).missing!, /guest_reboot or guest_reboot_emulated/);
  });
});
