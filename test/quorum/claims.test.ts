/** What was published on Raft and PBFT, held against groups whose figures are known, and what a report tells of others' groups. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyse } from '../../src/analysis/analyse.js';
import { verdictOf } from '../../src/analysis/verdicts.js';
import { quorumClaims } from '../../src/claims/quorum.js';
import type { CellLevels } from '../../src/contract/sample.js';
import { emptyHistogram, latencyOfHistogram } from '../../src/load/histogram.js';
import type { Html } from '../../src/report/html.js';
import { quorumPeerSection } from '../../src/report/quorum-peers.js';
import { claimsTable } from '../../src/report/terminal.js';
import type { MeasurementOf } from '../../src/trials/registry.js';
import type { Sample } from '../../src/trials/sample.js';
import { syntheticSample } from '../support/samples.js';

interface Figures {
  /** of a commit, or of the first write after a kill */
  ms: number;
  perSecond?: number;
  sealsMs?: number;
  peer?: MeasurementOf<'quorum'>['peer'];
}

const latencyOf = (ms: number) => {
  const histogram = emptyHistogram();
  for (let i = 0; i < 1000; i++) histogram.recordValue(Math.round(ms * 1e6));
  return latencyOfHistogram(histogram);
};

function measurementOf(
  cell: CellLevels,
  { ms, perSecond = 1000, sealsMs = 0, peer = null }: Figures,
): MeasurementOf<'quorum'> {
  return {
    kind: 'quorum',
    quorum: {
      system: cell.impl === 'pbft' ? 'pbft' : 'raft',
      ...{ writes: perSecond, reads: 0, repeated: 0, elapsedNs: 1e9, lost: 0 },
      latency: latencyOf(ms),
      steps: { wire: 0, wake: 0, crypto: sealsMs, fsync: 0, rest: ms - sealsMs, total: ms },
      kills: cell.work === 'election' ? [{ firstWriteNs: ms * 1e6 }] : [],
      history: { operations: 1, linearizable: true, fault: '' },
    },
    replicas: null,
    peer,
    resync: cell.work === 'resync' ? { bytes: Number(cell.stateMb) * 1e6, tookNs: ms * 1e6 } : null,
    ...{ faulty: 0, beyond: false },
  };
}

const common = { backend: 'epoll', io: null, work: 'commit', bytes: 1024, clients: 1 };
const raft = {
  ...common,
  impl: 'raft',
  replicas: 3,
  fsync: 'on',
  seal: 'none',
  batch: 1,
  fault: 'none',
  faulty: '0',
  stateMb: 0,
};
const broadcast = { ...raft, impl: 'broadcast', work: 'broadcast', fsync: 'off' };
const pbft = { ...raft, impl: 'pbft', replicas: 4, fsync: 'off', seal: 'hmac', batch: 10 };

type Known = readonly [CellLevels, Figures];

/** Three blocks of these cells. */
function runOf(...cells: readonly Known[]) {
  const samples = cells.flatMap(([cell, figures]) =>
    [0, 1, 2].map((block): Sample => {
      const base = syntheticSample({ experiment: 'quorum', cell, block, cpuUs: 1 });
      const ms = figures.ms * (1 + block / 1000);
      return { ...base, measurements: { quorum: measurementOf(cell, { ...figures, ms }) } };
    }),
  );
  return analyse(null, { samples, refused: [], notices: [] }).experiments[0]!;
}

const verdictFrom = (id: string, ...cells: readonly Known[]) =>
  verdictOf(
    quorumClaims.find((one) => one.id === id)!,
    runOf(...cells).cells.map(({ cell }) => cell),
  );

