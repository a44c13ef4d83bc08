/** Seeded schedules of both protocols; `scripts/quorum-simulation.mjs` runs as many as are wanted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liarNames } from '../../src/quorum/pbft/liars.js';
import { pbftSchedule } from '../../src/quorum/simulation/pbft-schedule.js';
import { raftSchedule } from '../../src/quorum/simulation/raft-schedule.js';
import { firstViolation } from './mutants.js';

function sums<Outcome extends object>(
  run: (seed: string) => Outcome,
  schedules: number,
): Record<string, number> {
  const sum: Record<string, number> = {};
  for (let i = 0; i < schedules; i++)
    for (const [name, value] of Object.entries(run(`test:${i}`))) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}

/** Whatever can happen has happened, or the schedules show nothing. */
function assertAllUsed(sum: Record<string, number>): void {
  for (const [name, value] of Object.entries(sum)) assert.ok(value > 0, name);
}

test('the same seed gives the same schedule', () => {
  assert.deepEqual(raftSchedule('again'), raftSchedule('again'));
  assert.deepEqual(pbftSchedule('again'), pbftSchedule('again'));
});

test('Raft keeps its invariants through loss, reordering, partitions, crashes and clocks that differ', () => {
  assertAllUsed(sums(raftSchedule, 1500));
});

test('PBFT keeps its invariants with f replicas that lie', () => {
  assertAllUsed(sums(pbftSchedule, 80));
});

for (const lie of liarNames)
  test(`PBFT with a first primary that is ${lie}`, () => {
    const plan = { replicas: 4, faulty: 1, lies: [lie], progress: true, fromFirst: true };
    assert.ok(sums((seed) => pbftSchedule(seed, plan), 8).completed! > 0);
  });

test('with f + 1 silent replicas nothing is committed', () => {
  const plan = { replicas: 4, faulty: 2, lies: ['mute'] as const, progress: false };
  for (let i = 0; i < 10; i++) assert.equal(pbftSchedule(`f + 1 ${i}`, plan).executed, 0);
});

test('f + 1 replicas that collude do what f cannot: the invariants say so', () => {
  const plan = { replicas: 4, faulty: 2, lies: ['corrupting'] as const, progress: false };
  const found = firstViolation((seed) => pbftSchedule(seed, plan), 200);
  assert.match(found?.invariant ?? 'none', /^(agreement|linearizability)$/);
});
