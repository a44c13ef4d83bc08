/** Hosts against each other: ranked by their own growth, absolute figures class by class, claims whole or not at all. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { analyse } from '../../src/analysis/analyse.js';
import { cellsOf } from '../../src/analysis/cells.js';
import { absolute, byClass } from '../../src/analysis/classes.js';
import { verdictOf } from '../../src/analysis/verdicts.js';
import { claims } from '../../src/claims/claims.js';
import type { ExecutionClass } from '../../src/contract/common.js';
import { bestOf, crossHost } from '../../src/experiments/cross-host.js';
import type { Machine } from '../../src/experiments/experiment.js';
import { hostAnswer } from '../../src/report/across-hosts.js';
import { plotsOf } from '../../src/report/figures.js';
import { outcome } from '../../src/report/terminal.js';
import { writeReport } from '../../src/report/write.js';
import type { Sample } from '../../src/trials/sample.js';
import { crossHostRun, type SyntheticHost } from '../support/cross-host.js';
import { runFolder } from '../support/run-folder.js';
import { host, idleRun, runInfo } from '../support/samples.js';

const hosts: SyntheticHost[] = [
  { name: 'local', cpuUs: 10, growth: 1 },
  { name: 'netns', transport: 'veth', cpuUs: 12, growth: 1 },
  { name: 'box', executionClass: 'container', transport: 'veth', cpuUs: 13, growth: 1.2 },
  { name: 'sandbox', executionClass: 'sandbox', transport: 'veth', cpuUs: 80, growth: 2 },
];
const info = { ...runInfo(), absent: [{ host: 'qemu', reason: 'there is no program qemu' }] };
const analysed = (samples: Sample[]) => analyse(info, { samples, refused: [], notices: [] });
const whole = analysed(crossHostRun(hosts));
const [experiment] = whole.experiments;

describe('hosts', () => {
  it('are ranked by how their own cost grows, with the places that intervals leave open', () => {
    const [tcp] = experiment!.hosts!.rankings;
    const ranked = tcp!.standings.map(({ series, places }) => [series.host.name, places]);
    assert.deepEqual(ranked.slice(2), [
      ['box', [3, 3]],
      ['sandbox', [4, 4]],
    ]);
    for (const [, places] of ranked.slice(0, 2)) assert.deepEqual(places, [1, 2]);
    const { growth } = tcp!.standings[3]!;
    assert.ok(growth.low! < 2 && growth.high! > 2 && growth.n === 5);
  });

  it('are held against this machine over loopback in the same blocks', () => {
    const { reference, costs } = experiment!.hosts!;
    assert.equal(reference!.name, 'local');
    const cpu = costs.filter(
      ({ of, metric }) => of === 'one TCP request' && metric.id === 'open-cpu-per-request',
    );
    const against = new Map(cpu.map(({ host: { name }, against: ratio }) => [name, ratio]));
    assert.equal(against.get('local'), null);
    for (const [name, truth] of [
      ['netns', 1.2],
      ['box', 1.3],
      ['sandbox', 8],
    ] as const) {
      const { estimate, low, high, n } = against.get(name)!;
      assert.ok(Math.abs(estimate / truth - 1) < 0.02 && low! < estimate && high! > estimate, name);
      assert.equal(n, 5);
    }
  });

  it('without a native one over loopback have no reference, and nothing stands in for it', () => {
    const { reference, costs } = analysed(crossHostRun(hosts.slice(1))).experiments[0]!.hosts!;
    assert.equal(reference, null);
    assert.ok(costs.length > 0 && costs.every(({ against }) => against === null));
  });

  it('with their client outside and inside say what the network between costs', (t) => {
    const both: SyntheticHost[] = [
      { name: 'a-inside', cpuUs: 15, growth: 1 },
      { name: 'here', cpuUs: 10, growth: 1 },
      { name: 'wire', transport: 'veth', cpuUs: 18, growth: 1 },
    ];
    const declared = (name: string, kind: string, role: 'server' | 'both') => ({
      name,
      kind,
      role,
      resources: {},
      pin: {},
    });
    const record = runInfo();
    const plan = {
      ...record.plan,
      hosts: [
        declared('here', 'local', 'server'),
        declared('wire', 'netns', 'server'),
        declared('a-inside', 'netns', 'both'),
      ],
    };
    const run = { ...record, plan };
    const samples = crossHostRun(both);
    const { networks, reference } = analyse(run, { samples, refused: [], notices: [] }).experiments[0]!
      .hosts!;
    assert.equal(reference!.name, 'here', 'not the inside of another host');
    const cpu = networks.find(({ metric: { id } }) => id === 'open-cpu-per-request')!;
    assert.deepEqual([cpu.outside.name, cpu.inside.name], ['wire', 'a-inside']);
    assert.ok(Math.abs(cpu.extra.estimate - 3) < 0.3 && cpu.extra.low! > 2 && cpu.extra.high! < 4);
    const text = readFileSync(writeReport(runFolder(t, samples, { info: run })).report, 'utf8');
    assert.ok(text.includes('What the virtual network costs'));
  });

  it('answer in one sentence, with those that are not available', () => {
    const { headline, remarks } = hostAnswer(experiment!, info)!;
    assert.match(
      headline,
      /^On TCP no host is shown to scale better than (local|netns) \(epoll\) and .* from 0 to 15.000 idle.*; of each it holds, by less than × 1\.11; /,
    );
    assert.match(headline, /box \(epoll\) × .* and sandbox \(epoll\) × .* grow more\.$/);
    assert.ok(remarks.includes('Not available here: qemu (there is no program qemu).'));
    const shown = stripVTControlCharacters(outcome(whole));
    assert.ok(shown.startsWith('On TCP no host is shown'));
    assert.match(shown, /qemu is not available here: there is no program qemu/);
    assert.ok(shown.split('\n').every((line) => line.length <= 100));
  });

  it('are named where one of them is first', () => {
    const alone = analysed(crossHostRun([hosts[0]!, hosts[3]!])).experiments[0]!;
    assert.match(hostAnswer(alone, info)!.headline, /^local \(epoll\) scales best on TCP: /);
    const equal = analysed(crossHostRun(hosts.slice(0, 2))).experiments[0]!;
    assert.match(hostAnswer(equal, info)!.headline, /^On TCP no host is shown to scale better than another/);
    const short = analysed(crossHostRun(hosts, { trials: 2 })).experiments[0]!;
    assert.match(hostAnswer(short, info)!.headline, /^Not resolved: .* three blocks\.$/);
  });

  it('are in the report with their rankings, costs, and the absent', (t) => {
    const text = readFileSync(writeReport(runFolder(t, crossHostRun(hosts), { info })).report, 'utf8');
    for (const part of ['Ranking of hosts', 'What a host costs', 'there is no program qemu'])
      assert.ok(text.includes(part), part);
  });
});

describe('execution classes', () => {
  it('never share an absolute axis', () => {
    const at = (executionClass: ExecutionClass) => ({ host: { executionClass } });
    assert.throws(
      () => absolute([at('native'), at('sandbox')]),
      /class native and sandbox do not belong on one axis/,
    );
    assert.equal(absolute([at('vm'), at('vm')]).length, 2);
    assert.deepEqual(
      byClass([at('native'), at('vm'), at('native')]).map(([name, all]) => [name, all.length]),
      [
        ['native', 2],
        ['vm', 1],
      ],
    );
  });

  it('have a figure each; growth has all of them in one', () => {
    const names = (id: string) =>
      plotsOf(experiment!)
        .find((plot) => plot.id === `cross-host-${id}`)!
        .panels.map(({ series }) => series.map(({ name }) => name));
    const everybody = ['local', 'netns', 'box', 'sandbox'];
    assert.deepEqual(
      names('open-cpu-per-request').map((all) => all.sort()),
      [[...everybody].sort(), [...everybody].sort()],
    );
    assert.deepEqual(
      names('open-cpu-per-request-native').map((all) => all.sort()),
      [
        ['local', 'netns'],
        ['local', 'netns'],
      ],
    );
    assert.deepEqual(names('open-cpu-per-request-sandbox'), [['sandbox'], ['sandbox']]);
    const growth = plotsOf(experiment!).find(({ id }) => id === 'cross-host-open-cpu-per-request')!;
    for (const { series } of growth.panels) for (const { points } of series) assert.equal(points[0]!.y, 1);
  });

  it('are apart in the figures of other experiments as well', () => {
    const elsewhere = { ...host, name: 'sandbox', executionClass: 'sandbox' as const };
    const idle = idleRun({ trials: 3, impls: ['native'] });
    const both = [...idle, ...idle.map((sample) => ({ ...sample, host: elsewhere }))];
    const plots = plotsOf(analysed(both).experiments[0]!);
    assert.ok(plots.length > 0);
    for (const { id, panels } of plots)
      assert.equal(new Set(panels.map(({ title }) => title.includes('sandbox'))).size, 1, id);
  });
});

describe('claims across hosts', () => {
  const systems = (windows: number): SyntheticHost[] => [
    { name: 'here', cpuUs: 10, growth: 1 },
    { name: 'bsd', kernel: 'FreeBSD 14.1', backend: 'kqueue', cpuUs: 12, growth: 1.3 },
    { name: 'sun', kernel: 'SunOS 5.11', backend: 'evport', cpuUs: 12, growth: 1.2 },
    { name: 'win', kernel: 'Windows_NT 10.0', backend: 'wsapoll', cpuUs: 20, growth: windows },
  ];
  const verdict = (id: string, all: readonly SyntheticHost[]) =>
    verdictOf(claims.find((one) => one.id === id)!, cellsOf(crossHostRun(all)));

  it('are decided where every host is there', () => {
    assert.equal(verdict('T7', systems(3)).verdict, 'supported');
    assert.equal(verdict('T9', systems(3)).verdict, 'supported');
    assert.equal(verdict('T9', systems(0.8)).verdict, 'contradicted');
    // On UDP these hosts grow as they do on TCP, and the claim says the opposite of it there.
    assert.equal(verdict('T8', systems(3)).verdict, 'contradicted');
  });

  it('are not tested with a host missing, which is named, and show no half', () => {
    for (const id of ['T7', 'T9']) {
      const { verdict: name, missing, evidence } = verdict(id, systems(3).slice(0, 3));
      assert.deepEqual([name, evidence], ['not tested', []], id);
      assert.match(missing!, /Windows_NT host/, id);
      assert.doesNotMatch(missing!, /FreeBSD|SunOS/, id);
    }
    assert.match(verdict('T8', systems(3).slice(0, 1)).missing!, /FreeBSD host|SunOS host/);
  });
});

describe('the mechanism of a host', () => {
  const machine = (...available: Machine['available']): Machine => ({
    available,
    nodeBackend: 'poll',
    descriptorLimit: 20_000,
  });

  it('is the first that the host has whose wait looks at ready descriptors only', () => {
    assert.equal(bestOf(machine('select', 'poll', 'epoll', 'epoll-et')), 'epoll');
    assert.equal(bestOf(machine('select', 'poll', 'kqueue')), 'kqueue');
    assert.equal(bestOf(machine('select', 'evport', 'devpoll')), 'evport');
    assert.equal(bestOf(machine('wsapoll')), 'wsapoll');
    assert.equal(bestOf(machine()), undefined);
  });

  it('decides the cells of each host by itself', () => {
    const settings = crossHost.profile('quick', machine('poll'));
    const of = (one: Machine) => [...new Set(crossHost.cells(settings, one).map(({ backend }) => backend))];
    assert.deepEqual(of(machine('select', 'epoll')), ['epoll']);
    assert.deepEqual(of(machine('select', 'kqueue')), ['kqueue']);
  });
});
