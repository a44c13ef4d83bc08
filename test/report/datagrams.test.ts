import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Analysis, analyse } from '../../src/analysis/analyse.js';
import { ledgerOf } from '../../src/analysis/ledger.js';
import { lossFreeRates } from '../../src/analysis/loss-free.js';
import type { Machine } from '../../src/experiments/experiment.js';
import { experiments } from '../../src/experiments/registry.js';
import { plotsOf } from '../../src/report/figures.js';
import { outcome } from '../../src/report/terminal.js';
import { writeReport } from '../../src/report/write.js';
import { metric } from '../../src/trials/registry.js';
import { measured, measuredAs, type Sample } from '../../src/trials/sample.js';
import { runFolder } from '../support/run-folder.js';
import { idleRun, syntheticSample, type UdpTrial, udpSample } from '../support/samples.js';

const backends = ['select', 'epoll'];
const ports = [10, 1000, 5000];
const rates = [10, 100, 100_000, null];
const scan = (backend: string, count: number) => (backend === 'select' ? count : 0);

/** Every cell three times: select's cost and response time grow with the ports, and it loses some at the high rate. */
function sweep(change: (trial: UdpTrial) => Partial<UdpTrial> = () => ({})) {
  return backends.flatMap((backend) =>
    rates.flatMap((offered) =>
      ports.flatMap((count) =>
        [0, 1, 2].map((block) => {
          const medianLatency = 40_000 + 30 * scan(backend, count) + 100 * block;
          const trial: UdpTrial = {
            backend,
            ports: count,
            offered,
            block,
            cpuUs: 20 + 0.05 * scan(backend, count) + 0.1 * block,
            medianLatency,
            lost: offered === 100_000 && scan(backend, count) === 5000 ? 200 + 100 * block : 0,
            seconds: [medianLatency, 2 * medianLatency, 3 * medianLatency],
          };
          return udpSample({ ...trial, ...change(trial) });
        }),
      ),
    ),
  );
}

const analysed = (samples = sweep()): Analysis => analyse(null, { samples, refused: [], notices: [] });
const only = (analysis: Analysis) => analysis.experiments[0]!;
const plotOf = (analysis: Analysis, id: string) =>
  plotsOf(only(analysis)).find((plot) => plot.id === `udp-ports-${id}`);

describe('metrics of datagrams', () => {
  const trial = { backend: 'epoll', ports: 10, cpuUs: 2 };
  const cases = [
    { name: 'open loop without loss', offered: 1000, lost: 0, rate: 0, lossFree: null },
    { name: 'open loop with loss', offered: 1000, lost: 5, rate: 0.5, lossFree: null },
    { name: 'closed loop without loss', offered: null, lost: 0, rate: 0, lossFree: 500_000 },
    { name: 'closed loop with loss', offered: null, lost: 5000, rate: 1, lossFree: null },
  ];
  for (const { name, offered, lost, rate, lossFree } of cases) {
    it(`${name}: ${rate} % lost`, () => {
      const sample = udpSample({ ...trial, offered, lost });
      assert.equal(metric('loss-rate').of(sample), rate);
      assert.equal(metric('loss-free-rate').of(sample), lossFree);
      assert.equal(metric('closed-latency-p99').of(sample) === null, offered !== null);
    });
  }

  it('do not exist for a stream', () => {
    const sample = syntheticSample({ cell: { backend: 'epoll', impl: 'native', idle: 0 }, cpuUs: 6 });
    assert.equal(metric('loss-rate').of(sample), null);
    assert.equal(metric('loss-free-rate').of(sample), null);
  });
});

describe('what is carried without loss', () => {
  const rowsOf = (analysis: Analysis) => lossFreeRates(only(analysis).cells.map(({ cell }) => cell));
  const rowOf = (analysis: Analysis, backend: string, count: number) =>
    rowsOf(analysis).find(({ levels }) => levels.backend === backend && levels.ports === count)!;

  it('is bracketed by the offered rates, beside the closed loop', () => {
    const analysis = analysed();
    assert.equal(rowsOf(analysis).length, backends.length * ports.length);
    const lossy = rowOf(analysis, 'select', 5000);
    assert.deepEqual([lossy.held, lossy.lostAt], [100, 100_000]);
    const clean = rowOf(analysis, 'epoll', 5000);
    assert.deepEqual([clean.held, clean.lostAt], [100_000, null]);
    assert.ok(Math.abs(clean.closed!.estimate / (1e6 / 20.1) - 1) < 0.01);
    assert.ok(lossy.closed!.estimate < clean.closed!.estimate / 5);
  });

  it('counts no rate above one that lost, and one losing trial is enough', () => {
    const early = sweep(({ offered, block, backend }) =>
      backend === 'epoll' && offered === 100 ? { lost: block === 2 ? 1 : 0 } : {},
    );
    const { held, lostAt } = rowOf(analysed(early), 'epoll', 1000);
    assert.deepEqual([held, lostAt], [10, 100]);
  });

  it('leaves out trials that the client limited', () => {
    const limited = sweep(({ offered }) => (offered === 100_000 ? { status: 'invalid' as const } : {}));
    const { held, lostAt } = rowOf(analysed(limited), 'select', 5000);
    assert.deepEqual([held, lostAt], [100, null]);
  });
});

