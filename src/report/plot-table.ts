/** A plot's figures as a table. The page makes it when the reader opens it: this text runs there as well. */

import { number } from '../number.js';
import { nines } from './chart.js';
import { type Html, table } from './html.js';
import type { Plot } from './plot.js';

export const rowsOf = ({ panels }: Plot): number =>
  panels.reduce((sum, { series }) => sum + series.reduce((all, { points }) => all + points.length, 0), 0);

export function plotTable(plot: Plot): Html {
  const heat = plot.kind === 'heat';
  const byRow = heat || plot.kind === 'servers';
  const rows = plot.panels.flatMap((panel) =>
    panel.series.flatMap((series) =>
      series.points.map(({ x, y, low, high, n, row }) => [
        panel.title,
        byRow ? plot.rows[row!]! : series.name,
        ...(plot.kind === 'servers' ? [] : [plot.kind === 'percentiles' ? nines(x) : number(x)]),
        number(y),
        low === null ? '–' : number(low),
        high === null ? '–' : number(high),
        number(n),
      ]),
    ),
  );
  return table(
    `${plot.title}, ${plot.unit}`,
    [
      { name: 'Panel' },
      { name: heat ? plot.yName : byRow ? 'Server' : 'Series' },
      ...(plot.kind === 'servers' ? [] : [{ name: plot.xName, figure: true }]),
      { name: 'Mean', figure: true },
      { name: '95 % low', figure: true },
      { name: '95 % high', figure: true },
      { name: 'n', figure: true },
    ],
    rows,
  );
}
