/** Doubts about the machine, provoked by values: what it did around a trial, and within a window for others. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CpuTimes, MachineState } from '../../src/contract/host.js';
import type { Span } from '../../src/contract/sample.js';
import { cpuAccounting } from '../../src/hosts/linux-facts.js';
import { quotaHierarchies, throttledPeriods } from '../../src/hosts/throttling.js';
import { bestTimings, timingsIn } from '../../src/run/calibration.js';
import { doubts, type Judged } from '../../src/run/doubts.js';
import { metric } from '../../src/trials/registry.js';
import { measured } from '../../src/trials/sample.js';
import { syntheticSample } from '../support/samples.js';

const state: MachineState = {
  calibration: {
    spinNs: 1e6,
    memoryWalkNs: 12,
    pingPong: { roundTripNs: 40_000, cpuNs: 30_000 },
    pairedSpin: 1.02,
  },
  clock: { monotonicNs: 5e9, realtimeNs: 1.7e18 },
  conntrack: null,
  throttledPeriods: 7,
};
const later: MachineState = {
  ...state,
  clock: { monotonicNs: 8e9, realtimeNs: 1.7e18 + 3e9 },
};
const { measurements: _, ...synthetic } = syntheticSample({ cell: {}, cpuUs: 10 });
const open = measured(syntheticSample({ cell: {}, cpuUs: 10 }), 'open', 'load')!;

/** A CPU in a window of a second that worked for so long, and was not asked for more than the kernel tells of ticks. */
const cpu = (number: number, workedUs: number, changes: Partial<CpuTimes> = {}): CpuTimes => ({
  cpu: number,
  userUs: 0,
  niceUs: 0,
  systemUs: 0,
  idleUs: 1e6 - workedUs,
  iowaitUs: 0,
  irqUs: null,
  softirqUs: null,
  stealUs: 0,
  elapsedUs: 1e6,
  sleepUs: 1e6 - workedUs,
  ...changes,
});
const serverUs =
  open.after.cpu.userUs + open.after.cpu.systemUs - open.before.cpu.userUs - open.before.cpu.systemUs;
const clientUs = open.load.client.cpuUs;
const window = (server: CpuTimes, client: CpuTimes, waitedUs = 0) => ({
  measurements: { open: { ...open, cpus: { server: [server], client: [client] }, waitedUs } },
});
/** The same with an emulated link. */
const linked = ({ measurements }: ReturnType<typeof window>, link: Span['link']) => ({
  measurements: { open: { ...measurements.open, link } },
});
/** `worked` on the server's CPU beside the server, which slept so often */
const slept = (times: number, workedUs: number) => ({
  measurements: {
    open: {
      ...window(cpu(0, serverUs + workedUs), quiet[1]).measurements.open,
      before: { ...open.before, contextSwitches: { voluntary: 50, involuntary: 0 } },
      after: { ...open.after, contextSwitches: { voluntary: 50 + times, involuntary: 0 } },
    },
  },
});
const collected = (pauseUs: number, times = 38) => ({
  measurements: {
    open: {
      ...open,
      before: { ...open.before, collections: { count: 2, pauseUs: 900 } },
      after: { ...open.after, collections: { count: 2 + times, pauseUs: 900 + pauseUs } },
    },
  },
});
const quiet = [cpu(0, serverUs), cpu(1, clientUs)] as const;

const sound: Judged = { ...synthetic, machine: { before: state, after: later }, ...window(...quiet) };
const best = bestTimings(timingsIn(sound));

const around = (before: Partial<MachineState>, after: Partial<MachineState> = {}) => ({
  machine: { before: { ...state, ...before }, after: { ...later, ...after } },
});
const pace = (changes: Partial<MachineState['calibration']>) => ({
  calibration: { ...state.calibration, ...changes },
});
const slowPings = pace({ pingPong: { roundTripNs: 50_000, cpuNs: 39_000 } });

