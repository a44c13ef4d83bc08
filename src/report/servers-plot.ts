/** Servers against each other where nothing grows: a row for each, the best first, a panel for each of the circumstances. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { hostNames, seriesLabel, varyingFactors } from '../analysis/cells.js';
import { referenceMarks } from '../analysis/reference/marks.js';
import { otherStyle } from '../contract/names.js';
import type { PlotRequest } from '../experiments/experiment.js';
import { metric } from '../trials/registry.js';
import type { Panel, Plot, PlotSeries } from './plot.js';
import { levelInWords } from './words.js';

/** Null where no cell has the figures. */
export function serversPlot(
  experiment: ExperimentAnalysis,
  { metrics, levels = {}, title, logY }: Extract<PlotRequest, { kind: 'servers' }>,
): Plot | null {
  const [first] = metrics.map(metric);
  const cells = experiment.series
    .flatMap(({ points }) => points.map(({ cell }) => cell))
    .filter((cell) => Object.entries(levels).every(([factor, level]) => cell.levels[factor] === level));
  const all = metrics.map(metric).flatMap((measured) =>
    cells.flatMap((cell) => {
      const figure = experiment.summaryOf(cell).figures.get(measured.id);
      return figure ? [{ cell, measured, figure }] : [];
    }),
  );
  if (!first || all.length === 0) return null;
  type One = (typeof all)[number];
  const others = varyingFactors(all.map(({ cell }) => cell.levels));
  const severalHosts = hostNames(all.map(({ cell }) => cell)).length > 1;
  const shortTitle = (text: string) => text.replace(/^[^:]*: /, '');
  const panelOf = ({ cell: { levels: own, host }, measured }: One) =>
    [
      ...(metrics.length > 1 ? [`${shortTitle(measured.title)} (${measured.unit})`] : []),
      ...others.map((name) => levelInWords(name, own[name])),
      ...(severalHosts ? [host.name] : []),
    ].join(' · ') || measured.title;
  const many = (panel: string) => all.filter((one) => panelOf(one) === panel).length;
  // The one with most servers first; figures of one thing keep their order.
  const found = [...new Set(all.map(panelOf))];
  const panels = metrics.length > 1 ? found : found.sort((a, b) => many(b) - many(a));
  const sign = first.better === 'higher' ? -1 : 1;
  // The first panel's order; who is not in it comes after.
  const order = [...all].sort(
    (a, b) =>
      panels.indexOf(panelOf(a)) - panels.indexOf(panelOf(b)) ||
      sign * (a.figure.interval.estimate - b.figure.interval.estimate),
  );
  const rows = [...new Set(order.map(({ cell }) => seriesLabel(cell.levels)))];
  // Published figures beside their own rows.
  const marks = all.flatMap((one) =>
    referenceMarks
      .filter(
        (mark) =>
          mark.experiment === experiment.name &&
          mark.metric === one.measured.id &&
          Object.entries(mark.levels).every(([factor, level]) => one.cell.levels[factor] === level),
      )
      .map((mark) => ({ ...mark, panel: panelOf(one), row: rows.indexOf(seriesLabel(one.cell.levels)) })),
  );
  const marked = [...new Set(marks.map(({ name }) => name))];
  const best = (panel: string) => seriesLabel(order.find((one) => panelOf(one) === panel)!.cell.levels);
  const leaders = panels.map((panel) => (panels.length > 1 ? `${panel}: ${best(panel)}` : best(panel)));
  const sorted = metrics.length > 1 ? '' : `, the best first (${leaders.join('; ')})`;
  return {
    id: `${experiment.name}-${first.id}`,
    title: title ?? first.title,
    meaning: [
      `Mean and 95 % interval over trials${sorted}.`,
      metrics.length > 1 ? '' : first.meaning,
      marks.length > 0 ? `In grey, where there is one, what was published (${marks[0]!.testbed}).` : '',
    ]
      .join(' ')
      .trim(),
    kind: 'servers',
    xName: '',
    yName: metrics.length > 1 ? '' : `${first.title.split(',')[0]} (${first.unit})`,
    unit: first.unit,
    panels: panels.map(
      (panel): Panel => ({
        title: panel,
        who: panel,
        series: [
          {
            name: panel,
            role: 'mechanism',
            style: otherStyle,
            points: all
              .filter((one) => panelOf(one) === panel)
              .map(({ cell, figure: { interval, values } }) => ({
                x: 0,
                y: interval.estimate,
                low: interval.low,
                high: interval.high,
                n: interval.n,
                dots: values,
                row: rows.indexOf(seriesLabel(cell.levels)),
              })),
            curve: [],
            dashed: false,
          },
          ...marked.flatMap((name): PlotSeries[] => {
            const points = marks
              .filter((mark) => mark.panel === panel && mark.name === name)
              .map(({ y, row }) => ({ x: 0, y, low: null, high: null, n: 1, dots: [], row }));
            const common = { style: otherStyle, curve: [], dashed: false };
            return points.length > 0 ? [{ name, role: 'reference', points, ...common }] : [];
          }),
        ],
      }),
    ),
    rows,
    logX: false,
    logY,
  };
}
