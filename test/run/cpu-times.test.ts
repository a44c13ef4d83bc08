import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { analyse } from '../../src/analysis/analyse.js';
import type { CpuTimes } from '../../src/contract/host.js';
import { cpuTimesDifference, parseCpuTimes } from '../../src/hosts/cpu-times.js';
import { counters } from '../../src/hosts/machine.js';
import { plotsOf } from '../../src/report/figures.js';
import { parseSamples } from '../../src/results/parse.js';
import type { MeasurementOf } from '../../src/trials/registry.js';
import { measured, measuredAs } from '../../src/trials/sample.js';
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
    const expected = counters().cpus !== null;
    const { folder } = await fakeRun({ plan: tinyPlan({ blocks: { min: 1, max: 1 } }) });
    for (const sample of folder.samples())
      for (const [, { cpus }] of measuredAs(sample, 'load')) {
        const of = (role: 'server' | 'client') => cpus?.[role].map(({ cpu }) => cpu);
        assert.deepEqual(of('server'), expected ? sample.pinning.server : undefined);
        assert.deepEqual(of('client'), expected ? sample.pinning.client : undefined);
      }
  });
});

describe('figure of the CPU', () => {
  /** A CPU that did the server's work, softirq of a fifth of it (or not accounted), and `others` for other programs. */
  const times = ({ before, after }: MeasurementOf<'load'>, accounted: boolean, others: number): CpuTimes => ({
    cpu: 0,
    userUs: Math.round(after.cpu.userUs - before.cpu.userUs) + others,
    niceUs: 0,
    systemUs: Math.round(after.cpu.systemUs - before.cpu.systemUs),
    idleUs: 0,
    iowaitUs: 0,
    irqUs: accounted ? 0 : null,
    softirqUs: accounted ? Math.round((after.cpu.systemUs - before.cpu.systemUs) / 5) : null,
    stealUs: 0,
  });
  function stackOf(accounted: boolean | undefined, windows: readonly string[], others = 0) {
    const samples = idleRun({ trials: 2, impls: ['native'] }).map((sample) => ({
      ...sample,
      measurements: Object.fromEntries(
        windows.map((name) => {
          const one = measured(sample, name, 'load')!;
          if (accounted === undefined) return [name, { ...one, cpus: null }];
          const server = [times(one, accounted, others)];
          return [name, { ...one, cpus: { server, client: [{ ...times(one, true, 9e6), cpu: 1 }] } }];
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
      const { plot } = stackOf(true, windows);
      assert.deepEqual(partsOf(plot), ['user', 'system', 'softirq']);
      const [, system, softirq] = plot.panels[0]!.series.map(({ points }) => points[0]!.y);
      assert.ok(Math.abs(softirq! / system! - 0.2) < 1e-3, `${softirq} of ${system}`);
    });
  }

  const gaps = [
    { name: 'softirq is not accounted', accounted: false, others: 0, says: /not accounted by this kernel/ },
    { name: 'softirq is not recorded', accounted: undefined, others: 0, says: /not recorded in this run/ },
    { name: 'the CPU worked mostly for others', accounted: true, others: 5e6, says: /load was too low/ },
  ];
  for (const { name, accounted, others, says } of gaps) {
    it(`is the process's alone where ${name}`, () => {
      const { plot } = stackOf(accounted, ['closed'], others);
      assert.deepEqual(partsOf(plot), ['user', 'system']);
      assert.match(plot.meaning, says);
    });
  }
});