const cases: { name: string; change: Partial<Judged>; ids: string[]; invalidates?: boolean }[] = [
  { name: 'nothing wrong', change: {}, ids: [] },
  { name: 'recorded before the machine was looked at', change: { machine: null }, ids: [] },
  {
    name: 'a trial that was not finished',
    change: { machine: { before: state, after: null } },
    ids: [],
  },
  { name: 'slow messages throughout', change: around(slowPings, slowPings), ids: ['calibration'] },
  { name: 'slow messages afterwards', change: around({}, slowPings), ids: ['unsteady-machine'] },
  {
    name: 'slow messages before',
    change: around(slowPings, pace({ spinNs: 1.01e6 })),
    ids: ['calibration', 'unsteady-machine'],
  },
  { name: 'slow memory', change: around(pace({ memoryWalkNs: 20 })), ids: ['calibration'] },
  {
    name: 'memory that is slow while the kernel frees what the trial had',
    change: around({}, pace({ memoryWalkNs: 25 })),
    ids: [],
  },
  { name: 'a slow clock', change: around({}, pace({ spinNs: 1.1e6 })), ids: ['unsteady-machine'] },
  {
    name: 'no loopback',
    change: around(pace({ pingPong: null }), pace({ pingPong: null })),
    ids: [],
  },
  {
    name: 'CPUs that are threads of one core, unsaid',
    change: around(pace({ pairedSpin: 1.6 })),
    ids: ['hidden-siblings'],
  },
  {
    name: 'the same, said',
    change: { ...around(pace({ pairedSpin: 1.6 })), pinning: { ...synthetic.pinning, siblings: true } },
    ids: ['shared-core'],
  },
  {
    name: 'the time of day set back',
    change: around({}, { clock: { monotonicNs: 8e9, realtimeNs: 1.7e18 - 6e9 } }),
    ids: ['clock-set'],
  },
  {
    name: 'a CPU quota that stopped the programs',
    change: around({}, { throttledPeriods: 9 }),
    ids: ['cpu-quota'],
    invalidates: true,
  },
  {
    name: 'no quota told of',
    change: around({ throttledPeriods: null }, { throttledPeriods: null }),
    ids: [],
  },
  {
    name: 'a firewall that is full of connections',
    change: around({}, { conntrack: { count: 950, max: 1000 } }),
    ids: ['conntrack'],
  },
  {
    name: 'a firewall with room',
    change: around({}, { conntrack: { count: 500, max: 1000 } }),
    ids: [],
  },
  {
    name: "a tenth of the server's CPU for others",
    change: window(cpu(0, serverUs + 1e5), quiet[1]),
    ids: ['foreign-cpu'],
    invalidates: true,
  },
  {
    name: "a tenth of the client's CPU for others, such as the suite itself",
    change: window(quiet[0], cpu(1, clientUs + 1e5)),
    ids: [],
  },
  {
    name: "a fifth of the client's CPU for others",
    change: window(quiet[0], cpu(1, clientUs + 2e5)),
    ids: ['foreign-cpu'],
  },
  {
    name: 'the same, by what emulates the link',
    change: linked(window(quiet[0], cpu(1, clientUs + 2e5)), { cpus: [1], cpuUs: 2e5 }),
    ids: [],
  },
  {
    name: 'the same, with an emulated link at work on another CPU',
    change: linked(window(quiet[0], cpu(1, clientUs + 2e5)), { cpus: [2], cpuUs: 2e5 }),
    ids: ['foreign-cpu'],
  },
  {
    name: 'the same, on CPUs that are kept awake',
    change: { ...window(cpu(0, 1e6), cpu(1, 1e6)), awake: { cpus: [0, 1], reason: null } },
    ids: [],
  },
  {
    name: 'a tenth for others where only ticks tell, which may be wrong by half of it',
    change: window(cpu(0, serverUs + 0.099e6, { sleepUs: null }), quiet[1]),
    ids: [],
  },
  {
    name: 'a fifth for others where only ticks tell',
    change: window(cpu(0, serverUs + 2e5, { sleepUs: null }), quiet[1]),
    ids: ['foreign-cpu'],
    invalidates: true,
  },
  { name: 'what 10 000 sleeps a second take themselves', change: slept(10_000, 3e5), ids: [] },
  {
    name: 'more than they take',
    change: slept(10_000, 4.5e5),
    ids: ['foreign-cpu'],
    invalidates: true,
  },
  {
    name: 'one CPU for both sides',
    change: window(cpu(0, serverUs + clientUs), cpu(0, serverUs + clientUs)),
    ids: [],
  },
  {
    name: 'one CPU for both sides and others',
    change: window(cpu(0, serverUs + clientUs + 1e5), cpu(0, serverUs + clientUs + 1e5)),
    ids: ['foreign-cpu'],
    invalidates: true,
  },
  {
    name: 'stolen time, which is nobody’s work',
    change: window(cpu(0, serverUs, { sleepUs: 1e6 - serverUs - 3e4, stealUs: 3e4 }), quiet[1]),
    ids: ['steal'],
  },
  { name: 'somebody waited for a CPU', change: window(...quiet, 4e5), ids: ['pressure'] },
  {
    name: 'a collector that took a twentieth of the window',
    change: collected(50_000),
    ids: ['garbage-collection'],
  },
  { name: 'a collector that took next to nothing', change: collected(500), ids: [] },
  {
    name: 'recorded before the CPUs had a clock',
    change: window(cpu(0, 1e6, { elapsedUs: undefined, sleepUs: undefined }), quiet[1]),
    ids: [],
  },
];

