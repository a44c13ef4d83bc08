/** Somebody else's servers beside ours, and experiments that are not like those of this version. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type Analysis, analyse } from '../../src/analysis/analyse.js';
import { styleOf } from '../../src/contract/names.js';
import { palettes } from '../../src/report/drawing.js';
import { plotsOf } from '../../src/report/figures.js';
import { outcome } from '../../src/report/terminal.js';
import { writeReport } from '../../src/report/write.js';
import type { Sample } from '../../src/trials/sample.js';
import { runFolder } from '../support/run-folder.js';
import { idleRun, runInfo, syntheticSample } from '../support/samples.js';

const analysed = (samples: Sample[]): Analysis => analyse(runInfo(), { samples, refused: [], notices: [] });
const trials = (cell: Sample['cell'], cpuUs: number, experiment = 'idle-connections') =>
  [0, 1, 2].map((block) => syntheticSample({ experiment, cell, block, cpuUs: cpuUs + 0.1 * block }));
const printed = (samples: Sample[]) => stripVTControlCharacters(outcome(analysed(samples)));

describe("somebody else's servers", () => {
  const foreign = ['nginx', 'my-server.js'].flatMap((impl, i) =>
    [0, 1000, 4000].flatMap((idle) =>
      trials({ backend: null, impl, io: null, idle, connections: 100 }, 9 + i),
    ),
  );
  const samples = [...idleRun({ trials: 3, idle: [0, 1000, 4000] }), ...foreign];
  const [experiment] = analysed(samples).experiments;

  it('are called by their names alone', () => {
    const labels = experiment!.series.map(({ label }) => label);
    assert.deepEqual(labels.slice(-2), ['my-server.js', 'nginx']);
    assert.match(printed(samples), /^│ nginx +│/m);
  });

  it('have panels of their own beside ours, each in a style of its own', () => {
    const cpu = plotsOf(experiment!).find(({ id }) => id === 'idle-connections-cpu-per-request')!;
    const own = ['my-server.js', 'nginx'].map((name) => cpu.panels.find(({ title }) => title === name)!);
    assert.ok(cpu.panels.length > own.length);
    const styles = own.map(({ who, title, series }) => {
      assert.deepEqual([who, series.map(({ name }) => name)], [title, [title]]);
      assert.equal(series[0]!.points.length, 3);
      return series[0]!.style;
    });
    const ours = ['select', 'poll', 'epoll'].map(styleOf);
    assert.equal(new Set([...styles, ...ours]).size, 5);
    assert.ok(Math.max(...styles) < palettes.light.length);
    for (const colours of Object.values(palettes)) {
      assert.equal(colours.length, palettes.light.length);
      assert.equal(new Set(colours).size, colours.length);
    }
  });

  it('are reported where they are all that was measured', (t) => {
    assert.match(printed(foreign), /nginx/);
    const plots = plotsOf(analysed(foreign).experiments[0]!);
    assert.ok(plots.some(({ id }) => id === 'idle-connections-cpu-stack'));
    assert.match(readFileSync(writeReport(runFolder(t, foreign)).report, 'utf8'), /my-server\.js/);
  });
});

describe("a server in C on somebody else's loop", () => {
  const peers = (['poll', 'epoll'] as const).flatMap((backend, i) =>
    [0, 1000, 4000].flatMap((idle) =>
      trials({ backend, impl: 'libevent', io: null, idle, connections: 100 }, 9 + i),
    ),
  );
  const [experiment] = analysed([...idleRun({ trials: 3, idle: [0, 1000, 4000] }), ...peers]).experiments;

  it('is called by mechanism and library, and stands between ours and those in Node', () => {
    const labels = experiment!.series.map(({ label }) => label);
    assert.deepEqual(labels.slice(-3), ['poll · libevent', 'epoll · libevent', 'epoll · libuv']);
  });

  it('has a panel of its own, its mechanisms in the colours that they have everywhere', () => {
    const cpu = plotsOf(experiment!).find(({ id }) => id === 'idle-connections-cpu-per-request')!;
    const own = cpu.panels.find(({ who }) => who === 'libevent (evhttp, C)')!;
    const drawn = own.series
      .filter(({ role }) => role === 'mechanism')
      .map(({ name, style }) => [name, style]);
    assert.deepEqual(drawn, [
      ['poll', styleOf('poll')],
      ['epoll', styleOf('epoll')],
    ]);
  });
});

describe('an experiment of another version', () => {
  const samples = ['small', 'large'].flatMap((size) =>
    [1, 2, 4].flatMap((depth) =>
      trials({ backend: 'epoll', impl: 'native', size, depth }, 5 * depth, 'to-come'),
    ),
  );

  it('is drawn along its numbers: every figure that is better or worse', () => {
    const [experiment] = analysed(samples).experiments;
    assert.deepEqual([experiment!.name, experiment!.factor], ['to-come', 'depth']);
    const plots = plotsOf(experiment!);
    for (const metric of ['throughput', 'latency-p99'])
      assert.ok(
        plots.some(({ id }) => id === `to-come-${metric}`),
        metric,
      );
    for (const { panels } of plots)
      assert.deepEqual(
        panels.map(({ title }) => title),
        ['native server · size large', 'native server · size small'],
      );
  });

  it('has its rows in the closing table and its section in the report', (t) => {
    assert.match(printed(samples), /to-come: throughput and median latency against depth/);
    const text = readFileSync(writeReport(runFolder(t, samples)).report, 'utf8');
    assert.match(text, /<h2 id="experiment-to-come">/);
  });
});

describe('an experiment without a factor of numbers', () => {
  const samples = ['small', 'large'].flatMap((size, i) =>
    trials({ backend: 'epoll', impl: 'native', size }, 5 + i, 'to-come'),
  );

  it('gets a table of all its figures instead of plots', (t) => {
    assert.deepEqual(plotsOf(analysed(samples).experiments[0]!), []);
    const text = readFileSync(writeReport(runFolder(t, samples)).report, 'utf8');
    const [, table] = text.split('<h3>All figures</h3>');
    const rows = table!.slice(0, table!.indexOf('</table>')).split('<tr>');
    for (const size of ['small', 'large'])
      assert.ok(
        rows.some((row) => row.includes(`epoll · native · size ${size}`) && row.includes('Peak throughput')),
        size,
      );
    assert.doesNotMatch(text.slice(0, text.indexOf('<script')), /NaN|undefined/);
  });

  it('has a row for each of its cells in the closing table', () => {
    const text = printed(samples);
    assert.match(text, /size small/);
    assert.match(text, /size large/);
  });
});
