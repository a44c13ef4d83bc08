import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cellsOf } from '../../src/analysis/cells.js';
import { verdictOf, verdicts } from '../../src/analysis/verdicts.js';
import { claims } from '../../src/claims/claims.js';
import { heldOutPeaks } from '../../src/statistics/peak.js';
import { randomFrom } from '../../src/statistics/random.js';
import type { Sample } from '../../src/trials/sample.js';
import { idleRun, normal, syntheticSample } from '../support/samples.js';

const verdict = (id: string, samples: Sample[]) =>
  verdictOf(claims.find((claim) => claim.id === id)!, cellsOf(samples));

/** idle-connections samples whose cost is given per backend. */
function sweep(
  cost: (backend: string, idle: number) => number,
  noise = 0.01,
  idle = [0, 1000, 4000, 16_000],
) {
  const random = randomFrom(11);
  return ['select', 'poll', 'epoll'].flatMap((backend) =>
    idle.flatMap((count) =>
      Array.from({ length: 5 }, (_, block) =>
        syntheticSample({
          cell: { backend, impl: 'native', io: null, idle: count, connections: 1000 },
          block,
          cpuUs: cost(backend, count) * (1 + noise * normal(random)),
        }),
      ),
    ),
  );
}

describe('claims', () => {
  it('T3 and T4 are supported where mechanisms behave as published', () => {
    const samples = idleRun();
    for (const id of ['T3', 'T4']) {
      const { verdict: name, evidence } = verdict(id, samples);
      assert.equal(name, 'supported', id);
      for (const row of evidence)
        assert.ok(row.n === 5 && row.low! <= row.estimate && row.estimate <= row.high!);
    }
  });

  it('are contradicted by mechanisms that behave otherwise', () => {
    const slowSelect = sweep((backend) => (backend === 'select' ? 9 : 6));
    assert.equal(verdict('T3', slowSelect).verdict, 'contradicted');
    const sagging = sweep((backend, idle) => (backend === 'epoll' ? 6 + idle / 8000 : 6 + idle / 100));
    assert.equal(verdict('T4', sagging).verdict, 'contradicted');
  });

  it('are inconclusive when trials scatter too much', () => {
    const noisy = sweep((backend, idle) => (backend === 'epoll' ? 6 : 6 + idle / 100), 0.15);
    assert.equal(verdict('T4', noisy).verdict, 'inconclusive');
  });

  it('are not tested when the sweep is too short, and say what is missing', () => {
    const short = sweep((_, idle) => 6 + idle / 100, 0.01, [0, 1000, 4000]);
    const { verdict: name, missing } = verdict('T3', short);
    assert.equal(name, 'not tested');
    assert.match(missing!, /idle 15000 or more.*this run reaches 4000/);
  });

  it('leave invalid, failed and impossible trials out', () => {
    const good = idleRun();
    const bad = good.map((sample) => ({ ...sample, status: 'invalid' as const }));
    assert.equal(verdict('T4', bad).verdict, 'not tested');
    const mixed = [...good, ...bad.map((sample) => ({ ...sample, measurements: {} }))];
    assert.deepEqual(verdict('T4', mixed).evidence, verdict('T4', good).evidence);
  });

  it('are not tested without any run of their experiment', () => {
    for (const { verdict: name, claim, missing } of verdicts(cellsOf(idleRun()))) {
      const needs = 'planned' in claim ? 'planned' : claim.experiment;
      if (needs === 'idle-connections') continue;
      assert.equal(name, 'not tested', claim.id);
      assert.ok(missing!.startsWith(`${needs}: `), missing!);
    }
  });
});

/** The samples with every closed window's client so busy. */
const withClient = (samples: readonly Sample[], busyShare: number, windows: readonly string[] = ['closed']) =>
  samples.map((sample) => ({
    ...sample,
    measurements: Object.fromEntries(
      Object.entries(sample.measurements).map(([name, one]) => [
        name,
        one.kind === 'load' && windows.includes(name)
          ? { ...one, load: { ...one.load, client: { ...one.load.client, busyShare } } }
          : one,
      ]),
    ),
  }));