describe('what became of the datagrams', () => {
  const books = (samples = sweep()) => ledgerOf(only(analysed(samples)).cells.map(({ cell }) => cell));

  it('adds up over trials, with the place of every loss', () => {
    const samples = sweep();
    const all = books(samples)!;
    const sent = samples.flatMap((sample) =>
      measuredAs(sample, 'datagrams').map(([, { datagrams }]) => datagrams.sent),
    );
    assert.equal(all.trials, samples.length);
    assert.equal(
      all.sent,
      sent.reduce((sum, one) => sum + one, 0),
    );
    assert.deepEqual([all.lost, all.serverSocket, all.clientSocket], [900, 900, 0]);
    assert.equal(all.received, all.sent - 900);
    assert.equal(all.open, 0);
  });

  it('tells books that do not close', () => {
    const samples = sweep();
    const booksOf = (sample: Sample) => measured(sample, 'open', 'datagrams')!.datagrams;
    booksOf(samples[0]!).received -= 1;
    booksOf(samples[5]!).loss.unexplained += 1;
    assert.equal(books(samples)!.open, 2);
  });

  it('does not exist for streams', () => {
    assert.equal(
      ledgerOf(
        only(analyse(null, { samples: idleRun(), refused: [], notices: [] })).cells.map(({ cell }) => cell),
      ),
      null,
    );
  });

  it('stands in the report, with the cells that lost some', (t) => {
    const read = (samples: Sample[]) =>
      readFileSync(writeReport(runFolder(t, samples)).report, 'utf8').replaceAll('\u202f', ' ');
    const text = read(sweep());
    assert.match(
      text,
      /and 900 lost \(900 at the server.{1,6}s full sockets\)\. The books of all 72 windows close/,
    );
    assert.match(text, /1 cells? that lost some/);
    assert.match(read(sweep(() => ({ lost: 0 }))), /and 0 lost\. .*In no cell was one late/s);
  });
});

