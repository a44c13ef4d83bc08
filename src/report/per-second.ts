/** The thesis's figures 5.3 and 5.4: response time over the run, a panel per number of ports and host. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { type Cell, hostNames, nearest } from '../analysis/cells.js';
import type { PlotRequest } from '../experiments/experiment.js';
import { meanInterval } from '../statistics/interval.js';
import { measured } from '../trials/sample.js';
import type { Plot, PlotPoint } from './plot.js';
import { plotSeries } from './plot-series.js';
import { implementationName, levelInWords } from './words.js';

/** Mean response time of one second of the window: its mean over trials, for as many seconds as every trial has. */
function secondBySecond({ trials }: Cell): PlotPoint[] {
  const windows = trials.map((trial) => measured(trial, 'open', 'datagrams')?.datagrams.series ?? []);
  const seconds = windows.length > 0 ? Math.min(...windows.map(({ length }) => length)) : 0;
  return Array.from({ length: seconds }, (_, second): PlotPoint[] => {
    const dots = windows.map((series) => series[second]!).filter(({ received }) => received > 0);
    if (dots.length === 0) return [];
    const means = dots.map(({ mean }) => mean / 1000);
    const { estimate, low, high, n } = meanInterval(means);
    return [{ x: second + 1, y: estimate, low, high, n, dots: means }];
  }).flat();
}

/** Null where no window at `rate` lasted two seconds. */
export function perSecond(
  experiment: ExperimentAnalysis,
  { rate, figure }: Extract<PlotRequest, { kind: 'per-second' }>,
): Plot | null {
  const chosen = nearest(experiment.series.filter(({ levels }) => levels.rate === rate));
  const counts = [...new Set(chosen.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const hosts = hostNames(chosen);
  const panels = hosts
    .flatMap((name) => counts.map((count) => ({ name, count })))
    .map(({ name, count }) => ({
      title: [levelInWords(experiment.factor, count), ...(hosts.length > 1 ? [name] : [])].join(' · '),
      who: implementationName(chosen[0]!.levels),
      series: chosen
        .filter(({ host }) => host.name === name)
        .map((series) =>
          plotSeries(
            series,
            experiment.series,
            series.points.flatMap(({ x, cell }) => (x === count ? secondBySecond(cell) : [])),
          ),
        )
        // A single second is no course.
        .filter(({ points }) => points.length > 1),
    }))
    .filter(({ series }) => series.length > 0);
  if (panels.length === 0) return null;
  return {
    id: `${experiment.name}-per-second-${rate}`,
    title: `Response time second by second, ${rate} datagrams/s (as thesis figure ${figure})`,
    meaning: `Mean of each second, as the thesis computed it, averaged over trials, ${implementationName(chosen[0]!.levels)}. A line that lies higher from panel to panel grows with the ports. Between datagrams this rare the CPUs sleep and caches go cold: waking up is part of every figure, often most of it. Compare mechanisms and panels, not these times with those of a busy server. The thesis gives its figures as pictures without a table, so no value of it is drawn.`,
    kind: 'lines',
    xName: 'second of the window',
    yName: 'Response time (µs)',
    unit: 'µs',
    panels,
    rows: [],
    logX: false,
    logY: true,
  };
}
