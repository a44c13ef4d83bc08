/** A run over several hosts: nothing of one is drawn, averaged or compared as if it were of another. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { slowed } from '../../bench/slowed.js';
import { type Analysis, analyse } from '../../src/analysis/analyse.js';
import { compareRuns } from '../../src/analysis/compare.js';
import type { HostFacts } from '../../src/contract/host.js';
import { comparisonFormats, formatComparison } from '../../src/report/comparison.js';
import { plotsOf } from '../../src/report/figures.js';
import { outcome } from '../../src/report/terminal.js';
import { writeReport } from '../../src/report/write.js';
import type { Sample } from '../../src/trials/sample.js';
import { runFolder } from '../support/run-folder.js';
import { host, idleRun, runInfo, udpSample } from '../support/samples.js';

const far: HostFacts = {
  ...host,
  name: 'netns',
  kernel: 'Linux 6.9.0',
  cpuModel: 'Other CPU',
  transport: 'veth',
};
const at = (where: HostFacts, samples: readonly Sample[]): Sample[] =>
  samples.map((sample) => ({ ...sample, host: where, clientHost: { ...where, kernel: 'Linux 5.15.0' } }));

/** The same cells on two hosts, one of which needs twice as long for everything. */
const twice = (samples: readonly Sample[]) => [
  ...samples,
  ...at(far, samples).map((sample) => slowed(sample, 2)),
];
const idle = idleRun({ trials: 3, impls: ['baseline', 'native'] });
const both = twice(idle);
const analysed = (samples: Sample[]): Analysis => analyse(runInfo(), { samples, refused: [], notices: [] });

const udp = [10, 100, null].flatMap((offered) =>
  [10, 5000].flatMap((ports) =>
    [0, 1, 2].map((block) =>
      udpSample({
        backend: 'epoll',
        ports,
        offered,
        block,
        cpuUs: 20 + block,
        seconds: [50_000, 60_000 + block],
      }),
    ),
  ),
);

describe('a run over two hosts', () => {
  it('has a series for each of them, labelled with its name', () => {
    const labels = analysed(both).experiments[0]!.series.map(({ label }) => label);
    assert.equal(new Set(labels).size, labels.length);
    for (const name of [host.name, far.name])
      assert.equal(labels.filter((label) => label.endsWith(` · ${name}`)).length, labels.length / 2);
  });

  for (const { name, samples } of [
    { name: 'idle-connections', samples: idle },
    { name: 'udp-ports', samples: udp },
  ]) {
    it(`draws every kind of figure of ${name} host by host`, () => {
      const plots = plotsOf(analysed(twice(samples)).experiments[0]!);
      const alone = plotsOf(analysed(at(far, samples)).experiments[0]!);
      assert.deepEqual(
        plots.map(({ id }) => id),
        alone.map(({ id }) => id),
      );
      for (const { id, panels } of plots) {
        const lonely = alone.find((plot) => plot.id === id)!.panels.length;
        assert.equal(panels.length, 2 * lonely, id);
        assert.equal(panels.filter(({ title }) => title.endsWith(far.name)).length, lonely, id);
        for (const { title, series } of panels) {
          // Raw system calls share one name: they are told apart by the mechanism whose line they go with.
          const points = series
            .filter(({ role }) => role === 'mechanism')
            .flatMap((one) => one.points.map(({ x, row }) => `${one.name} ${x} ${row}`));
          assert.equal(new Set(points).size, points.length, `${id}, ${title}: each point once`);
        }
      }
    });
  }

  it('says in the terminal where each row comes from', () => {
    const lines = stripVTControlCharacters(outcome(analysed(both))).split('\n');
    for (const name of [host.name, far.name])
      assert.ok(lines.filter((line) => /^│ /.test(line) && line.includes(name)).length >= 2, name);
    assert.deepEqual(
      lines.filter((line) => line.length > 100),
      [],
    );
  });

  it('has a table for each in the report, with its client and what lies between', (t) => {
    const info = runInfo();
    const [record] = Object.values(info.hosts);
    info.hosts = { ...info.hosts, netns: { ...record!, facts: far, client: far } };
    const text = readFileSync(writeReport(runFolder(t, both, { info })).report, 'utf8');
    const [, one, other] = text.slice(text.indexOf('<h2 id="environment">')).split(/<caption>Host /);
    assert.ok(one!.startsWith('synthetic') && one!.includes('loopback') && one!.includes('Linux 6.1.0'));
    assert.ok(other!.startsWith('netns') && other!.includes('veth') && other!.includes('Linux 6.9.0'));
    assert.match(other!, /Client<\/td><td>Other CPU, Linux 5\.15\.0/);
    assert.match(text, /Synthetic CPU · Linux 6\.1\.0 · Other CPU · Linux 6\.9\.0/);
  });

  it('is not unsteady because its machines differ in speed', () => {
    const fast = idle.map((sample) => ({ ...sample, calibrationNs: 1e6 }));
    const slow = at(far, idle).map((sample) => ({ ...sample, calibrationNs: 3e6 }));
    const unsteady = (samples: Sample[]) =>
      analysed(samples).notices.some(({ text }) => text.includes('was not steady'));
    assert.equal(unsteady([...fast, ...slow]), false);
    const wavering = slow.map((sample, i) => ({ ...sample, calibrationNs: i % 2 === 0 ? 3e6 : 5e6 }));
    assert.equal(unsteady([...fast, ...wavering]), true);
  });

  it('is compared host by host', () => {
    const comparison = compareRuns(analysed(both), analysed([...both].reverse()), ['cpu-per-request']);
    const cells = new Set(both.map(({ cell, host: { name } }) => JSON.stringify([cell, name])));
    assert.equal(comparison.rows.length, cells.size);
    assert.ok(comparison.rows.every(({ shift }) => Math.abs(shift) < 1e-9));
    assert.deepEqual(comparison.environment, []);
    // Of rows that are better when they are less, one has none, and one no hosts.
    const others = ['node-csv', 'customBiggerIsBetter'];
    for (const format of comparisonFormats.filter((one) => !others.includes(one))) {
      const text = formatComparison(comparison, format, null);
      for (const name of [host.name, far.name]) assert.ok(text.includes(name), `${format}: ${name}`);
    }
  });

  it('is compared with one of its hosts alone in what they share', () => {
    const { rows, unmatched } = compareRuns(analysed(both), analysed(at(far, idle)), ['cpu-per-request']);
    assert.ok(rows.length > 0 && rows.every((row) => row.host === 'netns' && row.shift < -0.4));
    assert.ok(unmatched.length > 0);
    assert.ok(unmatched.every(({ run, cell }) => run === 'A' && cell.includes('synthetic')));
    const elsewhere = analysed(at({ ...far, name: 'ssh-box' }, idle));
    assert.throws(
      () => compareRuns(analysed(both), elsewhere),
      /^Error: no host of A is in B: A has synthetic, netns, B has ssh-box$/,
    );
  });
});

describe('runs of one host each', () => {
  it('are compared whatever their hosts are called', () => {
    const { rows, environment } = compareRuns(analysed(idle), analysed(at(far, idle)));
    assert.ok(rows.length > 0 && rows.every((row) => row.host === null));
    assert.ok(environment.some(({ what, a, b }) => what === 'transport' && a === 'loopback' && b === 'veth'));
  });
});
