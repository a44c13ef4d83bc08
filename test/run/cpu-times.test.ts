import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { analyse } from '../../src/analysis/analyse.js';
import { parseSamples } from '../../src/analysis/parse.js';
import { type CpuTimes, cpuTimes } from '../../src/contract/sample.js';
import { cpuTimesDifference, parseCpuTimes } from '../../src/hosts/cpu-times.js';
import { LocalHost } from '../../src/hosts/local.js';
import { plotsOf } from '../../src/report/figures.js';
import { idleRun } from '../support/samples.js';
import { fakeRun, tinyPlan } from './fake-run.js';

const stat = (...rows: string[]) => `cpu  1 1 1 1 1 1 1 1 0 0\n${rows.join('\n')}\nintr 5 0\n`;

describe('time of CPUs', () => {
  it('is read by state, in microseconds', () => {
    const [first, second] = parseCpuTimes(stat('cpu0 10 2 30 400 5 6 7 8 0 0', 'cpu1 0 0 0 9 0 0 0 0 0 0'));
    assert.deepEqual(first, {
      cpu: 0,
      userUs: 100_000,
      niceUs: 20_000,
      systemUs: 300_000,
      idleUs: 4_000_000,
      iowaitUs: 50_000,
      irqUs: 60_000,
      softirqUs: 70_000,
      stealUs: 80_000,
    });
    assert.equal(second!.softirqUs, 0, 'accounted elsewhere, none here');
  });

  it('says when a kernel does not account interrupts', () => {
    const [only] = parseCpuTimes(stat('cpu0 10 2 30 400 5 0 0 8 0 0'));
    assert.deepEqual([only!.irqUs, only!.softirqUs], [null, null]);
  });

  it('is what the asked CPUs did in between', () => {
    const before = parseCpuTimes(stat('cpu0 1 0 0 9 0 0 1 0 0 0', 'cpu1 5 0 5 5 0 0 1 0 0 0'));
    const after = parseCpuTimes(stat('cpu0 3 0 0 8 0 0 1 0 0 0', 'cpu1 6 0 9 5 0 0 3 0 0 0'));
    const [one, ...rest] = cpuTimesDifference(before, after, [1]);
    assert.deepEqual(rest, []);
    assert.deepEqual([one!.cpu, one!.userUs, one!.systemUs, one!.softirqUs], [1, 10_000, 40_000, 20_000]);
    assert.equal(cpuTimesDifference(before, after, [0])[0]!.idleUs, 0, 'idle time is not taken back');
    assert.deepEqual(cpuTimesDifference([], after, [0]), []);
  });

  it('is in every window of a run, for the CPUs of server and client', async () => {
    const host = new LocalHost();
    const expected = host.cpuTimes() !== null;
    const { folder } = await fakeRun({ plan: tinyPlan({ blocks: { min: 1, max: 1 } }), host });
    for (const { windows, pinning } of folder.samples()) {
      const cpus = [...new Set([...pinning.server, ...pinning.client])].sort((a, b) => a - b);
      for (const { cpus: found } of Object.values(windows)) {
        assert.deepEqual(
          found?.map((one) => cpuTimes.parse(one).cpu),
          expected ? cpus : undefined,
        );
      }
    }
  });
});

describe('figure of the CPU', () => {
  const times = (softirqUs: number | null): CpuTimes => ({
    cpu: 0,
    userUs: 300_000,
    niceUs: 0,
    systemUs: 500_000,
    idleUs: 0,
    iowaitUs: 0,
    irqUs: softirqUs && 0,
    softirqUs,
    stealUs: 0,
  });
  function stackOf(softirqUs: number | null | undefined, windows: readonly string[]) {
    const samples = idleRun({ trials: 2, impls: ['native'] }).map((sample) => ({
      ...sample,
      windows: Object.fromEntries(
        windows.map((name) => {
          const window = sample.windows[name]!;
          const other = { ...times(9), cpu: 1 };
          return [name, softirqUs === undefined ? window : { ...window, cpus: [times(softirqUs), other] }];
        }),
      ),
    }));
    const parsed = parseSamples(samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
    const plots = plotsOf(analyse(null, parsed).experiments[0]!);
    return { samples, plot: plots.find(({ kind }) => kind === 'stack')! };
  }
  const partsOf = ({ panels }: ReturnType<typeof stackOf>['plot']) =>
    panels[0]!.series.map(({ name }) => name);

  for (const windows of [['closed', 'open'], ['open']]) {
    it(`stacks softirq of the server's CPU on user and system (${windows.join(', ')})`, () => {
      const { samples, plot } = stackOf(200_000, windows);
      assert.deepEqual(partsOf(plot), ['user', 'system', 'softirq']);
      const { load } = samples[0]!.windows[windows[0]!]!;
      const first = plot.panels[0]!.series[2]!.points[0]!;
      const nearly = windows[0] === 'open' ? 1e-9 : 0.05;
      assert.ok(Math.abs((first.y * load.requests) / 200_000 - 1) < nearly, `${first.y}`);
    });
  }

  const gaps = [
    { softirq: null, says: /not accounted by this kernel/ },
    { softirq: undefined, says: /not recorded in this run/ },
  ];
  for (const { softirq, says } of gaps) {
    it(`is the process's alone where softirq is ${softirq === null ? 'not accounted' : 'not recorded'}`, () => {
      const { plot } = stackOf(softirq, ['closed']);
      assert.deepEqual(partsOf(plot), ['user', 'system']);
      assert.match(plot.meaning, says);
    });
  }
});