describe('claims about a mechanism', () => {
  it('are shown another implementation beside, and not decided by it', () => {
    const heap = sweep((_, idle) => 10 + idle / 1000).map((sample) => ({
      ...sample,
      cell: { ...sample.cell, impl: 'libuv', connections: 100 } as Sample['cell'],
    }));
    const { verdict: name, evidence } = verdict('T4', [
      ...idleRun().filter(({ cell }) => cell.impl === 'native'),
      ...heap.filter(({ cell }) => cell.backend === 'epoll'),
    ]);
    assert.equal(name, 'supported');
    assert.ok(evidence.some((row) => row.beside && row.outcome === 'contradicted'));
    assert.equal(verdict('T4', heap).verdict, 'not tested');
  });

  it('take no equality from windows that the client limited', () => {
    const samples = idleRun();
    const metricsOf = (all: readonly Sample[]) =>
      new Set(verdict('T4', [...all]).evidence.map(({ metric }) => metric));
    assert.ok(metricsOf(withClient(samples, 0.8)).has('server-limited-throughput'));
    const limited = withClient(samples, 0.97);
    assert.ok(!metricsOf(limited).has('server-limited-throughput'));
    assert.equal(verdict('T4', limited).verdict, 'supported', 'CPU per request at equal load decides');
  });

  it('keep their verdict on the CPU time of client and server together', () => {
    const samples = idleRun().map((sample) =>
      Number(sample.cell.idle) > 0 ? withClient([sample], 0.9, ['open'])[0]! : sample,
    );
    const { verdict: name, evidence } = verdict('T4', samples);
    assert.equal(name, 'inconclusive');
    assert.ok(evidence.some(({ note }) => /together: .* does not bear it out/.test(note ?? '')));
  });

  it('hold one server process against one', () => {
    const samples = idleRun({ impls: ['native'] }).map((sample) => ({
      ...sample,
      serverProcesses: Number(sample.cell.idle) > 4000 ? 4 : 1,
    }));
    const { verdict: name, missing } = verdict('T3', samples);
    assert.equal(name, 'not tested');
    assert.match(missing!, /this run reaches 4000/);
  });

  it('are about 1000 active connections, and say where they were judged on others', () => {
    const hundred = idleRun();
    for (const { note } of verdict('T3', hundred).evidence)
      assert.match(note!, /connections 100, the claim's are 1000/);
    const both = [...hundred, ...sweep((backend, idle) => (backend === 'epoll' ? 6 : 6 + idle / 100))];
    for (const { note } of verdict('T3', both).evidence) assert.doesNotMatch(note ?? '', /the claim's/);
  });
});

describe('claim T2', () => {
  const ramp = (past: number) => {
    const random = randomFrom(2);
    return Array.from({ length: 10 }, (_, i) => (i + 1) * 1000).flatMap((rate) =>
      Array.from({ length: 4 }, (_, block) => {
        const reached = rate < 6000 ? rate : 6000 + past * (rate - 6000);
        const sample = syntheticSample({
          experiment: 'rate-ramp',
          cell: { backend: 'epoll', impl: 'native', rate },
          block,
          cpuUs: 50,
          rate: reached * (1 + 0.002 * normal(random)),
        });
        return sample;
      }),
    );
  };

  it('needs a fall past the knee', () => {
    assert.equal(verdict('T2', ramp(-0.4)).verdict, 'supported');
    assert.equal(verdict('T2', ramp(0.1)).verdict, 'contradicted');
  });

  it('is undecided by a plateau that trials scatter on, and contradicted by a precise one', () => {
    assert.equal(verdict('T2', ramp(0)).verdict, 'contradicted');
  });

  it('says nothing about what comes past a saturation that the ramp never reached', () => {
    const { verdict: name, evidence } = verdict('T2', ramp(1));
    assert.equal(name, 'inconclusive');
    assert.match(evidence[1]!.note!, /still answered the highest rate, 10000\/s/);
  });

  it("is contradicted by the thesis's own table, which shows a plateau", () => {
    const { reference } = verdict('T2', []);
    assert.equal(reference!.verdict, 'contradicted');
    assert.ok(reference!.evidence.some(({ measure, low }) => measure.includes('past the knee') && low! > 0));
  });
});

describe('claim T1', () => {
  /** Ramps that level off at each backend's peak. */
  const ramps = (peaks: Record<string, number>, { noise = 0.01, trials = 5, connections = 1000 } = {}) => {
    const random = randomFrom(5);
    return Object.entries(peaks).flatMap(([backend, peak]) =>
      [10_000, 20_000, 40_000, 60_000, 80_000].flatMap((rate) =>
        Array.from({ length: trials }, (_, block) =>
          syntheticSample({
            experiment: 'rate-ramp',
            cell: { backend, impl: 'native', io: null, rate, calls: 100, connections },
            block,
            cpuUs: 10,
            rate: Math.min(rate, peak) * (1 + noise * normal(random)),
          }),
        ),
      ),
    );
  };

  it('compares the peaks of ramps', () => {
    const equal = verdict('T1', ramps({ select: 50_000, poll: 49_000, epoll: 51_000, 'epoll-et': 50_500 }));
    assert.equal(equal.verdict, 'supported');
    assert.deepEqual(
      equal.evidence.map(({ subject, n }) => [subject, n]),
      [
        ['select · native', 5],
        ['poll · native', 5],
        ['select · native', 5],
        ['poll · native', 5],
      ],
    );
    const slow = verdict('T1', ramps({ select: 35_000, poll: 49_000, epoll: 51_000 }));
    assert.equal(slow.verdict, 'contradicted');
  });

  it('decides nothing where no peak was reached, where trials scatter, or with one trial', () => {
    const fast = verdict('T1', ramps({ select: 90_000, poll: 50_000, epoll: 51_000 }));
    assert.equal(fast.verdict, 'inconclusive');
    assert.match(fast.evidence[0]!.note!, /select · native still answered the highest rate, 80000\/s/);
    const noisy = ramps({ select: 50_000, poll: 50_000, epoll: 50_000 }, { noise: 0.3, trials: 3 });
    assert.equal(verdict('T1', noisy).verdict, 'inconclusive');
    const single = ramps({ select: 50_000, poll: 50_000, epoll: 50_000 }, { trials: 1 });
    assert.equal(verdict('T1', single).verdict, 'inconclusive');
  });

  it('takes no peak that the client may have set', () => {
    const busy = withClient(ramps({ select: 50_000, epoll: 50_000 }), 0.95, ['closed', 'open']);
    const { verdict: name, evidence } = verdict('T1', busy);
    assert.equal(name, 'inconclusive');
    assert.match(evidence[0]!.note!, /the client was 95 % busy at the peak/);
  });

  it('is about 1000 active connections', () => {
    const few = ramps({ select: 50_000, epoll: 50_000 }, { connections: 100 });
    assert.equal(verdict('T1', few).verdict, 'not tested');
  });

  it('is not misled by the luck of one level among equal ones', () => {
    const random = randomFrom(6);
    const peaks = Array.from({ length: 400 }, () => {
      const levels = Array.from({ length: 8 }, () =>
        Array.from({ length: 4 }, (_, block) => ({ block, value: 100 + 10 * normal(random) })),
      );
      const naive = Math.max(
        ...levels.map((trials) => trials.reduce((sum, { value }) => sum + value, 0) / 4),
      );
      const held = heldOutPeaks(levels);
      return { naive, held: held.reduce((sum, { value }) => sum + value, 0) / held.length };
    });
    const mean = (of: 'naive' | 'held') => peaks.reduce((sum, peak) => sum + peak[of], 0) / peaks.length;
    assert.ok(mean('naive') > 105, `${mean('naive')}`);
    assert.ok(Math.abs(mean('held') - 100) < 1, `${mean('held')}`);
  });
});

describe('claim T6', () => {
  const sweepPorts = (slopes: Record<string, number>) => {
    const random = randomFrom(3);
    return Object.entries(slopes).flatMap(([backend, perThousand]) =>
      [10, 100].flatMap((rate) =>
        [10, 1000, 2000, 5000].flatMap((ports) =>
          Array.from({ length: 4 }, (_, block) =>
            syntheticSample({
              experiment: 'udp-ports',
              cell: { backend, impl: 'native', ports, rate },
              block,
              cpuUs: 20,
              medianLatency: Math.round(40_000 + perThousand * ports + 200 * normal(random)),
            }),
          ),
        ),
      ),
    );
  };

  it('is decided by slopes of the median response time', () => {
    const published = verdict('T6', sweepPorts({ epoll: 0, select: 30, poll: 40 }));
    assert.equal(published.verdict, 'supported');
    assert.equal(published.evidence.length, 6);
    assert.equal(verdict('T6', sweepPorts({ epoll: 5, select: 30 })).verdict, 'contradicted');
  });
});
