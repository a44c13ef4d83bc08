/** Claims and hosts: which system a selector means, whose figures are compared, and whose name stands beside them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cell } from '../../src/analysis/cells.js';
import { runTest } from '../../src/analysis/claim-tests.js';
import { cellsMatching } from '../../src/analysis/evidence.js';
import { verdictOf } from '../../src/analysis/verdicts.js';
import type { AgainstTest, SystemName } from '../../src/claims/claim.js';
import { claims } from '../../src/claims/claims.js';
import { metric } from '../../src/trials/registry.js';

const claim = (id: string) => claims.find((one) => one.id === id)!;

const linux = { name: 'here', kernel: 'Linux 6.1.0', executionClass: 'native' };
const freeBsd = { name: 'guest', kernel: 'FreeBSD 14.1-RELEASE', executionClass: 'native' };

interface Figures {
  backend: string;
  host?: typeof linux;
  pairs?: number;
  round?: string;
  /** µs of CPU time an event */
  cpuUs?: number;
  /** system calls an event */
  calls?: number;
}

/** Five trials of dispatch-cost that scatter by a percent. */
function costCell({
  backend,
  host = linux,
  pairs = 1000,
  round = 'all active',
  cpuUs = 1,
  calls = 0.001,
}: Figures): Cell {
  const levels = { backend, impl: 'native', round, pairs };
  const trials = [-2, -1, 0, 1, 2].map((step) => ({
    measurements: {
      cost: {
        kind: 'cost',
        cost: {
          cpu: { userUs: 1e6 * cpuUs * (1 + step / 100), systemUs: 0 },
          waits: 1e6 * calls,
          changeCalls: 0,
          events: 1e6,
        },
      },
    },
  }));
  const key = `${host.name} ${JSON.stringify(levels)}`;
  return { experiment: 'dispatch-cost', levels, host, key, trials, excluded: [] } as unknown as Cell;
}

describe('a selector of systems', () => {
  const kernels: Record<SystemName, string> = {
    Linux: 'Linux 6.1.0',
    FreeBSD: 'FreeBSD 14.1-RELEASE',
    SunOS: 'SunOS 5.11',
    Windows_NT: 'Windows_NT 10.0.20348',
    Darwin: 'Darwin 23',
  };
  const systems = Object.keys(kernels) as SystemName[];
  const on = (kernel: string) => costCell({ backend: 'poll', host: { ...linux, kernel } });
  const matches = (kernel: string, system: SystemName) =>
    cellsMatching([on(kernel)], { system }, metric('cpu-per-event')).length === 1;

  for (const [system, kernel] of Object.entries(kernels))
    it(`knows '${kernel}' as ${system} and as nothing else`, () => {
      assert.deepEqual(
        systems.filter((wanted) => matches(kernel, wanted)),
        [system],
      );
    });

  it('means the whole first word, as the system writes it', () => {
    for (const kernel of ['linux 6.1.0', 'LinuxLike 1', 'GNU/Linux 6', ' Linux 6', ''])
      assert.equal(matches(kernel, 'Linux'), false, kernel);
    assert.equal(matches('Linux', 'Linux'), true);
  });

  it('matches any host where none is named', () => {
    const cells = Object.values(kernels).map(on);
    assert.equal(cellsMatching(cells, {}, metric('cpu-per-event')).length, cells.length);
  });
});

