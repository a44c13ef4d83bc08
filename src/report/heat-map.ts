/** Heat maps over two factors, such as ports and rates: a panel per mechanism and implementation. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { labelsAmong, type Series, varyingFactors } from '../analysis/cells.js';
import type { PlotRequest } from '../experiments/experiment.js';
import { metric } from '../trials/registry.js';
import { short } from './drawing.js';
import type { Plot, PlotSeries } from './plot.js';
import { isBaseline, plotSeries, pointsOf } from './plot-series.js';
import { factorName, implementationName } from './words.js';

/** Null where an experiment does not cross two factors of numbers; of the second null is the closed loop. */
export function heatMap(
  experiment: ExperimentAnalysis,
  { metric: id, closed = id, logarithmic }: Extract<PlotRequest, { kind: 'heat' }>,
): Plot | null {
  const [second] = varyingFactors(experiment.series.map(({ levels }) => levels));
  if (!second) return null;
  const rowOf = ({ levels }: Series) => levels[second];
  const levels = [...new Set(experiment.series.map(rowOf))].filter(
    (level) => typeof level === 'number' || level === null,
  ) as (number | null)[];
  if (levels.length < 2) return null;
  // The closed loop goes as fast as it can: the topmost row.
  levels.sort((a, b) => (a ?? Infinity) - (b ?? Infinity));
  const groups = new Map<string, { who: string; one: PlotSeries }>();
  // Raw system calls come last: they are what the others are held against.
  const last = (series: Series) => Number(isBaseline(series));
  const labelOf = labelsAmong(experiment.series, [second]);
  for (const series of [...experiment.series].sort((a, b) => last(a) - last(b))) {
    const level = rowOf(series);
    const row = levels.indexOf(level as number | null);
    const label = labelOf(series);
    const group = groups.get(label) ?? {
      who: implementationName(series.levels),
      one: { ...plotSeries(series, experiment.series, []), name: label, role: 'mechanism' },
    };
    group.one.points.push(
      ...pointsOf(series, experiment, metric(level === null ? closed : id)).map((point) => ({
        ...point,
        row,
        dots: [],
      })),
    );
    groups.set(label, group);
  }
  const panels = [...groups.values()]
    .filter(({ one }) => one.points.length > 0)
    .map(({ who, one }) => ({ title: one.name, who, series: [one] }));
  if (panels.length === 0) return null;
  const { title, unit } = metric(id);
  return {
    id: `${experiment.name}-heat-${id}`,
    title: `${title.split(',')[0]}: ${factorName(experiment.factor)} × ${factorName(second)}`,
    meaning: `Each cell is the mean over its trials (${unit}); the stronger the colour, the more${logarithmic ? ', by its logarithm' : ''}.${levels.includes(null) ? ' The topmost row is the closed loop, whose next datagram waits for a reply: the server is as busy as it can be, and nothing can be lost.' : ''} An empty cell was not measured, or every trial of it was left out, for example because the client was the limit or dropped replies itself.`,
    kind: 'heat',
    xName: factorName(experiment.factor),
    yName: factorName(second),
    unit,
    panels,
    rows: levels.map((level) => (level === null ? 'closed' : short(level))),
    logX: false,
    logY: logarithmic,
  };
}
