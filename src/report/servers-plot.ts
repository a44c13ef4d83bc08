/** Servers against each other where nothing grows: a row for each, the best first, a panel for each of the circumstances. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { hostNames, seriesLabel, varyingFactors } from '../analysis/cells.js';
import { otherStyle } from '../contract/names.js';
import type { PlotRequest } from '../experiments/experiment.js';
import { metric } from '../trials/registry.js';
import type { Panel, Plot } from './plot.js';
import { levelInWords } from './words.js';

/** Null where no cell has the figure. */
export function serversPlot(
  experiment: ExperimentAnalysis,
  { metric: id, logY }: Extract<PlotRequest, { kind: 'servers' }>,
): Plot | null {
  const measured = metric(id);
  const cells = experiment.series.flatMap(({ points }) => points.map(({ cell }) => cell));
  const having = cells.flatMap((cell) => {
    const figure = experiment.summaryOf(cell).figures.get(id);
    return figure ? [{ cell, figure }] : [];
  });
  if (having.length === 0) return null;
  const others = varyingFactors(having.map(({ cell }) => cell.levels));
  const several = hostNames(having.map(({ cell }) => cell)).length > 1;
  const titleOf = ({ cell: { levels, host } }: (typeof having)[number]) =>
    [...others.map((name) => levelInWords(name, levels[name])), ...(several ? [host.name] : [])].join(
      ' · ',
    ) || measured.title;
  const titles = [...new Set(having.map(titleOf))];
  const sign = measured.better === 'higher' ? -1 : 1;
  // The first panel's order; who is not in it comes after.
  const order = [...having].sort(
    (a, b) =>
      titles.indexOf(titleOf(a)) - titles.indexOf(titleOf(b)) ||
      sign * (a.figure.interval.estimate - b.figure.interval.estimate),
  );
  const rows = [...new Set(order.map(({ cell }) => seriesLabel(cell.levels)))];
  const panels = titles.map(
    (title): Panel => ({
      title,
      who: title,
      series: [
        {
          name: title,
          role: 'mechanism',
          style: otherStyle,
          points: having
            .filter((one) => titleOf(one) === title)
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
      ],
    }),
  );
  const best = (title: string) => order.find((one) => titleOf(one) === title)!;
  const said = titles.map((title) => `${title}: ${seriesLabel(best(title).cell.levels)}`).join('; ');
  return {
    id: `${experiment.name}-${id}`,
    title: measured.title,
    meaning: `Mean and 95 % interval over trials, the best first (${said}). ${measured.meaning}`,
    kind: 'servers',
    xName: '',
    yName: `${measured.title.split(',')[0]} (${measured.unit})`,
    unit: measured.unit,
    panels,
    rows,
    logX: false,
    logY,
  };
}