describe('cells of several hosts', () => {
  const test: AgainstTest = {
    kind: 'ratio',
    metric: 'cpu-per-event',
    of: { levels: { backend: 'kqueue' } },
    to: { levels: { backend: 'poll' } },
    expect: { above: 1 },
  };

  it('are compared within their host, and named by it', () => {
    const cells = [
      costCell({ backend: 'poll', cpuUs: 1 }),
      costCell({ backend: 'poll', cpuUs: 10, host: freeBsd }),
      costCell({ backend: 'kqueue', cpuUs: 5, host: freeBsd }),
    ];
    const { evidence } = runTest(test, cells);
    assert.equal(evidence.length, 1);
    assert.equal(evidence[0]!.outcome, 'contradicted');
    assert.equal(evidence[0]!.estimate.toFixed(9), '0.500000000');
    assert.equal(evidence[0]!.subject, 'kqueue · native · guest');
    assert.match(evidence[0]!.measure, /ratio to poll · native · guest:/);
  });

  it('are missing where the peer is on another host only', () => {
    const cells = [costCell({ backend: 'poll' }), costCell({ backend: 'kqueue', host: freeBsd })];
    assert.match(runTest(test, cells).missing!, /no usable trial of backend poll/);
  });

  it('are compared across hosts where a selector names a system', () => {
    const cells = [
      costCell({ backend: 'poll', cpuUs: 1 }),
      costCell({ backend: 'poll', cpuUs: 2, host: freeBsd }),
    ];
    const systems: AgainstTest = {
      ...test,
      of: { system: 'FreeBSD', levels: { backend: 'poll' } },
      to: { system: 'Linux', levels: { backend: 'poll' } },
    };
    const { evidence } = runTest(systems, cells);
    assert.deepEqual(
      evidence.map(({ subject, estimate, outcome }) => [subject, estimate.toFixed(9), outcome]),
      [['poll · native · guest', '2.000000000', 'supported']],
    );
    assert.match(evidence[0]!.measure, /to poll · native · here:/);
  });

  it('name no host where there is one', () => {
    const cells = [costCell({ backend: 'poll' }), costCell({ backend: 'kqueue' })];
    assert.equal(runTest(test, cells).evidence[0]!.subject, 'kqueue · native');
  });

  it('are named along a factor as well, even where one host alone has that mechanism', () => {
    const along = (hosts: readonly (typeof linux)[]) =>
      runTest(
        {
          kind: 'slope',
          metric: 'cpu-per-event',
          of: { levels: { backend: 'kqueue', round: 'all active' } },
          factor: 'pairs',
          per: 1000,
          reach: 2000,
          expect: { above: 0 },
        },
        [
          ...hosts.flatMap((host) =>
            [1000, 2000].map((pairs) => costCell({ backend: 'kqueue', host, pairs, cpuUs: pairs })),
          ),
          costCell({ backend: 'poll' }),
        ],
      ).evidence.map(({ subject }) => subject);
    assert.deepEqual(along([freeBsd]), ['kqueue · native · guest · all active']);
    assert.deepEqual(along([linux]), ['kqueue · native · all active']);
    assert.deepEqual(along([freeBsd, linux]).sort(), [
      'kqueue · native · guest · all active',
      'kqueue · native · here · all active',
    ]);
  });
});

describe('claim T11', () => {
  const two = { cpuUs: 1.5, calls: 2.001 };

  it('is not tested on Linux alone, and says which cells are missing', () => {
    const cells = ['select', 'poll', 'epoll'].map((backend) => costCell({ backend }));
    const { verdict, missing } = verdictOf(claim('T11'), cells);
    assert.equal(verdict, 'not tested');
    assert.match(missing!, /backend kqueue or evport, round all active/);
    assert.match(missing!, /not available here unless .* kqueue exists on the BSDs and macOS only/);
  });

  it('is decided by CPU time and by system calls, each number of pairs for itself', () => {
    const sweep = (kqueue: Partial<Figures>) =>
      [1, 1000].flatMap((pairs) => [
        ...['select', 'poll'].map((backend) => costCell({ backend, host: freeBsd, pairs, calls: 1 / pairs })),
        costCell({ backend: 'kqueue', host: freeBsd, pairs, ...kqueue }),
      ]);
    const published = verdictOf(claim('T11'), sweep(two));
    assert.equal(published.verdict, 'supported');
    assert.deepEqual(
      published.evidence.map(({ subject, metric: of }) => [subject, of]),
      ['cpu-per-event', 'calls-per-event'].flatMap((id) =>
        [1, 1000].map((pairs) => [`kqueue · native · pairs ${pairs}`, id]),
      ),
    );
    assert.equal(verdictOf(claim('T11'), sweep({ ...two, cpuUs: 0.5 })).verdict, 'contradicted');
    assert.equal(verdictOf(claim('T11'), sweep({ ...two, calls: 0.001 })).verdict, 'contradicted');
  });

  it('leaves other rounds out', () => {
    const cells = ['select', 'kqueue'].map((backend) =>
      costCell({ backend, host: freeBsd, round: 'one active', ...two }),
    );
    assert.equal(verdictOf(claim('T11'), cells).verdict, 'not tested');
  });
});

describe('a planned claim', () => {
  it('is not tested, whatever a run holds, and says what will supply it', () => {
    const cells = ['select', 'poll', 'kqueue'].map((backend) => costCell({ backend, host: freeBsd }));
    const { id, source, statement, cells: words } = claim('T11');
    const { verdict, missing, evidence } = verdictOf(
      { id, source, statement, cells: words, planned: 'soon' },
      cells,
    );
    assert.deepEqual([verdict, missing, evidence], ['not tested', 'planned: soon', []]);
  });
});