describe('doubts about the machine', () => {
  for (const { name, change, ids, invalidates = false } of cases) {
    it(name, () => {
      const found = doubts({ ...sound, ...change }, best);
      assert.deepEqual(
        found.map((one) => [one.id, one.invalidates]),
        ids.map((id) => [id, invalidates]),
      );
      for (const { message } of found) assert.ok(!/NaN|undefined|null/.test(message), message);
    });
  }

  it('count in words', () => {
    const said = (times: number) => doubts({ ...sound, ...collected(50_000, times) }, best)[0]!.message;
    assert.match(said(1), /: 1 garbage collection stopped/);
    assert.match(said(2), /: 2 garbage collections stopped/);
  });

  it('are held against the best of the run, with what older samples tell', () => {
    const old = { machine: null, calibrationNs: 9e5 };
    assert.deepEqual(bestTimings([old, sound].flatMap(timingsIn)), {
      spin: 9e5,
      memoryWalk: 12,
      pingPong: 30_000,
    });
  });
});

describe('user and system time apart', () => {
  const closed = syntheticSample({ cell: {}, cpuUs: 10 });
  const told = (cpuAccounting: 'precise' | 'ticks' | null, sample = closed) =>
    (['cpu-user', 'cpu-system', 'cpu-per-request'] as const).map(
      (id) => metric(id).of({ ...sample, host: { ...sample.host, cpuAccounting } }) !== null,
    );
  it('is told where the kernel counts each change', () =>
    assert.deepEqual(told('precise'), [true, true, true]));
  for (const accounting of ['ticks', null] as const)
    it(`is not told of a second of CPU time by ${accounting}`, () =>
      assert.deepEqual(told(accounting), [false, false, true]));
  it('is told of several seconds', () => {
    const one = measured(closed, 'closed', 'load')!;
    const cpu = { userUs: 1e6, systemUs: 2e6 };
    const long = { ...closed, measurements: { closed: { ...one, after: { ...one.after, cpu } } } };
    assert.deepEqual(told('ticks', long), [true, true, true]);
  });

  const kernels = [
    { name: 'ticks', config: 'CONFIG_TICK_CPU_ACCOUNTING=y', tickless: null, is: 'ticks' },
    { name: 'native', config: 'CONFIG_VIRT_CPU_ACCOUNTING_NATIVE=y', tickless: null, is: 'precise' },
    { name: 'able, not asked', config: 'CONFIG_VIRT_CPU_ACCOUNTING_GEN=y', tickless: '(null)', is: 'ticks' },
    { name: 'able, asked', config: 'CONFIG_VIRT_CPU_ACCOUNTING_GEN=y', tickless: '1-3', is: 'precise' },
    { name: 'unknown', config: null, tickless: '1-3', is: null },
  ] as const;
  for (const { name, config, tickless, is } of kernels)
    it(`by a kernel: ${name}`, () => assert.equal(cpuAccounting(config, tickless), is));
});

describe('periods in which a quota stopped programs', () => {
  const files: Record<string, string> = {
    '/sys/fs/cgroup/cpu.stat': 'usage_usec 5\n',
    '/sys/fs/cgroup/a/cpu.stat': 'usage_usec 5\nnr_periods 9\nnr_throttled 2\n',
    '/sys/fs/cgroup/a/b/cpu.stat': 'nr_periods 9\nnr_throttled 3\nthrottled_usec 8\n',
    '/cg/cpu/x/cpu.stat': 'nr_periods 4\nnr_throttled 1\nthrottled_time 8\n',
  };
  const read = (path: string) => files[path] ?? null;
  const two = '30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw';
  const places = [
    { name: 'version 2, all groups above', groups: '0::/a/b', mounts: two, periods: 5 },
    {
      name: 'version 2 in a container that sees its own group as the root',
      groups: '0::/docker/1/a',
      mounts: '30 20 0:26 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup rw',
      periods: 2,
    },
    {
      name: 'version 1',
      groups: '3:cpu,cpuacct:/x\n2:memory:/y',
      mounts:
        '31 20 0:27 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n32 20 0:28 / /cg/memory rw - cgroup cgroup rw,memory',
      periods: 1,
    },
    { name: 'a root that has no quota', groups: '0::/', mounts: two, periods: null },
    { name: 'no control groups', groups: '', mounts: '22 1 254:0 / / rw - ext4 /dev/vda rw', periods: null },
  ];
  for (const { name, groups, mounts, periods } of places)
    it(name, () => assert.equal(throttledPeriods(quotaHierarchies(groups, mounts), read), periods));
});
