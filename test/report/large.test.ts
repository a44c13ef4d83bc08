import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { analyse, type ExperimentAnalysis } from '../../src/analysis/analyse.js';
import { chartOption } from '../../src/report/chart.js';
import { plotsOf } from '../../src/report/figures.js';
import { page } from '../../src/report/page.js';
import type { Plot } from '../../src/report/plot.js';
import { packPlot, unpackPlot } from '../../src/report/plot-pack.js';
import { plotTable, rowsOf } from '../../src/report/plot-table.js';
import { writeReport } from '../../src/report/write.js';
import { fullRun, fullRunInfo } from '../support/full-run.js';
import { runFolder } from '../support/run-folder.js';

describe('report of the largest run', () => {
  const cleanups: (() => void)[] = [];
  let folder: string;
  let text: string;
  let experiment: ExperimentAnalysis;
  before(() => {
    const later = { after: (clean: unknown) => cleanups.push(clean as () => void) };
    folder = runFolder(later as Parameters<typeof runFolder>[0], fullRun(), { info: fullRunInfo() });
    const { analysis, report } = writeReport(folder);
    experiment = analysis.experiments[0]!;
    text = readFileSync(report, 'utf8');
  });
  after(() => {
    for (const clean of cleanups) clean();
  });

  it('is a page of at most 3 MB that draws every trial', () => {
    assert.equal(experiment.cells.length, 1216);
    const { size } = statSync(join(folder, 'report.html'));
    assert.ok(size <= 3e6, `${size} bytes`);
    assert.match(text, /small dots are single trials/);
  });

  it('says what it leaves out, and links to it in the folder of the run', () => {
    const said = /Left out of this page[^<]*/.exec(text)![0];
    for (const name of ['summary.csv', 'summary.tsv']) {
      assert.ok(said.includes(name), name);
      assert.ok(text.includes(`href="${name}"`), name);
      assert.ok(existsSync(join(folder, name)), name);
    }
    for (const name of ['samples.ndjson', 'histograms/', 'plots/']) assert.ok(said.includes(name), name);
  });

  it('shows a figure of many panels for the implementation nearest to the mechanism, the others folded', () => {
    const plots = plotsOf(experiment);
    assert.ok(plots.every(({ panels }) => panels.length <= 9));
    const parts = plots.filter(({ id, continues }) => [id, continues].includes('udp-ports-latency-p50'));
    assert.deepEqual(
      parts.map(({ panels }) => [...new Set(panels.map(({ who }) => who))]),
      [['native server'], ['TypeScript server, io=batch'], ['node:net (libuv)']],
    );
    assert.equal(
      parts.reduce((sum, { panels }) => sum + panels.length, 0),
      21,
      'none is lost',
    );
    const files = readdirSync(join(folder, 'plots'));
    for (const { id } of plots) {
      assert.ok(files.includes(`${id}.svg`), id);
      assert.equal(text.split(`id="figure-${id}"`).length, 2, id);
    }
  });

  it('carries the figures of the run into the page, with the digits that can be seen', () => {
    const near = (sent: number | null, own: number | null, error: number) =>
      sent === own || Math.abs(sent! - own!) <= error * Math.abs(own!);
    for (const plot of plotsOf(experiment)) {
      const sent = unpackPlot(JSON.parse(JSON.stringify(packPlot(plot, true))));
      assert.equal(plotTable(sent).text.split('<tr>').length, rowsOf(plot) + 2, plot.id);
      const pointsOf = ({ panels }: Plot) =>
        panels.flatMap(({ series }) => series.flatMap((one) => one.points));
      for (const [i, own] of pointsOf(plot).entries()) {
        const { x, y, low, high, n, row, dots } = pointsOf(sent)[i]!;
        assert.deepEqual([x, n, row, dots.length], [own.x, own.n, own.row, own.dots.length]);
        assert.ok(near(y, own.y, 1e-5) && near(low, own.low, 1e-5) && near(high, own.high, 1e-5));
        assert.ok(dots.every((dot, trial) => near(dot, own.dots[trial]!, 1e-3)));
      }
    }
  });
});

describe('report of a run that does not fit', () => {
  const analysis = analyse(fullRunInfo(), { samples: fullRun(2), refused: [], notices: [] });
  const plots = plotsOf(analysis.experiments[0]!);
  const assets = { css: '', script: '', modules: '', echarts: '', flame: { style: '', script: '' } };
  const parts = {
    analysis,
    pictures: new Map(),
    plots: new Map([['udp-ports', plots]]),
    downloads: new Map(),
    profiles: [],
    assets,
  };

  it('leaves out single trials and says where they are', () => {
    const [whole, lean] = [page(parts), page(parts, 1000)];
    assert.ok(lean.length < whole.length);
    assert.match(whole, /data-switch="trials"/);
    assert.doesNotMatch(lean, /data-switch="trials"/);
    assert.match(lean, /single trials are too many for this page: the files in the run&#39;s folder plots/);
  });

  for (const width of [280, 400, 640, 1040]) {
    it(`keeps the dots of trials inside panels, ${width} pixels wide`, () => {
      const view = { width, logY: true, dots: true, dark: false, legend: false, still: false };
      for (const plot of plots.filter(({ kind }) => kind === 'lines')) {
        const farthest = farthestDot(plot, { ...view, logX: plot.logX });
        assert.ok(farthest <= 1, `${plot.id}: ${farthest} of the panel's width`);
      }
    });
  }
});

interface Drawn {
  grid: { width: number }[];
  xAxis: { min?: number; max: number }[];
  series: {
    type: string;
    symbolSize?: number;
    symbolOffset?: [number, number];
    data: number[][];
    xAxisIndex: number;
  }[];
}

/** Right edge of the rightmost dot as a share of its panel's width. */
function farthestDot(plot: Plot, view: Parameters<typeof chartOption>[1]): number {
  const { grid, xAxis, series } = chartOption(plot, view) as unknown as Drawn;
  const dots = series.filter(({ type, data }) => type === 'scatter' && data.length > 0);
  assert.ok(dots.length > 0, plot.id);
  return Math.max(
    ...dots.map(({ data, xAxisIndex, symbolOffset, symbolSize }) => {
      const { width } = grid[xAxisIndex]!;
      const { min = 0, max } = xAxis[xAxisIndex]!;
      const right = Math.max(...data.map(([x]) => x!));
      return (right - min) / (max - min) + (symbolOffset![0] + symbolSize! / 2) / width;
    }),
  );
}