describe('figures of udp-ports', () => {
  it('rebuild figures 5.3 and 5.4: a panel per number of ports, the mean of every second', () => {
    for (const rate of [10, 100]) {
      const plot = plotOf(analysed(), `per-second-${rate}`)!;
      assert.deepEqual(
        plot.panels.map(({ title }) => title.replace('\u202f', ' ')),
        ['10 UDP ports', '1 000 UDP ports', '5 000 UDP ports'],
      );
      const [select, epoll] = plot.panels[2]!.series;
      assert.deepEqual([select!.name, epoll!.name], backends);
      assert.deepEqual(
        select!.points.map(({ x }) => x),
        [1, 2, 3],
      );
      assert.deepEqual(
        select!.points[1]!.dots.map((us) => Math.round(10 * us)),
        [3800, 3802, 3804],
      );
      assert.equal(Math.round(10 * epoll!.points[0]!.y), 401);
    }
    assert.equal(plotOf(analysed(), 'per-second-100000'), undefined);
  });

  it('leave out a second without a reply, and a window of one second', () => {
    const silent = sweep(({ block }) => ({ seconds: [50_000, 0, block === 0 ? 0 : 70_000] }));
    const [select] = plotOf(analysed(silent), 'per-second-10')!.panels[0]!.series;
    assert.deepEqual(
      select!.points.map(({ x, n }) => [x, n]),
      [
        [1, 3],
        [3, 2],
      ],
    );
    const short = sweep(() => ({ seconds: [50_000] }));
    assert.equal(plotOf(analysed(short), 'per-second-10'), undefined);
  });

  it('map p99 and loss over ports and rates, the closed loop topmost', () => {
    const analysis = analysed();
    const p99 = plotOf(analysis, 'heat-latency-p99')!;
    assert.deepEqual(p99.rows, ['10', '100', '100k', 'closed']);
    const select = p99.panels.find(({ title }) => title.startsWith('select'))!.series[0]!;
    assert.equal(select.points.length, rates.length * ports.length);
    const loss = plotOf(analysis, 'heat-loss-rate')!;
    const lossy = loss.panels.flatMap(({ title, series }) =>
      series[0]!.points.filter(({ y }) => y > 0).map(({ x, y, row }) => [title, x, loss.rows[row!], y]),
    );
    assert.equal(lossy.length, 1);
    const [title, x, row, y] = lossy[0]!;
    assert.deepEqual([title, x, row], ['select · native', 5000, '100k']);
    assert.ok(Math.abs(Number(y) - 0.3) < 1e-9);
  });

  it('never show less than no loss', () => {
    const uneven = sweep(({ offered, block }) => ({ lost: offered === 100_000 && block === 0 ? 90 : 0 }));
    const points = plotOf(analysed(uneven), 'heat-loss-rate')!.panels.flatMap(({ series }) =>
      series.flatMap((one) => one.points),
    );
    assert.ok(points.some(({ y, high }) => y > 0 && high! > y));
    assert.ok(points.every(({ low }) => low! >= 0));
  });

  it('stack CPU time for the busiest load only', () => {
    const titles = (rates: (number | null)[]) =>
      plotOf(
        analysed(sweep().filter(({ cell }) => rates.includes(cell.rate as number | null))),
        'cpu-stack',
      )!.panels.map(({ title }) => title);
    assert.deepEqual(titles([10, null]), ['select · native · closed loop', 'epoll · native · closed loop']);
    assert.deepEqual(titles([10, 100]), ['select · native · rate 100', 'epoll · native · rate 100']);
  });

  it('speak of datagrams and response times, and other experiments of requests', () => {
    const text = (plot: { title: string; yName: string; meaning: string }) =>
      `${plot.title} ${plot.yName} ${plot.meaning}`;
    for (const plot of plotsOf(only(analysed())))
      assert.doesNotMatch(text(plot), /request|[Ll]atency/, plot.id);
    const others = analyse(null, { samples: idleRun(), refused: [], notices: [] });
    assert.ok(plotsOf(only(others)).some((plot) => /Server CPU per request/.test(plot.title)));
  });

  it('have ports along the x axis even where more rates than ports were measured', () => {
    const few = sweep().filter(({ cell }) => cell.ports !== 1000);
    assert.equal(only(analysed(few)).factor, 'ports');
  });

  const machine: Machine = { available: ['select', 'epoll'], nodeBackend: 'epoll', descriptorLimit: 20_000 };
  // What has no axis is drawn server by server.
  for (const { id, axis, profile, profiles = ['thesis' as const], cells } of experiments.filter(
    ({ axis }) => axis !== '',
  )) {
    it(`can be drawn for ${id}: its axis is a factor of several levels`, () => {
      const levels = cells(profile(profiles.at(-1)!, machine), machine).map((cell) => cell[axis]);
      assert.ok(new Set(levels.filter((level) => typeof level === 'number')).size > 1);
    });
  }
});

describe('growth per 1000 ports', () => {
  it('is a slope with its interval for every mechanism and rate, and says when none is shown', () => {
    const growth = only(analysed()).growth.filter(({ metric: { id } }) => id === 'open-cpu-per-request');
    assert.equal(growth.length, backends.length * 3);
    for (const { series, slope } of growth) {
      const { backend } = series.levels;
      assert.ok(slope.low! < slope.estimate && slope.estimate < slope.high!, series.label);
      // The open window of a synthetic trial costs 1.4 times its CPU.
      if (backend === 'select') assert.ok(Math.abs(slope.estimate / (1.4 * 50) - 1) < 0.02, series.label);
      else assert.ok(slope.low! <= 0 && slope.high! >= 0, series.label);
    }
  });

  it('needs two levels, three for a model', () => {
    const two = only(analysed(sweep().filter(({ cell }) => cell.ports !== 1000)));
    assert.equal(two.models.length, 0);
    assert.equal(two.growth.length, backends.length * rates.length);
    const one = sweep().filter(({ cell }) => cell.ports === 10 && cell.rate === 10);
    assert.equal(only(analysed(one)).growth.length, 0);
  });

  it('stands in the report as sentences, beside the table of loss', (t) => {
    const text = readFileSync(writeReport(runFolder(t, sweep())).report, 'utf8').replaceAll('\u202f', ' ');
    assert.match(
      text,
      /Server CPU per datagram, open loop, native server, 100\/s: <strong>select<\/strong> 70[\d.]* \[[\d.]+, [\d.]+\] µs, grows; <strong>epoll<\/strong> [^;]*0 lies inside: no growth shown\./,
    );
    assert.match(text, /none of the offered/);
  });

  it('leaves room for what tells series apart in the terminal', () => {
    const text = outcome(analysed(sweep().filter(({ cell }) => cell.rate === 10 || cell.rate === 100)));
    for (const label of ['select · rate 10 ', 'select · rate 100', 'epoll · rate 100'])
      assert.ok(text.includes(label), label);
    // A closed loop among the rates is a row like the others, each with the cost it has.
    const mixed = outcome(analysed());
    for (const label of ['select · rate 10 ', 'select · closed loop'])
      assert.ok(mixed.includes(label), label);
  });
});