/** What would bear a claim out, and what would not: figures as published, and as something that sends messages has them. */
const decided: Record<string, { as: Known[]; not: Known[] }> = {
  D31: { as: [[raft, { ms: 1.1 }]], not: [[raft, { ms: 150 }]] },
  D32: {
    as: [
      [raft, { ms: 1.13 }],
      [{ ...raft, replicas: 7 }, { ms: 3.39 }],
    ],
    not: [
      [raft, { ms: 0.5 }],
      [{ ...raft, replicas: 7 }, { ms: 0.7 }],
    ],
  },
  D33: {
    as: [
      [raft, { ms: 1.13 }],
      [{ ...raft, bytes: 65_536 }, { ms: 1.13 }],
    ],
    not: [
      [raft, { ms: 0.5 }],
      [{ ...raft, bytes: 65_536 }, { ms: 2 }],
    ],
  },
  D34: {
    as: [
      [{ ...raft, work: 'election' }, { ms: 2.26 }],
      [{ ...raft, work: 'election', replicas: 11 }, { ms: 6.29 }],
    ],
    not: [
      [{ ...raft, work: 'election' }, { ms: 300 }],
      [{ ...raft, work: 'election', replicas: 11 }, { ms: 320 }],
    ],
  },
  D35: {
    as: [
      [{ ...raft, work: 'resync', stateMb: 1 }, { ms: 1.05 }],
      [{ ...raft, work: 'resync', stateMb: 100 }, { ms: 105 }],
    ],
    not: [
      [{ ...raft, work: 'resync', stateMb: 1 }, { ms: 30 }],
      [{ ...raft, work: 'resync', stateMb: 100 }, { ms: 1800 }],
    ],
  },
  D36: {
    as: [
      [broadcast, { ms: 1.11 }],
      [{ ...broadcast, replicas: 11 }, { ms: 1.12 }],
    ],
    not: [
      [broadcast, { ms: 0.3 }],
      [{ ...broadcast, replicas: 11 }, { ms: 1.1 }],
    ],
  },
  D41: { as: [[pbft, { ms: 3.4 }]], not: [[pbft, { ms: 700 }]] },
  D42: {
    as: [
      [pbft, { ms: 3.4 }],
      [{ ...pbft, replicas: 10 }, { ms: 3.42 }],
    ],
    not: [
      [pbft, { ms: 0.6 }],
      [{ ...pbft, replicas: 10 }, { ms: 2.6 }],
    ],
  },
  D43: {
    as: [
      [pbft, { ms: 3.4, perSecond: 2940 }],
      [
        { ...pbft, batch: 1 },
        { ms: 3.4, perSecond: 294 },
      ],
    ],
    not: [
      [pbft, { ms: 1, perSecond: 3000 }],
      [
        { ...pbft, batch: 1 },
        { ms: 2, perSecond: 1500 },
      ],
    ],
  },
  D44: {
    as: [
      [pbft, { ms: 3.4 }],
      [{ ...pbft, fault: 'silent' }, { ms: 3.42 }],
    ],
    not: [
      [pbft, { ms: 0.6 }],
      [{ ...pbft, fault: 'delaying' }, { ms: 0.9 }],
    ],
  },
  D45: {
    as: [
      [pbft, { ms: 3.4 }],
      [{ ...pbft, clients: 10 }, { ms: 0.34 }],
    ],
    not: [
      [pbft, { ms: 0.6 }],
      [{ ...pbft, clients: 10 }, { ms: 1.5 }],
    ],
  },
  D46: { as: [[pbft, { ms: 3.4, sealsMs: 10e-6 }]], not: [[pbft, { ms: 0.6, sealsMs: 0.1 }]] },
};

for (const [id, { as, not }] of Object.entries(decided))
  test(`${id} holds for its own figures, and not for those of a group that sends messages`, () => {
    assert.equal(verdictFrom(id, ...as).verdict, 'supported');
    assert.equal(verdictFrom(id, ...not).verdict, 'contradicted');
  });

test('every claim is decided here or says what would supply it, and what its own figures are', () => {
  for (const claim of quorumClaims) {
    assert.equal('planned' in claim, !Object.hasOwn(decided, claim.id), claim.id);
    assert.ok(claim.standing!.because.length > 0);
  }
  const shown = claimsTable({ verdicts: [verdictFrom('D31', [raft, { ms: 1.1 }])] } as never);
  assert.match(
    shown.replaceAll(/\s*│\s*/g, ' ').replaceAll(/\s+/g, ' '),
    /own figures: formula: the program waited/,
  );
});

test('a report tells what other groups are and were told, once each, and nothing of ours', () => {
  const jetstream = { ...raft, impl: 'jetstream', backend: null };
  const peer = { version: '2.15.2', told: ['sync_interval: always'], untold: [] };
  const own: Known = [raft, { ms: 1 }];
  const others = [1, 16].map(
    (clients): Known => [
      { ...jetstream, clients },
      { ms: 1, peer },
    ],
  );
  const shown = quorumPeerSection(runOf(own, ...others)) as Html;
  assert.equal(shown.text.match(/sync_interval: always/g)?.length, 1);
  assert.match(shown.text, /JetStream of NATS \(by itself it does not wait for the disk\)/);
  assert.equal(quorumPeerSection(runOf(own)), '');
});
